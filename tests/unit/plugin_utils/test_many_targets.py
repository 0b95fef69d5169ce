# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever writes a record decides how many hosts it names, and none of them need answer: a look at them has an end all the same."""

from __future__ import annotations

import itertools
import threading
import typing as t

import error_catalogue
import pytest

from ansible_collections.winops.volume_activation.plugins.action import kms_endpoint_info
from ansible_collections.winops.volume_activation.plugins.lookup import kms_hosts
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.module_options import documented_options
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns import addresses, spread
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.srv import Server, SrvAnswer
from ansible_collections.winops.volume_activation.plugins.plugin_utils._kms_endpoint import probe as probing
from ansible_collections.winops.volume_activation.plugins.plugin_utils._kms_endpoint.probe import (
    EndpointState,
    KmsEndpoint,
    not_probed,
    probe_all,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._srv.value import SrvValue

pytestmark = pytest.mark.tier("quick")

ONE, RECORD, LOOKUP = "a host that is one too many", "a record with too many hosts", "a record with too many hosts for a lookup"
WRITTEN = error_catalogue.paired("Hosts of a record", [ONE, RECORD, LOOKUP])
DC1 = Server("dc1", "192.0.2.1")
NAME = "_vlmcs._tcp.contoso.com"


class Clock:
    """Time that passes only where something is waited for."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = 0
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        return self.now

    def silent(self, _server: Server, _name: str, _kind: str, *, timeout: float) -> t.NoReturn:
        """A question that is not answered, while 64 are under way."""
        with self._lock:
            self.asked += 1
            # No question is given up before this, however little time is left (srv._exchange).
            self.now += max(timeout, 0.05) / 64
        raise ActivationError("silent", source="dns")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(addresses, "time", made)
    monkeypatch.setattr(addresses, "ask", made.silent)
    return made


def test_of_very_many_silent_targets_some_are_looked_at_many_at_the_same_time(monkeypatch: pytest.MonkeyPatch):
    together = threading.Barrier(64, timeout=30)

    def silent(host: str, address: str, port: int, timeout: float) -> KmsEndpoint:
        together.wait()
        return KmsEndpoint(host, port, address, EndpointState.NOT_KMS, "")

    monkeypatch.setattr(probing, "probe", silent)
    targets = [(f"kms-{number}", "192.0.2.1", 1688) for number in range(1500)]
    seen = probe_all(targets, 5)
    assert [(found.host, found.address, found.port) for found in seen] == targets
    assert [found.state for found in seen] == [EndpointState.NOT_KMS] * 256 + [EndpointState.NOT_PROBED] * 1244


def test_what_is_said_of_one_too_many():
    assert not_probed("kms-9.contoso.com", "192.0.2.9", 1688).detail == error_catalogue.said(WRITTEN[ONE])


def test_names_are_resolved_until_time_is_up(clock: Clock):
    found = addresses.read_all_addresses([DC1], [f"kms-{number}" for number in range(5000)], timeout=5)
    assert clock.now <= 4 * 5 + 5
    assert clock.asked == len(found) < 600


def test_so_are_those_of_very_many_name_servers(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    names = [f"ns{number}.contoso.com" for number in range(3000)]
    resolved: list[str] = []
    monkeypatch.setattr(spread, "server_of", lambda name: resolved.append(name) or Server(name, "", trouble="unknown"))
    zone = type("Zone", (), {"channel": type("Channel", (), {"server": DC1, "timeout": 5.0}), "name_servers": lambda self: names})()
    found = spread._others(type("Record", (), {"zone": zone}), [])
    assert len(found) == 3000 and len(resolved) == 64 and clock.asked < 600


def record(number: int) -> list[SrvAnswer | ActivationError]:
    values = tuple(SrvValue(priority, 0, 1688, f"kms-{priority}.contoso.com") for priority in range(number))
    return [SrvAnswer(DC1, NAME, values, 600, True, True)]


def options(module: str, **given: t.Any) -> dict[str, t.Any]:
    return {name: option.get("default") for name, option in documented_options(module).items()} | given


def test_the_module_looks_at_those_that_clients_try_first(monkeypatch: pytest.MonkeyPatch):
    for place in (probing, kms_endpoint_info):
        monkeypatch.setattr(place, "MOST_TARGETS", 4)
    monkeypatch.setattr(kms_endpoint_info, "read_srv_from_all", lambda *_, **__: record(10))
    monkeypatch.setattr(kms_endpoint_info, "read_all_addresses", lambda _servers, hosts, **_: dict.fromkeys(hosts, ("192.0.2.1",)))
    monkeypatch.setattr(probing, "probe", lambda host, address, port, _timeout: KmsEndpoint(host, port, address, EndpointState.REFUSED, ""))
    action = kms_endpoint_info.ActionModule.__new__(kms_endpoint_info.ActionModule)
    outcome = action.execute(options("kms_endpoint_info", domain="contoso.com", dns_servers=["192.0.2.1"], timeout=2.0), False)
    states = {seen["host"]: seen["state"] for seen in outcome.result["endpoints"]}
    assert [host for host, state in states.items() if state == "refused"] == [f"kms-{number}.contoso.com" for number in range(4)]
    assert len(states) == 10 and outcome.warnings == [error_catalogue.said(WRITTEN[RECORD])]


def test_one_host_may_have_very_many_addresses(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(probing, "probe", lambda host, address, port, _timeout: KmsEndpoint(host, port, address, EndpointState.REFUSED, ""))
    found = {("kms-1", 1688): tuple(f"10.0.{number // 250}.{number % 250}" for number in range(3000))}
    states = [endpoint.state for endpoint in kms_endpoint_info._look_at(found, [DC1], {"timeout": 2.0})]
    assert (states.count(EndpointState.REFUSED), states.count(EndpointState.NOT_PROBED)) == (256, 2744)


def test_the_lookup_says_which_it_could_not_ask_for(monkeypatch: pytest.MonkeyPatch):
    said: list[str] = []
    monkeypatch.setattr(kms_hosts, "read_srv_from_all", lambda *_, **__: record(2))
    monkeypatch.setattr(
        kms_hosts, "read_all_addresses", lambda _servers, hosts, **_: dict.fromkeys(itertools.islice(hosts, 1), ("192.0.2.1",))
    )
    lookup = kms_hosts.LookupModule()
    monkeypatch.setattr(lookup._display, "warning", said.append)
    monkeypatch.setattr(
        lookup, "get_options", lambda: {"timeout": 5.0, "dns_servers": ["192.0.2.1"], "order": "priority", "addresses": True}
    )
    found = lookup._hosts("contoso.com")
    assert [host["addresses"] for host in found] == [["192.0.2.1"], []]
    assert said == [error_catalogue.said(WRITTEN[LOOKUP])]
