# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks of every module that talks to a Windows host, run as Ansible runs them, on a machine that sends one odd value."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from handmade import task_of
from unit.lab.hostile_values import Place, SpoiltCarrier
from unit.lab.windows_fakes import FakeDomain, install

from ansible_collections.winops.volume_activation.plugins.plugin_utils._srv.value import SrvValue
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.cim import CimClass, Value
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.transport import CarrierFacts
from lab.windows import data
from lab.windows.host import Host

COLLECTION = "ansible_collections.winops.volume_activation.plugins"
MODERN, SEVEN, SERVER = "windows_11_enterprise", "windows_7_enterprise", "server_2022_standard"
OLD_SERVER = "server_2008r2_enterprise"
CSVLK, MAK = data.key_named("csvlk_2022").key, data.key_named("mak_win_enterprise").key
LONGEST_SECONDS = 400.0
LICENSE_INFO = "license_info"


@dataclass(frozen=True)
class Story:
    """A task: its module and options, and the machine that it runs on."""

    module: str
    machine: Callable[[FakeDomain], Host]
    options: Mapping[str, Any] = field(default_factory=dict)
    check_mode: bool = False
    fails: bool = False
    pace: float = 0.0
    """Seconds that a pause really takes, where the machine does something in between."""


def _client(profile: str = MODERN) -> Callable[[FakeDomain], Host]:
    """A client whose KMS host has counted enough of them."""

    def make(domain: FakeDomain) -> Host:
        kms = domain.add_kms_host()
        for number in range(25):
            kms.licensing.counter.register(f"cmid-{number}", 25, 2, domain.clock.now())
        return domain.add("pc-001", profile)

    return make


def _host(domain: FakeDomain) -> Host:
    return domain.add_kms_host()


def _unpublished(group: str = "") -> Callable[[FakeDomain], Host]:
    """A KMS host that may not write the record of its domain, or only since it is in a group, which its ticket does not know."""

    def make(domain: FakeDomain) -> Host:
        domain.owner["contoso.com"] = "OTHER$"
        host = domain.add_kms_host(reboot=0)
        # It has tried, and so has a ticket from before.
        domain.groups["KMS hosts"] = {host.spec.account}
        domain.allowed["contoso.com"] = {group}
        return host

    return make


def _retired(domain: FakeDomain) -> Host:
    domain.owner["contoso.com"] = "OTHER$"
    return domain.add_kms_host()


def _fresh(profile: str = SERVER) -> Callable[[FakeDomain], Host]:
    return lambda domain: domain.add("kms-1", profile, role="kms")


def _with_mak(domain: FakeDomain) -> Host:
    host = domain.add("pc-001", MODERN)
    install(host, MAK)
    return host


def _reference(domain: FakeDomain) -> Host:
    return domain.add("ref-1", MODERN, domain="", sysprep=0, reboot=0.1)


_PUBLISHED = {"publish_domain": "contoso.com", "publish_timeout": 3, "dns_servers": ["192.0.2.1"]}

STORIES: dict[str, Story] = {
    "a KMS host is read": Story("license_info", _host, {"query": "windows.status"}),
    "a client is read": Story("license_info", _client(SEVEN)),
    "a KMS host is set up": Story(
        "kms_host",
        _fresh(),
        {"product_key": CSVLK, "activate": True, "firewall": True, "listening_port": 1689, "publish_list": [{"domain": "a.contoso.com"}]},
    ),
    "an old KMS host is set up": Story(
        "kms_host",
        _fresh(OLD_SERVER),
        {"product_key": data.key_named("csvlk_2008r2_b").key, "firewall": True, "firewall_method": "netsh", "low_priority": True},
    ),
    "a KMS host publishes itself": Story("kms_host", _unpublished("KMS hosts"), {**_PUBLISHED, "ticket": "purge"}),
    "a KMS host may not publish itself": Story("kms_host", _unpublished(), {**_PUBLISHED, "ticket": "purge"}, fails=True),
    "a KMS host is restarted": Story(
        "kms_host", _unpublished("KMS hosts"), {**_PUBLISHED, "ticket": "reboot", "reboot_timeout": 30}, pace=0.02
    ),
    "a KMS host waits for its confirmation ID": Story("kms_host", _fresh(), {"product_key": CSVLK}),
    "a KMS host is undone": Story("kms_host", _retired, {"state": "absent", "last_host": True, "firewall": True, "uninstall_key": True}),
    "a client is set up": Story(
        "kms_client",
        _client(),
        {
            "kms_host": "kms-1.contoso.com",
            "activate": True,
            "dns_suffixes": ["a.contoso.com"],
            "host_caching": False,
            "alternate_url": "https://contoso.com",
            "activation_type": "kms",
        },
    ),
    "an old client is set up": Story("kms_client", _client(SEVEN), {"discover": True, "activate": True, "host_caching": False}),
    "a MAK is activated": Story("mak_client", _client(), {"product_key": MAK, "activate": True, "read_installation_id": True}),
    "a MAK waits for its confirmation ID": Story(
        "mak_client", _with_mak, {"confirmation_id": "1" * 48, "exact_installation_id": False, "settle": 1}, fails=True
    ),
    "slmgr reads": Story(
        "slmgr",
        _host,
        {"verbs": [{"verb": verb} for verb in ("dli", "dlv", "xpr", "dti", "lil")] + [{"verb": "dlv", "activation_id": "all"}]},
    ),
    "slmgr changes a host": Story(
        "slmgr", _host, {"verbs": [{"verb": "sprt", "port": 1690}, {"verb": "cdns"}, {"verb": "rearm"}, {"verb": "ato"}]}
    ),
    "slmgr changes a client": Story(
        "slmgr",
        _client(),
        {
            "verbs": [
                {"verb": "skms", "kms_host": "kms-1.contoso.com:1690"},
                {"verb": "ckhc"},
                {"verb": "act-type", "activation_type": 2},
                {"verb": "upk"},
            ]
        },
    ),
    "an image is generalized": Story("sysprep", _reference, {"poll": 1.0, "timeout": 20.0}),
    "a session is checked": Story("debug_winrm_session", _host),
    "a host is kept within reach": Story("winrm_target", _client(), {"winrm_rule": True, "local_accounts": True, "wmi_exception": True}),
    "an old host is kept within reach": Story(
        "winrm_target", _client(SEVEN), {"winrm_rule": True, "local_accounts": True, "wmi_exception": True, "firewall_method": "netsh"}
    ),
}


class Passing:
    """Time that a task waits for passes at once, and not without end."""

    def __init__(self, domain: FakeDomain, pace: float) -> None:
        self.waited = 0.0
        self._domain, self._pace = domain, pace
        self._monotonic, self._sleep = time.monotonic, time.sleep

    def sleep(self, seconds: float) -> None:
        self.waited += max(seconds, 0.001)
        self._domain.clock.advance(seconds=seconds)
        if self._pace:
            self._sleep(self._pace)
        assert self.waited < LONGEST_SECONDS, "the task waits without end"

    def monotonic(self) -> float:
        return self._monotonic() + self.waited


class _NotingSession(Session):
    """Notes which properties of an instance are checked, for an answer to Get has all of them."""

    def __init__(self, carrier: SpoiltCarrier, host: str) -> None:
        super().__init__(carrier, host)
        self.looked_at = carrier.looked_at

    def get(self, cim_class: CimClass, selectors: Mapping[str, str]) -> dict[str, Value]:
        self.looked_at |= {(cim_class.name, name) for name in cim_class.properties}
        return super().get(cim_class, selectors)


class _Records:
    """What the DNS servers of a domain hold, without a network."""

    def __init__(self, domain: FakeDomain) -> None:
        self._domain = domain

    def __call__(self, _servers: object) -> _Records:
        return self

    def everything(self) -> dict[str, tuple[SrvValue, ...]]:
        return {
            zone: tuple(sorted(SrvValue(value.priority, value.weight, value.port, value.target) for value in values))
            for zone, values in self._domain.records.items()
        }

    def values_of(self, fqdn: str, wanted: Mapping[str, Any]) -> dict[str, tuple[SrvValue, ...]]:
        held = self.everything()
        return {zone: tuple(value for value in held.get(zone, ()) if value.target == fqdn) for zone in wanted}

    def addresses_of(self, _domain: str, _target: str) -> list[str]:
        return []


@contextmanager
def _in_this_world(domain: FakeDomain, session: Session, shown: list[str], module: Any, pace: float) -> Iterator[Passing]:
    """The session in place of one over a connection, warnings that are kept, and time that does not pass."""
    base = sys.modules[f"{COLLECTION}.plugin_utils._actions.base"]
    passing = Passing(domain, pace)
    facts = CarrierFacts("winrm", session.carrier.endpoint, "ntlm", "message", "svc-winrm")
    with (
        patch.object(sys.modules[f"{COLLECTION}.plugin_utils._actions.windows"], "opened", lambda *_, **_more: session),
        patch.object(base.display, "warning", shown.append),
        patch("time.sleep", passing.sleep),
        patch("time.monotonic", passing.monotonic),
        patch.object(module, "describe_carrier", lambda _carrier: facts, create=True),
        patch.object(module, "PublishedRecords", _Records(domain), create=True),
        patch.object(module, "probe", lambda *_: SimpleNamespace(state="answering"), create=True),
    ):
        yield passing


@dataclass
class Ended:
    """How a task ended."""

    result: dict[str, Any]
    shown: list[str]
    host: str
    carrier: SpoiltCarrier
    seconds: float


def tell(story: Story, place: Place | None = None, value: str = "", skip: int = 0, make: type[SpoiltCarrier] = SpoiltCarrier) -> Ended:
    """Run the task of a story on a machine of its own, which sends an odd value in a place, or what else its carrier makes of answers."""
    domain = FakeDomain()
    try:
        host = story.machine(domain)
        carrier = make(host, place, value, skip)
        module = importlib.import_module(f"{COLLECTION}.action.{story.module}")
        task = task_of(dict(story.options), check_mode=story.check_mode, diff=True)
        connection = SimpleNamespace(
            ansible_name="ansible.builtin.winrm",
            _shell=SimpleNamespace(tmpdir="x"),
            option_definitions={},
            allow_extras=False,
            get_option=lambda _name: None,
        )
        templar = SimpleNamespace(template=lambda text: text)
        action = module.ActionModule(task, connection, None, None, templar, None)
        action._play_context = SimpleNamespace(become=False)
        shown: list[str] = []
        began = time.perf_counter()
        with _in_this_world(domain, _NotingSession(carrier, host.hostname), shown, module, story.pace):
            result = action.run(task_vars={"inventory_hostname": host.hostname})
        return Ended(result, shown, host.hostname, carrier, time.perf_counter() - began)
    finally:
        domain.close()
