# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a KMS host is undone, on simulated machines: whole, not before its clients have another one, and any request may be the last one."""

from __future__ import annotations

from typing import Any

import pytest
from unit.lab.product_session import Killed, mortal, open_direct, port_probe
from unit.lab.windows_fakes import FakeDomain, base, create_process, install, registry, service, service_row

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing.publish_list import ListWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._srv.value import SrvValue
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.removal import KmsHostRemoval, RecordSeen, Removal
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.state import KmsHostWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session
from lab.windows import data
from lab.windows.host import Host
from lab.windows.microsoft import Microsoft

pytestmark = pytest.mark.tier("test")

EMPTY = ListWish((), exact=True)
OTHER = RecordSeen("_vlmcs._tcp.contoso.com", (), ("kms-2.contoso.com:1688",))


@pytest.fixture
def domain(domain_in_real_time: FakeDomain) -> FakeDomain:
    """Hosts whose time really passes."""
    return domain_in_real_time


def remove(
    session: Session, host: Host, *seen: RecordSeen, wish: KmsHostWish | None = None, check_mode: bool = False, **options: Any
) -> KmsHostRemoval:
    wish = wish or KmsHostWish(publish_list=EMPTY, firewall=True, netsh=True, absent=True)
    gone = KmsHostRemoval(session, wish, Removal(lambda _fqdn: seen or (OTHER,), **options), check_mode, probe=port_probe(host))
    gone.change()
    return gone


def grown(domain: FakeDomain, label: str = "kms-1", profile: str = "server_2022_standard", key: str = "csvlk_2022") -> Host:
    """A KMS host on which everything is set."""
    host = (
        domain.add_kms_host(label, key, profile, netbios_name="KMS_1") if profile == "server_2022_standard" else domain.add(label, profile)
    )
    if profile != "server_2022_standard":
        install(host, data.key_named(key).key)
        create_process(host, 'netsh.exe advfirewall firewall set rule group="@FirewallAPI.dll,-28002" new enable=yes')
    for method, arguments in (
        ("SetVLActivationInterval", {"ActivationInterval": 60}),
        ("SetVLRenewalInterval", {"RenewalInterval": 6000}),
        ("SetKeyManagementServiceListeningPort", {"PortNumber": 1690}),
        ("EnableKeyManagementServiceLowPriority", {"EnableLowPriority": True}),
    ):
        service(host, method, **arguments)
    lines = ["contoso.com, 10, 75", "west.contoso.com, 90, 75"]
    registry(host, "SetMultiStringValue", host.settings.path, "DnsDomainPublishList", sValue=lines)
    for key_path in (host.settings.path, host.settings.wow64_path):
        registry(host, "SetStringValue", key_path, "KeyManagementServiceVersion", sValue="10.0.1.1")
    return host


def _value_names(state: dict[str, Any]) -> list[str]:
    return [path.rpartition("\\")[2] for path in (*state["registry"], *state["wow64_registry"])]


def traces(host: Host) -> dict[str, Any]:
    """What is left of a KMS host."""
    row = service_row(host)
    state = host.snapshot_state()
    return {
        "settings": [row[name] for name in ("VLActivationInterval", "VLRenewalInterval", "KeyManagementServiceListeningPort")],
        "low": row["KeyManagementServiceLowPriority"],
        "registry": [name for name in _value_names(state) if "Version" in name or "List" in name],
        "host": state["is_kms_host"],
        "port": state["open_port"],
        "firewall": any(state["firewall"][name] for name in state["firewall"] if name.startswith("SPPSVC")),
    }


CLEAN = {"settings": [120, 10080, 0], "low": False, "registry": [], "host": False, "port": 0, "firewall": False}


@pytest.mark.parametrize("uninstall", [False, True])
@pytest.mark.parametrize(("profile", "key"), [("server_2022_standard", "csvlk_2022"), ("server_2008r2_enterprise", "csvlk_2008r2_b")])
def test_a_host_is_undone_to_what_windows_has_by_itself(domain: FakeDomain, profile: str, key: str, uninstall: bool) -> None:
    host = grown(domain, profile=profile, key=key)
    session, _carrier = open_direct(host)
    planned = remove(session, host, uninstall_key=uninstall, check_mode=True)
    made = remove(session, host, uninstall_key=uninstall)
    assert made.plan.steps == planned.plan.steps
    assert made.plan.steps[0].attribute == "DNS publishing"
    assert traces(host) == CLEAN
    setup_key = data.keys()[data.setup_key_of(host.spec.windows)].partial
    assert host.snapshot_state()["partial_key"] == (None if uninstall else setup_key)
    assert made.other_hosts == {OTHER.record: list(OTHER.answering)}
    assert remove(session, host, uninstall_key=uninstall).plan.steps == []


@pytest.mark.parametrize(
    ("seen", "options", "words"),
    [
        (
            RecordSeen(OTHER.record, (SrvValue(10, 75, 1688, "kms-1.contoso.com"),), OTHER.answering),
            {"last_host": True},
            "still sends clients to",
        ),
        (
            RecordSeen(OTHER.record, (), (), ("kms-2 is closed.",)),
            {},
            "give last_host: true. No other host that it names answers: kms-2 is closed",
        ),
        (
            RecordSeen(OTHER.record, (), ()),
            {},
            r"set another one up first, or give last_host: true\. No other host that it names answers\.$",
        ),
    ],
)
def test_clients_are_not_left_alone(domain: FakeDomain, seen: RecordSeen, options: dict[str, Any], words: str) -> None:
    host = grown(domain)
    session, _carrier = open_direct(host)
    before = host.snapshot_state()
    for check_mode in (True, False):
        with pytest.raises(ActivationError, match=words):
            remove(session, host, OTHER, seen, check_mode=check_mode, **options)
    assert host.snapshot_state() == before
    # An earlier task is about to change what the records say.
    after = KmsHostWish(publish_list=EMPTY, absent=True, after_step="SRV")
    assert remove(session, host, seen, wish=after, check_mode=True).plan.steps


def test_the_last_host_goes_when_that_is_said(domain: FakeDomain) -> None:
    host = grown(domain)
    assert remove(open_direct(host)[0], host, RecordSeen(OTHER.record, (), ()), last_host=True).plan.steps
    assert traces(host) == CLEAN


def test_another_csvlk_instead_is_refused_and_a_given_key_taken(domain: FakeDomain) -> None:
    host = grown(domain)
    session, _carrier = open_direct(host)
    second = KmsHostWish(product_key=data.key_named("csvlk_2022_second").key, publish_list=EMPTY, absent=True)
    with pytest.raises(StepFailed, match="product key") as failed:
        remove(session, host, wish=second)
    assert "it is a KMS host key (CSVLK) itself" in str(failed.value.__cause__)
    mak = data.key_named("mak_2022_standard") if "mak_2022_standard" in {key.name for key in data.keys().values()} else None
    wanted = mak.key if mak else data.setup_key_of(host.spec.windows)
    remove(session, host, wish=KmsHostWish(product_key=wanted, publish_list=EMPTY, absent=True))
    assert base(host)["PartialProductKey"] == wanted[-5:]


@pytest.mark.parametrize("uninstall", [False, True])
def test_what_a_host_was_about_to_publish_is_not_published_once_it_is_none(domain: FakeDomain, uninstall: bool) -> None:
    host = domain.add_kms_host(publish_delay=3600)
    session, _carrier = open_direct(host)
    assert host.publication.pending
    remove(session, host, uninstall_key=uninstall)
    assert not host.publication.pending
    assert domain.records == {}


def test_a_computer_that_was_never_a_kms_host_needs_nothing_and_no_dns(domain: FakeDomain) -> None:
    host = domain.add("srv-01", "server_2022_standard")

    def look(_fqdn: str) -> list[RecordSeen]:
        raise AssertionError

    wish = KmsHostWish(publish_list=EMPTY, firewall=True, absent=True)
    gone = KmsHostRemoval(open_direct(host)[0], wish, Removal(look), check_mode=False)
    gone.change()
    assert gone.plan.steps == []


@pytest.mark.tier("soak")
@pytest.mark.parametrize("uninstall", [False, True])
def test_killed_after_each_request_a_second_run_undoes_the_rest(domain: FakeDomain, uninstall: bool) -> None:
    left, finished = 0, False
    while not finished:
        domain.microsoft = Microsoft()
        host = grown(domain, f"kms-{left}")
        try:
            remove(mortal(host, left), host, uninstall_key=uninstall)
            finished = True
        except Killed:
            pass
        session, _carrier = open_direct(host)
        remove(session, host, uninstall_key=uninstall)
        assert traces(host) == CLEAN, left
        assert remove(session, host, uninstall_key=uninstall).plan.steps == []
        host.stop()
        left += 1
    assert left > 15
