# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the response code of a refusal is said to mean."""

from __future__ import annotations

import dns.message
import dns.rcode
import dns.tsig
import error_catalogue
import pytest
from unit.plugin_utils.name_server import SOA, NameServer, encode_name

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.hosting import told_apart
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.refusals import refused
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.signing import KerberosKey, SharedKey, Signer, Unsigned
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.srv import Server
from ansible_collections.winops.volume_activation.plugins.plugin_utils._kerberos.logon import KerberosAccount, Logon

pytestmark = pytest.mark.tier("quick")

ACCOUNT = KerberosAccount("ops@contoso.com")
KEY, KERBEROS = (
    SharedKey("activation", "c2VjcmV0", "hmac-sha256"),
    KerberosKey(ACCOUNT, "ns1", lambda: Logon(ACCOUNT, "CONTOSO.COM", "192.0.2.1")),
)
BY_CODE: dict[str, tuple[dns.rcode.Rcode, int, Signer]] = {
    "clocks that differ, as a signature shows": (dns.rcode.NOTAUTH, 18, KEY),
    "a signature that is too short": (dns.rcode.NOTAUTH, 22, KEY),
    "a signature with another trouble": (dns.rcode.NOTAUTH, 21, KEY),
    "a server that is not the zone's primary": (dns.rcode.NOTAUTH, 0, Unsigned()),
    "a server that takes no updates at all": (dns.rcode.NOTIMP, 0, Unsigned()),
    "a server that does not understand updates": (dns.rcode.FORMERR, 0, Unsigned()),
    "a name outside of the zone": (dns.rcode.NOTZONE, 0, Unsigned()),
    "a server that cannot write its zone": (dns.rcode.SERVFAIL, 0, KEY),
    "an account that has no right, on Samba": (dns.rcode.SERVFAIL, 0, KERBEROS),
    "an account that has no right, on Windows": (dns.rcode.REFUSED, 0, KERBEROS),
    "a code that nobody expects": (dns.rcode.NXDOMAIN, 0, Unsigned()),
}
"""Response code, the error in the answer's signature, and who signed."""
OF_A_QUESTION = {
    "a server that does not answer this computer": dns.rcode.REFUSED,
    "a server that cannot read its zone": dns.rcode.SERVFAIL,
    "a question with a code that nobody expects": dns.rcode.YXDOMAIN,
}
HOSTED = "a zone that DNS serves and the directory lacks"
WRITTEN = error_catalogue.paired("What a DNS server answers", [*BY_CODE, *OF_A_QUESTION, HOSTED])


def check(name: str, failure: ActivationError) -> None:
    assert error_catalogue.shown(failure) == error_catalogue.expected(WRITTEN[name], failure)


@pytest.mark.parametrize("name", BY_CODE)
def test_each_code_has_its_sentence(name: str) -> None:
    code, inside, signer = BY_CODE[name]
    question = dns.message.make_query("contoso.com", "SOA")
    answer = dns.message.make_response(question)
    answer.set_rcode(code)
    if inside:
        key = dns.tsig.Key("activation", "c2VjcmV0", "hmac-sha256")
        answer.use_tsig(key, tsig_error=inside)
    check(name, refused(answer, Server("ns1.contoso.com", "192.0.2.1"), signer, "contoso.com", "the update of _vlmcs._tcp.contoso.com"))


@pytest.mark.parametrize("signer", [KEY, KERBEROS, Unsigned()], ids=lambda signer: signer.shown)
@pytest.mark.parametrize("name", OF_A_QUESTION)
def test_a_question_that_is_refused_is_no_update(name: str, signer: Signer) -> None:
    answer = dns.message.make_response(dns.message.make_query("_vlmcs._tcp.contoso.com", "SRV"))
    answer.set_rcode(OF_A_QUESTION[name])
    server = Server("ns1.contoso.com", "192.0.2.1")
    check(name, refused(answer, server, signer, "contoso.com", "the question for _vlmcs._tcp.contoso.com", question=True))


def test_a_zone_that_only_dns_has_is_told_apart() -> None:
    missing = ActivationError("The zone contoso.com is not in Active Directory.", source="ldap")
    soa = encode_name("ns1.contoso.com") + encode_name("hostmaster.contoso.com") + bytes(20)
    with NameServer({("contoso.com", SOA): [(60, soa)]}) as server:
        asked = [Server("ns1.contoso.com", "127.0.0.1", server.port)]
        check(HOSTED, told_apart(missing, "contoso.com", "dc1.contoso.com", asked))
        assert told_apart(missing, "fabrikam.com", "dc1.contoso.com", asked) is missing
