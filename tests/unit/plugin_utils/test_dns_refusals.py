# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the response code of a refusal is said to mean."""

from __future__ import annotations

import dns.message
import dns.rcode
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.refusals import refused
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.signing import SharedKey, Signer, Unsigned
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.srv import Server


@pytest.mark.parametrize("signer", [Unsigned(), SharedKey("activation", "c2VjcmV0", "hmac-sha256")])
def test_a_failure_of_bind_names_the_limit_of_values(signer: Signer) -> None:
    answer = dns.message.make_response(dns.message.make_query("contoso.com", "SOA"))
    answer.set_rcode(dns.rcode.SERVFAIL)
    failure = refused(answer, Server("ns1.contoso.com", "192.0.2.1"), signer, "contoso.com", "the update of _vlmcs._tcp.contoso.com")
    assert "max-records-per-type allows, 100 by default." in failure.message
    assert (failure.code, failure.name, failure.source) == ("2", "SERVFAIL", "dns")
