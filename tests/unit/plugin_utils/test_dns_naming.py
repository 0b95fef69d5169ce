# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Full names of hosts: a name counts where it leads back to the host."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from unit.plugin_utils.name_server import AAAA, CNAME, A, NameServer, address, encode_name

from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.naming import Names
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.srv import Server
from ansible_collections.winops.volume_activation.plugins.plugin_utils._srv.value import is_full_name

pytestmark = pytest.mark.tier("quick")

PTR = 12


def reverse(last: int, *names: str) -> dict[tuple[str, int], list[tuple[int, bytes]]]:
    return {(f"{last}.0.0.10.in-addr.arpa", PTR): [(60, encode_name(name)) for name in names]}


RECORDS = {
    ("kms-1.contoso.com", A): [(60, address("10.0.0.1"))],
    ("kms-1.contoso.com", AAAA): [(60, address("2001:db8::1"))],
    ("kms-2.contoso.com", A): [(60, address("10.0.0.2"))],
    ("web.contoso.com", A): [(60, address("10.0.0.2"))],
    ("kms.contoso.com", CNAME): [(60, encode_name("kms-1.contoso.com"))],
    **reverse(1, "KMS-1.contoso.com"),
    **reverse(2, "kms-2.contoso.com", "web.contoso.com"),
    # Whoever may write the reverse zone.
    **reverse(3, "kms-1.contoso.com"),
    **reverse(4, "kms-1.contoso.com", "kms4"),
}


@pytest.fixture
def names() -> Iterator[Names]:
    with NameServer(RECORDS) as server:
        yield Names([Server("ns1", "127.0.0.1", server.port)], 2)


@pytest.mark.parametrize(
    ("connection", "full"),
    [
        ("10.0.0.1", "kms-1.contoso.com"),
        ("10.0.0.2", ""),
        ("10.0.0.3", ""),
        ("10.0.0.4", ""),
        ("10.0.0.5", ""),
        ("kms.contoso.com", "kms-1.contoso.com"),
        ("kms-2.contoso.com", "kms-2.contoso.com"),
        ("kms-9.contoso.com", ""),
    ],
)
def test_the_full_name_is_the_one_that_leads_back(names: Names, connection: str, full: str):
    assert names.full_name(connection) == full


def test_aliases_are_followed_and_what_nobody_knows_stays(names: Names):
    wanted = ["kms.contoso.com", "kms-1.contoso.com", "kms-9.contoso.com"]
    assert names.followed(wanted) == {wanted[0]: "kms-1.contoso.com", wanted[1]: wanted[1], wanted[2]: wanted[2]}
    found = names.addresses([*wanted, "2001:DB8:0::1"])
    assert found[wanted[0]] == found[wanted[1]] == {"10.0.0.1", "2001:db8::1"}
    assert (found[wanted[2]], found["2001:DB8:0::1"]) == (frozenset(), {"2001:db8::1"})


@pytest.mark.parametrize(
    ("text", "full"), [("KMS-1.contoso.com.", True), ("kms1", False), ("10.0.0.7", False), ("fe80::7", False), ("", False)]
)
def test_an_address_is_no_full_name(text: str, full: bool):
    assert is_full_name(text) is full
