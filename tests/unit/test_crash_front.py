# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the crash test answers in place of a DNS server, as dnspython reads it."""

from __future__ import annotations

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.tsig
import dns.tsigkeyring
import dns.update
import pytest
from crash.front import Front, spoilt

pytestmark = pytest.mark.tier("quick")

KEYRING = dns.tsigkeyring.from_text({"key.contoso.com": "c2VjcmV0IHNlY3JldCBzZWNyZXQ="})
QUERY = dns.message.make_query("_vlmcs._tcp.contoso.com", "SRV")
SERVER, OWN = "127.0.0.10", "127.0.0.200"


def update() -> dns.update.UpdateMessage:
    """A signed one."""
    made = dns.update.UpdateMessage("contoso.com", keyring=KEYRING)
    made.delete("_vlmcs._tcp")
    return made


class Server:
    """Answers as it should, and counts what reaches it."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def __call__(self, message: bytes) -> bytes:
        self.asked.append(message)
        answer = dns.message.make_response(QUERY)
        answer.answer = [dns.rrset.from_text("dc1.contoso.com.", 60, "IN", "A", SERVER)]
        return answer.to_wire()


@pytest.mark.parametrize("kind", ["SERVFAIL", "REFUSED"])
def test_a_refusal_reaches_nobody(kind: str) -> None:
    server = Server()
    answer = spoilt(kind, QUERY.to_wire(), server)
    assert answer is not None and server.asked == []
    read = dns.message.from_wire(answer)
    assert (dns.rcode.to_text(read.rcode()), read.id, bool(read.flags & dns.flags.QR)) == (kind, QUERY.id, True)


@pytest.mark.parametrize(("kind", "error"), [("BADKEY", dns.tsig.PeerBadKey), ("BADTIME", dns.tsig.PeerBadTime)])
def test_a_signature_that_is_not_taken_is_told_by_its_error(kind: str, error: type[dns.exception.DNSException]) -> None:
    server, sent = Server(), update()
    answer = spoilt(kind, sent.to_wire(), server)
    assert answer is not None and server.asked == []
    with pytest.raises(error):
        dns.message.from_wire(answer, keyring=KEYRING, request_mac=sent.mac)


@pytest.mark.parametrize(("kind", "done"), [("unsigned", 1), ("NOERROR without effect", 0)])
def test_an_answer_without_a_signature_says_yes(kind: str, done: int) -> None:
    server = Server()
    answer = spoilt(kind, update().to_wire(), server)
    assert answer is not None and len(server.asked) == done
    read = dns.message.from_wire(answer)
    assert (read.rcode(), read.had_tsig) == (dns.rcode.NOERROR, False)


def test_a_lost_answer_is_none_whether_the_work_is_done_or_not() -> None:
    server = Server()
    assert spoilt("no answer after the work", update().to_wire(), server) is None and len(server.asked) == 1
    assert spoilt("no answer", QUERY.to_wire(), server) is None and len(server.asked) == 1


def test_a_truncated_answer_is_one_over_udp_alone() -> None:
    server, front = Server(), Front({SERVER: OWN})
    for over_udp in (True, False):
        front.strike("dns_query", "DNS query: truncated", 1)
        answer = front.answer(SERVER, QUERY.to_wire(), server, over_udp)
        assert answer is not None and bool(dns.message.from_wire(answer, ignore_trailing=True).flags & dns.flags.TC) == over_udp
        assert front.hits == 1


def test_one_message_meets_the_fault_and_addresses_lead_back_here() -> None:
    server, front = Server(), Front({SERVER: OWN})
    front.strike("dns_query", "DNS query: REFUSED", 2)
    answers = [front.answer(SERVER, QUERY.to_wire(), server, True) for _time in range(3)]
    read = [dns.message.from_wire(answer) for answer in answers if answer is not None]
    assert [one.rcode() for one in read] == [dns.rcode.NOERROR, dns.rcode.REFUSED, dns.rcode.NOERROR]
    assert read[0].answer[0][0].to_text() == OWN
    assert (front.hits, front.counts["dns_query"]) == (1, 3)
