# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a KMS host publishes itself, on simulated machines: one write, one restart, and any request may be the last one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
from unit.lab.product_session import Killed, mortal, open_direct
from unit.lab.windows_fakes import CIMV2, DOMAIN, FakeDomain, registry, service_row

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing.publish_list import ListWish, PublishLine
from ansible_collections.winops.volume_activation.plugins.plugin_utils._srv.value import SrvValue
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host import publication, publication_events
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.publication import (
    Publication,
    PublishedHost,
    WantedValue,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.setup import KmsHostSetup
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.state import KmsHostWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform import computer
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session
from lab.windows import data
from lab.windows.host import Host
from lab.windows.microsoft import Microsoft
from lab.windows.ports import SrvRecord
from lab.windows.publishing import RunningSettings
from lab.wsman.request_log import Entry

pytestmark = pytest.mark.tier("test")

SPP = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform"
SL = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SL"
WEST = "west.contoso.com"
LIST = ListWish((PublishLine(DOMAIN, 10, 75), PublishLine(WEST, 90, 75)))
LINES = ["contoso.com, 10, 75", "west.contoso.com, 90, 75"]
EMPTY = ListWish((), exact=True)
KEY = data.key_named("csvlk_2022").key


@pytest.fixture
def domain(domain_in_real_time: FakeDomain) -> FakeDomain:
    """Hosts whose time really passes."""
    return domain_in_real_time


def listed(host: Host, key: str = SPP) -> Any:
    return registry(host, "GetMultiStringValue", key, "DnsDomainPublishList").get("sValue")


def write(host: Host, lines: list[str], key: str = SPP) -> None:
    registry(host, "SetMultiStringValue", key, "DnsDomainPublishList", sValue=lines)


def ensure(session: Session, wish: KmsHostWish, **more: Any) -> KmsHostSetup:
    """Plan, then do, and see that both are the same."""
    planned = KmsHostSetup(session, wish, check_mode=True, **more)
    planned.change()
    made = KmsHostSetup(session, wish, check_mode=False, **more)
    made.change()
    assert made.plan.steps == planned.plan.steps
    return made


def started(host: Host) -> int:
    return sum(event.code == 902 for event in host.events.events())


def test_a_host_to_be_has_its_list_before_its_first_publication(domain: FakeDomain) -> None:
    host = domain.add("kms-1", "server_2022_standard", role="kms")
    session, carrier = open_direct(host)
    made = ensure(session, KmsHostWish(product_key=KEY, activate=True, publish_list=LIST))
    assert [step.attribute for step in made.plan.steps][:3] == [
        "DnsDomainPublishList contoso.com",
        "DnsDomainPublishList west.contoso.com",
        "product key",
    ]
    assert (made.restarted, carrier.asked("Invoke:SetMultiStringValue"), listed(host)) == (False, 1, LINES)
    assert domain.records == {
        DOMAIN: [SrvRecord("kms-1.contoso.com", 1688, 10, 75)],
        WEST: [SrvRecord("kms-1.contoso.com", 1688, 90, 75)],
    }
    before = len(carrier.log)
    assert ensure(session, KmsHostWish(publish_list=LIST)).plan.steps == []
    assert carrier.asked("Invoke:SetMultiStringValue") == 1
    # Check mode and the real run: service, products, list.
    assert len(carrier.log) - before == 6


def test_a_kms_host_is_restarted_once_for_everything_and_the_list_is_written_meanwhile(domain: FakeDomain) -> None:
    host = domain.add_kms_host()
    session, carrier = open_direct(host)
    before = started(host)
    made = ensure(session, KmsHostWish(settings={"listening_port": 1690, "low_priority": True}, publish_list=LIST))
    assert [step.attribute for step in made.plan.steps] == [
        "listening port",
        "low priority",
        "DnsDomainPublishList contoso.com",
        "DnsDomainPublishList west.contoso.com",
    ]
    orders = [entry.action for entry in carrier.log if "Service" in entry.resource or "MultiString" in entry.action]
    assert [action for action in orders if action.startswith("Invoke:S") and "KeyManagement" not in action] == [
        "Invoke:StopService",
        "Invoke:SetMultiStringValue",
        "Invoke:StartService",
    ]
    assert (made.restarted, started(host)) == (True, before + 1)
    assert host.running == RunningSettings(1690, True, tuple(LINES))


def test_vista_has_the_list_elsewhere(domain: FakeDomain) -> None:
    host = domain.add("srv-01", "server_2008_enterprise")
    ensure(open_direct(host)[0], KmsHostWish(publish_list=LIST))
    assert listed(host, SL) == LINES


@pytest.mark.parametrize(
    ("lines", "wish", "changed", "left"),
    [
        ([LINES[0]], LIST, ["DnsDomainPublishList west.contoso.com"], LINES),
        (LINES[::-1], LIST, ["order of DnsDomainPublishList"], LINES),
        ([*LINES, "x.net"], LIST, [], [*LINES, "x.net"]),
        ([*LINES, "x.net"], ListWish(LIST.lines, exact=True), ["DnsDomainPublishList x.net"], LINES),
        (["contoso.com", LINES[1]], LIST, ["DnsDomainPublishList contoso.com"], LINES),
        (LINES, EMPTY, ["DnsDomainPublishList contoso.com", "DnsDomainPublishList west.contoso.com"], None),
    ],
)
def test_a_drift_is_mended_as_exactly_that(
    domain: FakeDomain, lines: list[str], wish: ListWish, changed: list[str], left: list[str] | None
) -> None:
    host = domain.add_kms_host()
    write(host, lines)
    session, _carrier = open_direct(host)
    made = ensure(session, KmsHostWish(publish_list=wish))
    assert [step.attribute for step in made.plan.steps] == changed
    assert (listed(host), made.restarted) == (left, bool(changed))
    assert ensure(session, KmsHostWish(publish_list=wish)).plan.steps == []


@pytest.mark.parametrize(("wish", "left"), [(LIST, LINES), (EMPTY, None)])
def test_a_value_of_another_type_is_one_that_windows_does_not_read(domain: FakeDomain, wish: ListWish, left: list[str] | None) -> None:
    host = domain.add_kms_host()
    registry(host, "SetStringValue", SPP, "DnsDomainPublishList", sValue="KMS_E1, 10, 75")
    session, _carrier = open_direct(host)
    (first, *_others) = ensure(session, KmsHostWish(publish_list=wish)).plan.steps
    assert (first.attribute, first.before) == ("type of DnsDomainPublishList", "not REG_MULTI_SZ")
    assert listed(host) == left
    assert ensure(session, KmsHostWish(publish_list=wish)).plan.steps == []


def test_a_service_that_somebody_starts_in_between_is_restarted_once_more(domain: FakeDomain) -> None:
    host = domain.add_kms_host()
    session, carrier = open_direct(host)

    def demand(entry: Entry) -> None:
        if entry.action == "Invoke:SetMultiStringValue":
            service_row(host)

    carrier.intercept = demand
    KmsHostSetup(session, KmsHostWish(publish_list=LIST), check_mode=False).change()
    assert host.running is not None
    assert host.running.publish_list == tuple(LINES)
    assert carrier.asked("Invoke:StopService") == 2


@pytest.mark.parametrize("method", ["SetMultiStringValue", "StopService"])
def test_a_host_that_refuses_is_not_left_stopped_and_nothing_is_called_done(domain: FakeDomain, method: str) -> None:
    host = domain.add_kms_host()
    session, carrier = open_direct(host)

    def refuse(entry: Entry) -> None:
        if entry.action == f"Invoke:{method}":
            raise host._providers[CIMV2, "stdregprov"].error(0x80070005)

    carrier.intercept = refuse
    with pytest.raises(StepFailed) as failed:
        KmsHostSetup(session, KmsHostWish(publish_list=LIST), check_mode=False).change()
    assert (failed.value.done, len(failed.value.remaining)) == ([], 1)
    assert host.services.find("sppsvc").state == "Running"
    assert not listed(host)


@pytest.mark.tier("soak")
def test_killed_after_each_request_a_second_run_ends_with_the_list_in_use(domain: FakeDomain) -> None:
    wish = KmsHostWish(settings={"low_priority": True, "dns_publishing": True}, publish_list=LIST)
    left, finished = 0, False
    while not finished:
        domain.records.clear()
        domain.microsoft = Microsoft()
        host = domain.add_kms_host(f"kms-{left}", netbios_name="KMS_1")
        try:
            KmsHostSetup(mortal(host, left), wish, check_mode=False).change()
            finished = True
        except Killed:
            pass
        session, _carrier = open_direct(host)
        KmsHostSetup(session, wish, check_mode=False).change()
        assert host.running == RunningSettings.read(host.settings), left
        assert host.running.publish_list == tuple(LINES)
        again = KmsHostSetup(session, wish, check_mode=False)
        again.change()
        assert again.plan.steps == []
        host.stop()
        left += 1
    assert left > 10


def test_a_disjoint_host_publishes_itself_under_its_own_suffix(domain: FakeDomain) -> None:
    host = domain.add("kms-1", "server_2022_standard")
    session, carrier = open_direct(host)
    assert computer.read_fqdn(session) == "kms-1.contoso.com"
    assert len(carrier.log) == 1
    registry(host, "SetStringValue", r"SYSTEM\CurrentControlSet\Services\Tcpip\Parameters", "Domain", sValue="East.contoso.com")
    assert computer.read_fqdn(Session(carrier, "kms-1.east.contoso.com")) == "kms-1.east.contoso.com"


def values_of(domain: FakeDomain) -> Any:
    def read(fqdn: str, wanted: Mapping[str, object]) -> dict[str, tuple[SrvValue, ...]]:
        found = {
            name: [SrvValue(row.priority, row.weight, row.port, row.target) for row in domain.records.get(name, ())] for name in wanted
        }
        return {name: tuple(value for value in values if value.target == fqdn) for name, values in found.items()}

    return read


def publish(domain: FakeDomain, host: Host, wish: KmsHostWish, *wanted: WantedValue) -> PublishedHost:
    session, _carrier = open_direct(host)
    records = PublishedHost(session, Publication(wanted, None, "wait", 0.3, 1, values_of(domain)))
    KmsHostSetup(session, wish, check_mode=False, always_read=True).change(records.plan)
    return records


def test_old_values_are_reported_and_left(domain: FakeDomain) -> None:
    host = domain.add_kms_host()
    records = publish(domain, host, KmsHostWish(publish_list=LIST), WantedValue(DOMAIN, 10, 75), WantedValue(WEST, 90, 75))
    assert [(entry["published_by"], entry["old_values"]) for entry in records.shown] == [
        ("itself", [{"port": 1688, "priority": 0, "weight": 0}]),
        ("itself", []),
    ]
    assert len(domain.records[DOMAIN]) == 2


def test_a_list_that_was_written_without_a_restart_is_noticed_in_dns(domain: FakeDomain) -> None:
    host = domain.add_kms_host()
    write(host, LINES)
    records = publish(domain, host, KmsHostWish(publish_list=LIST), WantedValue(WEST, 90, 75))
    assert records.shown[0]["published_by"] == "restart"


def second_host(domain: FakeDomain, **options: Any) -> Host:
    """A host that the record's owner keeps out."""
    domain.add_kms_host("kms-1", netbios_name="KMS_1")
    return domain.add_kms_host("kms-2", netbios_name="KMS_2", **options)


def test_a_publication_that_failed_says_why_by_the_event_log(domain: FakeDomain) -> None:
    host = second_host(domain)
    with pytest.raises(StepFailed) as failed:
        publish(domain, host, KmsHostWish(), WantedValue(DOMAIN))
    said = str(failed.value.__cause__)
    assert "Its event log has the reason for contoso.com as event 12293: 0x80072338 (DNS_ERROR_RCODE_BADSIG): " in said


def log_of(session: Any, elapsed: float) -> publication_events.PublicationLog:
    return publication_events.PublicationLog(session, lambda: elapsed)


def test_what_lies_before_the_attempt_is_no_reason_and_success_is_told(domain: FakeDomain, monkeypatch: pytest.MonkeyPatch) -> None:
    host = second_host(domain)
    session, carrier = open_direct(host)
    monkeypatch.setattr(publication_events, "_MARGIN", publication_events.timedelta(0))
    assert "neither event 12293 nor 12294 for contoso.com" in log_of(session, -1).explain([DOMAIN])
    assert "SourceName='Microsoft-Windows-Security-SPP'" in carrier.log[-1].query
    first = open_direct(domain.hosts["kms-1.contoso.com"])[0]
    assert "did publish itself in contoso.com (event 12294)" in log_of(first, 60).explain([DOMAIN])


def test_an_event_log_that_is_slow_is_a_note_and_asked_once(domain: FakeDomain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publication_events, "_SECONDS", 1)
    session, carrier = open_direct(second_host(domain, event_query=3))
    assert log_of(session, 1).explain([DOMAIN]) == " Its event log, which has the reason as event 12293, did not answer within 1 seconds."
    assert carrier.asked("Enumerate", "Win32_NTLogEvent") == 1


@pytest.mark.parametrize(
    ("domains", "options", "waited", "reads"),
    [
        ([DOMAIN], {}, False, 1),
        # Of the other one the log says nothing, or that it went well: DNS may yet show it.
        ([DOMAIN, WEST], {}, True, 2),
        ([DOMAIN], {"event_query": 3}, True, 2),
    ],
)
def test_nobody_waits_for_a_publication_of_which_the_log_says_that_it_was_refused(
    domain: FakeDomain, monkeypatch: pytest.MonkeyPatch, domains: list[str], options: dict[str, Any], waited: bool, reads: int
) -> None:
    monkeypatch.setattr(publication_events, "_SECONDS", 1)
    monkeypatch.setattr(publication, "LOOK_INTO_LOG", 0.2)
    session, carrier = open_direct(second_host(domain, **options))
    patience = 1.5
    records = PublishedHost(
        session, Publication(tuple(map(WantedValue, domains)), None, "wait", patience, 1, lambda fqdn, judges: dict.fromkeys(judges, ()))
    )
    host = KmsHostSetup(session, KmsHostWish(publish_list=LIST if WEST in domains else None), check_mode=False, always_read=True)
    begun = time.monotonic()
    with pytest.raises(StepFailed, match="SRV"):
        host.change(records.plan)
    assert (time.monotonic() - begun > patience) is waited
    assert carrier.asked("Enumerate", "Win32_NTLogEvent") == reads
