# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a KMS host publishes itself, and how it is undone, on simulated machines: one write, one restart, and any request the last one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from unit.lab.product_session import DirectCarrier, open_direct, port_probe
from unit.lab.windows_fakes import CIMV2, DOMAIN, FakeDomain, base, create_process, install, registry, service, service_row

from ansible_collections.winops.volume_activation.plugins.plugin_utils._errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing.publish_list import ListWish, PublishLine
from ansible_collections.winops.volume_activation.plugins.plugin_utils._plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._srv_value import SrvValue
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows import computer, publication_events
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host import KmsHost
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host_removal import KmsHostRemoval, RecordSeen, Removal
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host_state import Wish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.publication import Publication, PublishedHost, Wanted
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session
from lab.windows import data
from lab.windows.host import Host
from lab.windows.microsoft import Microsoft
from lab.windows.ports import SrvRecord, SystemClock
from lab.windows.publishing import RunningSettings
from lab.wsman.request_log import Entry

SPP = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform"
SL = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SL"
WEST = "west.contoso.com"
LIST = ListWish((PublishLine(DOMAIN, 10, 75), PublishLine(WEST, 90, 75)))
LINES = ["contoso.com, 10, 75", "west.contoso.com, 90, 75"]
EMPTY = ListWish((), exact=True)
KEY = data.key_named("csvlk_2022").key
OTHER = RecordSeen("_vlmcs._tcp.contoso.com", (), ("kms-2.contoso.com:1688",))


@pytest.fixture
def domain() -> Iterator[FakeDomain]:
    """Hosts whose time really passes."""
    made = FakeDomain()
    made.clock = SystemClock()  # type: ignore[assignment]  # time is not moved by hand here
    yield made
    made.close()


def listed(host: Host, key: str = SPP) -> Any:
    return registry(host, "GetMultiStringValue", key, "DnsDomainPublishList").get("sValue")


def write(host: Host, lines: list[str], key: str = SPP) -> None:
    registry(host, "SetMultiStringValue", key, "DnsDomainPublishList", sValue=lines)


def ensure(session: Session, wish: Wish, **more: Any) -> KmsHost:
    """Plan, then do, and see that both are the same."""
    planned = KmsHost(session, wish, check_mode=True, **more)
    planned.change()
    made = KmsHost(session, wish, check_mode=False, **more)
    made.change()
    assert made.plan.steps == planned.plan.steps
    return made


def started(host: Host) -> int:
    return sum(event.code == 902 for event in host.events.events())


def test_a_host_to_be_has_its_list_before_its_first_publication(domain: FakeDomain) -> None:
    host = domain.add("kms-1", "server_2022_standard", role="kms")
    session, carrier = open_direct(host)
    made = ensure(session, Wish(product_key=KEY, activate=True, publish_list=LIST))
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
    assert ensure(session, Wish(publish_list=LIST)).plan.steps == []
    assert carrier.asked("Invoke:SetMultiStringValue") == 1
    # Check mode and the real run: service, products, list.
    assert len(carrier.log) - before == 6


def test_a_kms_host_is_restarted_once_for_everything_and_the_list_is_written_meanwhile(domain: FakeDomain) -> None:
    host = domain.add_kms_host()
    session, carrier = open_direct(host)
    before = started(host)
    made = ensure(session, Wish(settings={"listening_port": 1690, "low_priority": True}, publish_list=LIST))
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
    ensure(open_direct(host)[0], Wish(publish_list=LIST))
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
    made = ensure(session, Wish(publish_list=wish))
    assert [step.attribute for step in made.plan.steps] == changed
    assert (listed(host), made.restarted) == (left, bool(changed))
    assert ensure(session, Wish(publish_list=wish)).plan.steps == []


@pytest.mark.parametrize(("wish", "left"), [(LIST, LINES), (EMPTY, None)])
def test_a_value_of_another_type_is_one_that_windows_does_not_read(domain: FakeDomain, wish: ListWish, left: list[str] | None) -> None:
    host = domain.add_kms_host()
    registry(host, "SetStringValue", SPP, "DnsDomainPublishList", sValue="KMS_E1, 10, 75")
    session, _carrier = open_direct(host)
    (first, *_others) = ensure(session, Wish(publish_list=wish)).plan.steps
    assert (first.attribute, first.before) == ("type of DnsDomainPublishList", "not REG_MULTI_SZ")
    assert listed(host) == left
    assert ensure(session, Wish(publish_list=wish)).plan.steps == []


def test_a_service_that_somebody_starts_in_between_is_restarted_once_more(domain: FakeDomain) -> None:
    host = domain.add_kms_host()
    session, carrier = open_direct(host)

    def demand(entry: Entry) -> None:
        if entry.action == "Invoke:SetMultiStringValue":
            service_row(host)

    carrier.intercept = demand
    KmsHost(session, Wish(publish_list=LIST), check_mode=False).change()
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
        KmsHost(session, Wish(publish_list=LIST), check_mode=False).change()
    assert (failed.value.done, len(failed.value.remaining)) == ([], 1)
    assert host.services.find("sppsvc").state == "Running"
    assert not listed(host)


class Killed(BaseException):
    """The run is over."""


class Mortal(DirectCarrier):
    """A carrier that hands over so many messages, and no more."""

    left = 10**9

    def send(self, message: bytes) -> bytes:
        if not self.left:
            raise Killed
        self.left -= 1
        return super().send(message)


def mortal(host: Host, left: int) -> Session:
    carrier = Mortal(host)
    carrier.left = left
    return Session(carrier, host.hostname)


def test_killed_after_each_request_a_second_run_ends_with_the_list_in_use(domain: FakeDomain) -> None:
    wish = Wish(settings={"low_priority": True, "dns_publishing": True}, publish_list=LIST)
    left, finished = 0, False
    while not finished:
        domain.records.clear()
        domain.microsoft = Microsoft()
        host = domain.add_kms_host(f"kms-{left}", netbios_name="KMS_1")
        try:
            KmsHost(mortal(host, left), wish, check_mode=False).change()
            finished = True
        except Killed:
            pass
        session, _carrier = open_direct(host)
        KmsHost(session, wish, check_mode=False).change()
        assert host.running == RunningSettings.read(host.settings), left
        assert host.running.publish_list == tuple(LINES)
        again = KmsHost(session, wish, check_mode=False)
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


def publish(domain: FakeDomain, host: Host, wish: Wish, *wanted: Wanted) -> PublishedHost:
    session, _carrier = open_direct(host)
    records = PublishedHost(session, Publication(wanted, None, "wait", 0.3, 1, values_of(domain)))
    KmsHost(session, wish, check_mode=False, always_read=True).change(records.plan)
    return records


def test_old_values_are_reported_and_left(domain: FakeDomain) -> None:
    host = domain.add_kms_host()
    records = publish(domain, host, Wish(publish_list=LIST), Wanted(DOMAIN, 10, 75), Wanted(WEST, 90, 75))
    assert [(entry["published_by"], entry["old_values"]) for entry in records.shown] == [
        ("itself", [{"port": 1688, "priority": 0, "weight": 0}]),
        ("itself", []),
    ]
    assert len(domain.records[DOMAIN]) == 2


def test_a_list_that_was_written_without_a_restart_is_noticed_in_dns(domain: FakeDomain) -> None:
    host = domain.add_kms_host()
    write(host, LINES)
    records = publish(domain, host, Wish(publish_list=LIST), Wanted(WEST, 90, 75))
    assert records.shown[0]["published_by"] == "restart"


def second_host(domain: FakeDomain, **options: Any) -> Host:
    """A host that the record's owner keeps out."""
    domain.add_kms_host("kms-1", netbios_name="KMS_1")
    return domain.add_kms_host("kms-2", netbios_name="KMS_2", **options)


def test_a_publication_that_failed_says_why_by_the_event_log(domain: FakeDomain) -> None:
    host = second_host(domain)
    with pytest.raises(StepFailed) as failed:
        publish(domain, host, Wish(), Wanted(DOMAIN))
    said = str(failed.value.__cause__)
    assert "Its event log has the reason for contoso.com as event 12293: 0x80072338 (DNS_ERROR_RCODE_BADSIG): " in said


def test_what_lies_before_the_attempt_is_no_reason_and_success_is_told(domain: FakeDomain, monkeypatch: pytest.MonkeyPatch) -> None:
    host = second_host(domain)
    session, carrier = open_direct(host)
    monkeypatch.setattr(publication_events, "_MARGIN", publication_events.timedelta(0))
    assert "neither event 12293 nor 12294 for contoso.com" in publication_events.explain(session, [DOMAIN], -1)
    assert "SourceName='Microsoft-Windows-Security-SPP'" in carrier.log[-1].query
    first = open_direct(domain.hosts["kms-1.contoso.com"])[0]
    assert "did publish itself in contoso.com (event 12294)" in publication_events.explain(first, [DOMAIN], 60)


def test_an_event_log_that_is_slow_is_a_note_and_asked_once(domain: FakeDomain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publication_events, "_SECONDS", 1)
    session, carrier = open_direct(second_host(domain, event_query=3))
    assert publication_events.explain(session, [DOMAIN], 1) == (
        " Its event log, which has the reason as event 12293, did not answer within 1 seconds."
    )
    assert carrier.asked("Enumerate", "Win32_NTLogEvent") == 1


def remove(
    session: Session, host: Host, *seen: RecordSeen, wish: Wish | None = None, check_mode: bool = False, **options: Any
) -> KmsHostRemoval:
    wish = wish or Wish(publish_list=EMPTY, firewall=True, netsh=True, absent=True)
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
    write(host, LINES)
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
    after = Wish(publish_list=EMPTY, absent=True, after_step="SRV")
    assert remove(session, host, seen, wish=after, check_mode=True).plan.steps


def test_the_last_host_goes_when_that_is_said(domain: FakeDomain) -> None:
    host = grown(domain)
    assert remove(open_direct(host)[0], host, RecordSeen(OTHER.record, (), ()), last_host=True).plan.steps
    assert traces(host) == CLEAN


def test_another_csvlk_instead_is_refused_and_a_given_key_taken(domain: FakeDomain) -> None:
    host = grown(domain)
    session, _carrier = open_direct(host)
    second = Wish(product_key=data.key_named("csvlk_2022_second").key, publish_list=EMPTY, absent=True)
    with pytest.raises(StepFailed, match="product key") as failed:
        remove(session, host, wish=second)
    assert "it is a KMS host key (CSVLK) itself" in str(failed.value.__cause__)
    mak = data.key_named("mak_2022_standard") if "mak_2022_standard" in {key.name for key in data.keys().values()} else None
    wanted = mak.key if mak else data.setup_key_of(host.spec.windows)
    remove(session, host, wish=Wish(product_key=wanted, publish_list=EMPTY, absent=True))
    assert base(host)["PartialProductKey"] == wanted[-5:]


def test_a_computer_that_was_never_a_kms_host_needs_nothing_and_no_dns(domain: FakeDomain) -> None:
    host = domain.add("srv-01", "server_2022_standard")

    def look(_fqdn: str) -> list[RecordSeen]:
        raise AssertionError

    wish = Wish(publish_list=EMPTY, firewall=True, absent=True)
    gone = KmsHostRemoval(open_direct(host)[0], wish, Removal(look), check_mode=False)
    gone.change()
    assert gone.plan.steps == []


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
