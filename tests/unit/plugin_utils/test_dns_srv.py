# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading SRV values and addresses, against name servers of the test."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.plugin_utils.name_server import AAAA, CNAME, REFUSED, SRV, A, NameServer, address, encode_name, srv

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns import published as polling
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns import srv as reading
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.addresses import literal, read_addresses, system_addresses
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.published import PublishedHosts
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.srv import (
    Server,
    SrvAnswer,
    read_srv,
    read_srv_from_all,
    server_of,
    servers_of,
    service_name,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._srv.value import SrvValue

pytestmark = pytest.mark.tier("quick")

NAME = "_vlmcs._tcp.contoso.com"
VALUES = [(600, srv(10, 75, 1688, "KMS-1.contoso.com")), (600, srv(10, 25, 1688, "kms-2.contoso.com"))]


@pytest.fixture
def holder() -> Iterator[NameServer]:
    with NameServer({(NAME, SRV): VALUES}) as server:
        yield server


def at(server: NameServer) -> Server:
    return Server("dc1.contoso.com", "127.0.0.1", server.port)


def test_values_are_read_with_one_message(holder: NameServer) -> None:
    holder.additional = [("KMS-1.contoso.com", A, 600, address("192.0.2.1")), ("kms-1.contoso.com", AAAA, 600, address("2001:db8::1"))]
    answer = read_srv(at(holder), f"{NAME}.", timeout=2)
    assert answer.values == (SrvValue(10, 25, 1688, "kms-2.contoso.com"), SrvValue(10, 75, 1688, "kms-1.contoso.com"))
    assert (answer.ttl, answer.authoritative, answer.exists, answer.name) == (600, True, True, NAME)
    assert answer.addresses == {"kms-1.contoso.com": ("192.0.2.1", "2001:db8::1")}
    assert holder.asked == [("udp", NAME, SRV, True)]


def test_a_missing_name_and_a_name_without_values_are_empty(holder: NameServer) -> None:
    holder.records[("elsewhere.contoso.com", A)] = [(60, address("192.0.2.9"))]
    nowhere = read_srv(at(holder), "_vlmcs._tcp.fabrikam.com", timeout=2)
    bare = read_srv(at(holder), "elsewhere.contoso.com", timeout=2)
    assert (nowhere.values, nowhere.ttl, nowhere.exists) == ((), None, False)
    assert (bare.values, bare.ttl, bare.exists) == ((), None, True)


def test_a_truncated_answer_is_asked_for_by_tcp(holder: NameServer) -> None:
    holder.truncate = True
    assert len(read_srv(at(holder), NAME, timeout=2).values) == 2
    assert [transport for transport, *_rest in holder.asked] == ["udp", "tcp"]


def test_an_alias_is_followed_and_its_shorter_life_counts(holder: NameServer) -> None:
    holder.records[("_vlmcs._tcp.west.contoso.com", CNAME)] = [(30, encode_name(NAME))]
    answer = read_srv(at(holder), "_vlmcs._tcp.west.contoso.com", timeout=2)
    assert len(answer.values) == 2
    assert answer.ttl == 30


def test_a_lost_datagram_is_sent_again(holder: NameServer) -> None:
    holder.silent = 1
    assert len(read_srv(at(holder), NAME, timeout=1).values) == 2
    assert len(holder.asked) == 2


@pytest.mark.parametrize("rubbish", [b"\0", b"\x12\x34\x84\x00\x00\x00\x00\x00\x00\x00\x00\x00", b"x" * 40])
def test_what_is_no_answer_to_the_question_is_passed_over(holder: NameServer, rubbish: bytes) -> None:
    holder.rubbish = rubbish
    assert len(read_srv(at(holder), NAME, timeout=2).values) == 2
    assert len(holder.asked) == 1


def test_a_silent_server_is_given_up_in_time(holder: NameServer) -> None:
    holder.silent = -1
    began = time.monotonic()
    with pytest.raises(
        ActivationError, match=r"DNS server dc1\.contoso\.com \(127\.0\.0\.1\) port \d+ did not answer .* within 0\.3 s"
    ) as caught:
        read_srv(at(holder), NAME, timeout=0.3)
    assert time.monotonic() - began < 1.5
    assert caught.value.source == "dns"


def test_a_server_that_refuses_is_an_error_with_its_code(holder: NameServer) -> None:
    holder.code = REFUSED
    with pytest.raises(ActivationError, match="answered REFUSED") as caught:
        read_srv(at(holder), NAME, timeout=2)
    assert (caught.value.shown_code, caught.value.name, caught.value.source) == ("5", "REFUSED", "dns")


def test_authority_is_asked_for_without_recursion_and_insisted_on(holder: NameServer) -> None:
    assert read_srv(at(holder), NAME, timeout=2, authoritative=True).authoritative
    assert holder.asked[-1][-1] is False
    holder.authoritative, holder.recursive = False, True
    assert not read_srv(at(holder), NAME, timeout=2).authoritative
    with pytest.raises(ActivationError, match="does not hold the zone"):
        read_srv(at(holder), NAME, timeout=2, authoritative=True)


def test_a_referral_is_not_taken_for_an_empty_answer(holder: NameServer) -> None:
    holder.records[("child.contoso.com", A)] = [(60, address("192.0.2.9"))]
    holder.authoritative = False
    with pytest.raises(ActivationError, match="does not hold the zone"):
        read_srv(at(holder), "child.contoso.com", timeout=2)


def test_all_servers_are_asked_at_once_and_failures_stay_in_their_place(holder: NameServer) -> None:
    with NameServer(silent=-1) as dead, NameServer(silent=-1) as gone:
        began = time.monotonic()
        answers = read_srv_from_all([at(dead), at(holder), at(gone)], NAME, timeout=0.5)
    assert time.monotonic() - began < 0.95
    assert [isinstance(answer, ActivationError) for answer in answers] == [True, False, True]
    assert read_srv_from_all([], NAME) == []


def published(*servers: NameServer | str) -> PublishedHosts:
    named = [server if isinstance(server, str) else f"127.0.0.1:{server.port}" for server in servers]
    return PublishedHosts("contoso.com", servers_of(named))


def ports(record: PublishedHosts, fqdn: str) -> list[int]:
    return sorted({value.port for value in record.values_of(fqdn)})


def test_a_server_that_names_the_host_is_enough(holder: NameServer) -> None:
    with NameServer(silent=-1) as dead, NameServer({(NAME, SRV): [(60, srv(0, 0, 1689, "kms-1.contoso.com"))]}) as other:
        began = time.monotonic()
        assert ports(published(dead, "dc9.invalid", holder, other), "KMS-1.contoso.com.") == [1688, 1689]
        assert time.monotonic() - began < 1.5


def test_a_server_that_answers_a_little_later_counts_as_well(holder: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow_for_one(server: Server, name: str, **more: float) -> SrvAnswer:
        if server.port != holder.port:
            time.sleep(0.1)
        return read_srv(server, name, **more)

    monkeypatch.setattr(polling, "read_srv", slow_for_one)
    with NameServer({(NAME, SRV): [(60, srv(0, 0, 1689, "kms-1.contoso.com"))]}) as later:
        assert ports(published(holder, later), "kms-1.contoso.com") == [1688, 1689]


@pytest.mark.tier("test")
def test_a_host_that_no_server_names_is_known_after_a_short_while(holder: NameServer) -> None:
    with NameServer(silent=-1) as dead:
        began = time.monotonic()
        assert ports(published(dead, holder), "kms-9.contoso.com") == []
        assert 1.5 < time.monotonic() - began < 3
    with pytest.raises(ActivationError, match=r"DNS server dc9\.invalid has no address"):
        ports(published("dc9.invalid"), "kms-1.contoso.com")


@pytest.mark.tier("test")
def test_records_of_several_domains_are_asked_at_the_same_time(holder: NameServer) -> None:
    west = service_name("west.contoso.com")
    with NameServer(silent=-1) as dead, NameServer({(west, SRV): [(60, srv(90, 75, 1688, "kms-1.contoso.com"))]}) as other:
        servers = {
            "contoso.com": ([f"127.0.0.1:{dead.port}", f"127.0.0.1:{holder.port}"], False),
            "west.contoso.com": ([f"127.0.0.1:{other.port}", f"127.0.0.1:{dead.port}"], True),
        }
        records = polling.PublishedRecords(servers)
        began = time.monotonic()
        found = records.values_of("kms-1.contoso.com", {"contoso.com": lambda _value: False, "west.contoso.com": lambda _value: False})
        assert time.monotonic() - began < 3
        assert found["west.contoso.com"] == (SrvValue(90, 75, 1688, "kms-1.contoso.com"),)
        assert {value.target for value in found["contoso.com"]} == {"kms-1.contoso.com"}
        everything = records.everything()
        assert everything["west.contoso.com"] == found["west.contoso.com"]
        assert set(found["contoso.com"]) <= set(everything["contoso.com"])
        assert list(records.values_of("kms-1.contoso.com", {"west.contoso.com": lambda _value: True})) == ["west.contoso.com"]


def test_addresses_come_from_the_first_server_that_knows_them(holder: NameServer) -> None:
    holder.records[("kms-1.contoso.com", A)] = [(60, address("192.0.2.2")), (60, address("192.0.2.1"))]
    holder.records[("kms-6.contoso.com", AAAA)] = [(60, address("2001:db8::6"))]
    with NameServer(code=REFUSED) as refusing, NameServer() as ignorant:
        servers = [at(refusing), at(ignorant), at(holder)]
        assert read_addresses(servers, "kms-1.contoso.com", timeout=2) == ("192.0.2.1", "192.0.2.2")
        assert [kind for _transport, _name, kind, _recursion in holder.asked] == [A]
        assert [kind for _transport, _name, kind, _recursion in ignorant.asked] == [A]
        holder.records[("kms-1.contoso.com", AAAA)] = [(60, address("2001:db8::1"))]
        assert read_addresses(servers, "kms-1.contoso.com", timeout=2) == ("192.0.2.1", "192.0.2.2")
        assert read_addresses(servers, "kms-1.contoso.com", timeout=2, every_kind=True) == ("192.0.2.1", "192.0.2.2", "2001:db8::1")
        assert read_addresses(servers, "kms-6.contoso.com", timeout=2) == ("2001:db8::6",)
        assert read_addresses(servers, "nobody.contoso.com", timeout=2) == ()


def test_a_name_that_is_none_is_an_error_of_the_options(holder: NameServer) -> None:
    with pytest.raises(ActivationError, match="is no DNS name") as caught:
        read_srv(at(holder), "_vlmcs._tcp." + "x" * 64 + ".com", timeout=2)
    assert caught.value.source == "options"
    with pytest.raises(ActivationError, match=r"label is empty\.$"):
        read_srv(at(holder), "_vlmcs._tcp..com", timeout=2)
    assert holder.asked == []


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, holder: NameServer) -> None:
    monkeypatch.setattr(reading, "IMPORT_ERROR", ImportError("dns"))
    with pytest.raises(ActivationError, match="pip install 'dnspython"):
        read_srv(at(holder), NAME)


@pytest.mark.parametrize(
    ("text", "shown", "expected"),
    [
        ("127.0.0.10", "127.0.0.10", ("127.0.0.10", 53)),
        ("127.0.0.10:5353", "127.0.0.10:5353", ("127.0.0.10", 5353)),
        ("[::1]:5353", "[::1]:5353", ("::1", 5353)),
        ("::1", "::1", ("::1", 53)),
    ],
)
def test_a_server_is_named_by_address_and_port(text: str, shown: str, expected: tuple[str, int]) -> None:
    server = server_of(text)
    assert (server.address, server.port) == expected
    assert str(server) == shown


def test_a_server_is_named_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, port, **_kind: [(2, 2, 17, "", ("192.0.2.53", port))] if host == "dc1" else nowhere()
    )
    assert str(server_of("dc1")) == "dc1 (192.0.2.53)"
    nameless = server_of("dc9")
    assert (nameless.address, str(nameless), str(server_of("dc9:5353"))) == ("", "dc9", "dc9:5353")
    with pytest.raises(ActivationError, match=r"DNS server dc9 has no address: .*Name or service not known\. Give its IP"):
        read_srv(nameless, NAME)
    assert system_addresses("dc1", 1688) == ("192.0.2.53",)
    assert system_addresses("dc9", 1688) == ()


def nowhere() -> list[object]:
    raise socket.gaierror(-2, "Name or service not known")


@given(st.ip_addresses())
def test_an_address_is_its_own_literal(ip: object) -> None:
    assert literal(str(ip)) == str(ip)
    assert literal(f"[{ip}]") == str(ip)
    assert literal(f"host-{ip}.contoso.com") == ""


def test_names_are_compared_without_case_and_final_dot() -> None:
    assert SrvValue(0, 0, 1688, "KMS-1.Contoso.com.") == SrvValue(0, 0, 1688, "kms-1.contoso.com")
    assert service_name("Contoso.COM.") == NAME
    assert str(SrvValue(10, 75, 1688, "kms-1")) == "10 75 1688 kms-1"
    assert SrvValue(0, 0, 0, ".").target == "."
