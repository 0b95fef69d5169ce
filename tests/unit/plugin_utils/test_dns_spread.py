# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for the other name servers of a zone, against name servers of the test."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import error_catalogue
import pytest
from unit.plugin_utils.name_server import NS, REFUSED, SRV, A, NameServer, address, encode_name, srv

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import Step, StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.channel import DnsChannel
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.rrset import RrsetWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.signing import Unsigned
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.spread import wait
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.srv import Server
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.srv_record import Record
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.update import Zone
from ansible_collections.winops.volume_activation.plugins.plugin_utils._srv.value import SrvValue

pytestmark = pytest.mark.tier("quick")

NAME = "_vlmcs._tcp.contoso.com"
VALUES = [(600, srv(10, 75, 1688, "kms-1.contoso.com"))]
WISH = RrsetWish((SrvValue(10, 75, 1688, "kms-1.contoso.com"),), ttl=3600)
DONE = [Step(f"SRV {NAME}", "value 10 75 1688 kms-1.contoso.com", "absent", "present", "DNS update")]


@pytest.fixture
def first() -> Iterator[NameServer]:
    records = {
        ("contoso.com", NS): [(60, encode_name(f"{host}.contoso.com")) for host in ("ns1", "ns2")],
        ("ns1.contoso.com", A): [(60, address("127.0.0.1"))],
        ("ns2.contoso.com", A): [(60, address("127.0.0.2"))],
        (NAME, SRV): VALUES,
    }
    with NameServer(records) as server:
        yield server


@pytest.fixture
def second(first: NameServer) -> Iterator[NameServer]:
    with NameServer({("contoso.com", NS): []}, host="127.0.0.2", port=first.port) as server:
        yield server


@pytest.fixture
def record(first: NameServer) -> Iterator[Record]:
    with DnsChannel(Server("ns1.contoso.com", "127.0.0.1", first.port), 2) as channel:
        yield Record(Zone(channel, "contoso.com", Unsigned()), NAME, 1)


def test_the_wait_ends_when_the_other_server_has_it(record: Record, first: NameServer, second: NameServer) -> None:
    assert wait(record, WISH, [], 0, DONE) == []
    assert (first.asked, second.asked) == ([], [])
    late = threading.Timer(0.6, second.records.__setitem__, [(NAME, SRV), VALUES])
    late.start()
    (arrived,) = wait(record, WISH, [], 20, DONE)
    late.join()
    assert arrived["name"] == "ns2.contoso.com"
    assert arrived["seconds"] >= 0.6
    # The server that was written to was read already; nobody is asked to ask others.
    assert {name for _transport, name, _kind, _recursion in first.asked if name == NAME} == set()
    assert {(name, recursion) for _transport, name, _kind, recursion in second.asked} == {(NAME, False)}


def test_what_has_to_go_is_waited_for_too(record: Record, second: NameServer) -> None:
    second.records[(NAME, SRV)] = VALUES
    with pytest.raises(StepFailed):
        wait(record, RrsetWish(WISH.values, "absent"), [], 0.5, DONE)
    second.records[(NAME, SRV)] = []
    assert [server["name"] for server in wait(record, RrsetWish(WISH.values, "absent"), [], 5, DONE)] == ["ns2.contoso.com"]


BEHIND = {
    "a name server that does not show the values yet": (0, True),
    "a name server that refuses": (REFUSED, True),
    "a name server that does not hold the zone": (0, False),
}
"""Response code, and whether the answer is authoritative."""
UNKNOWN = "a server that tells no name servers of the zone"
WRITTEN = error_catalogue.paired("DNS on its way to other servers", [*BEHIND, UNKNOWN])


@pytest.mark.parametrize("name", BEHIND)
def test_who_is_behind_is_named(record: Record, second: NameServer, name: str) -> None:
    second.code, second.authoritative = BEHIND[name]
    with pytest.raises(StepFailed) as failed:
        wait(record, WISH, [], 0.5, DONE)
    cause = failed.value.__cause__
    assert error_catalogue.shown(cause) == error_catalogue.expected(WRITTEN[name], cause, port=second.port)
    assert (failed.value.done, failed.value.remaining) == (DONE, [])


def test_a_server_that_tells_no_name_servers(record: Record, first: NameServer) -> None:
    first.code = REFUSED
    with pytest.raises(ActivationError) as failed:
        wait(record, WISH, [], 1, DONE)
    assert error_catalogue.shown(failed.value) == error_catalogue.expected(WRITTEN[UNKNOWN], failed.value, port=first.port)
