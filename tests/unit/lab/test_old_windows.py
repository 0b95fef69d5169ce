# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection on simulated machines of every age: columns that some lack, rules without a class, programs that may not run."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import error_catalogue
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.lab.product_session import open_direct, port_probe
from unit.lab.windows_fakes import FakeDomain, activate, base, create_process, install

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_client.setup import KmsClient
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_client.state import KmsClientWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.setup import KmsHostSetup
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.state import KmsHostWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform import classes, computer, firewall, versions
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.spp import licensing, version_values
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.spp.license_info import read_license
from lab.windows import data
from lab.windows.host import Host

pytestmark = pytest.mark.tier("test")

OLD = [name for name, profile in data.profiles().items() if profile.version.startswith("6.")]
R2 = "server_2008r2_enterprise"
CSVLK = data.key_named("csvlk_2008r2_b").key
COMMAND = 'netsh.exe advfirewall firewall set rule group="@FirewallAPI.dll,-28002" new enable=yes'

UNASKED, NO_GROUP, STILL_OFF = "netsh is needed and not allowed by the user", "a rule that netsh cannot name", "netsh runs without effect"
NOT_SWITCHED, NO_PURGE = "the class of the firewall refuses", "the host forbids processes, and tickets are to be purged"
FORBIDDEN = {
    "2": "the host forbids processes with access denied",
    "3": "the host forbids processes with insufficient privilege",
    "8": "the host forbids processes with an unknown failure",
    "9": "the host forbids processes with a path not found",
    "0x80338106": "the host forbids processes by a fault",
}
"""By the code that the host answers with."""
WRITTEN = error_catalogue.paired(
    "The firewall and programs of Windows", [UNASKED, NO_GROUP, STILL_OFF, NOT_SWITCHED, *FORBIDDEN.values(), NO_PURGE]
)


def check(case: str, error: BaseException | None, **known: object) -> None:
    """The error is that of the case."""
    assert isinstance(error, ActivationError)
    assert error_catalogue.shown(error) == error_catalogue.expected(WRITTEN[case], error, **known)


def kms_rules(host: Host) -> dict[str, bool]:
    return {name: rule.enabled for name, rule in host.firewall.rules.items() if name.startswith("SPPSVC")}


@pytest.mark.parametrize("profile", data.volume_profiles())
def test_the_license_of_every_windows_is_read_in_three_queries(domain: FakeDomain, profile: str) -> None:
    session, carrier = open_direct(domain.add("pc-001", profile))
    found = read_license(session)
    assert found["windows"]["channel"] == "gvlk"
    assert found["service"]["version"] == data.profiles()[profile].spp_version
    assert (found["service"]["host_caching"] is None) == data.profiles()[profile].is_vista_era
    assert [entry.action for entry in carrier.log] == ["Enumerate"] * 3


@pytest.mark.parametrize("profile", OLD)
def test_a_column_too_many_makes_the_whole_query_fail(domain: FakeDomain, profile: str) -> None:
    session, _carrier = open_direct(domain.add("pc-001", profile))
    for cim_class in (classes.SOFTWARE_LICENSING_SERVICE, classes.SOFTWARE_LICENSING_PRODUCT):
        with pytest.raises(ActivationError):
            session.query(cim_class, list(cim_class.properties))


@pytest.mark.parametrize(
    ("text", "version"),
    [("6.0.6002.18005", (6, 0)), ("6.1.7601", (6, 1)), ("10.0.26100.1", (10, 0)), ("6.3", (6, 3)), ("", (99, 0)), ("x.y", (99, 0))],
)
def test_a_version_is_read_from_its_first_two_numbers(text: str, version: tuple[int, int]) -> None:
    assert versions.parse_version(text) == version


def test_each_row_of_the_versions_is_about_a_column_in_use_and_has_a_source() -> None:
    known = {cim_class.name: cim_class.properties for cim_class in vars(classes).values() if isinstance(cim_class, classes.CimClass)}
    for name, columns in versions.SINCE.items():
        assert set(columns) <= set(known[name])
        assert all(since.source and versions.VISTA < since.version <= versions.WINDOWS_8 for since in columns.values())


@pytest.mark.parametrize("profile", ["windows_7_enterprise", "windows_vista_enterprise", "server_2008_enterprise", R2])
def test_an_old_client_is_counted_and_then_licensed(domain: FakeDomain, profile: str) -> None:
    host = domain.add("kms-1", R2, role="kms")
    install(host, CSVLK)
    create_process(host, COMMAND)
    activate(host)
    session, _carrier = open_direct(domain.add("pc-100", profile))
    client = KmsClient(session, KmsClientWish(discover=True, activate=True), check_mode=False)
    client.change()
    needed = 25 if profile.startswith("windows") else 5
    assert (client.activation["state"], client.activation["required_count"]) == ("counted", needed)
    for number in range(needed - 1):
        host.licensing.counter.register(f"cmid-{number}", 25, 2, domain.clock.now())
    client = KmsClient(session, KmsClientWish(discover=True, activate=True), check_mode=False)
    client.change()
    assert client.activation == {**client.activation, "state": "licensed", "kms_host": "kms-1.contoso.com", "kms_port": 1688}


@pytest.mark.parametrize(("profile", "name"), [("server_2008_enterprise", "SL"), (R2, "SoftwareProtectionPlatform")])
def test_the_platform_has_its_key_where_this_windows_keeps_it(domain: FakeDomain, profile: str, name: str) -> None:
    host = domain.add("srv-01", profile)
    session, _carrier = open_direct(host)
    version = licensing.version_of(licensing.read_service(session))
    values = version_values.read(session, version)
    assert [key.rpartition("\\")[2] for key in values] == [name, name]
    assert all(host.registry.find(key) is not None for key in values)


@pytest.mark.parametrize("language", ["en-US", "de-DE"])
@pytest.mark.parametrize("variant", ["any", "split"])
def test_the_firewall_of_an_old_host_is_opened_by_netsh_and_read_back(domain: FakeDomain, variant: str, language: str) -> None:
    # netsh has its effect later than the call that starts it is answered.
    host = domain.add("kms-1", R2, firewall_variant=variant, language=language, program=0.3)
    session, carrier = open_direct(host)
    wish = KmsHostWish(firewall=True, netsh=True)
    planned = KmsHostSetup(session, wish, check_mode=True)
    planned.change()
    assert set(kms_rules(host).values()) == {False}
    real = KmsHostSetup(session, wish, check_mode=False, probe=port_probe(host))
    real.change()
    assert real.plan.steps == planned.plan.steps
    assert {step.attribute for step in real.plan.steps} == {f"firewall rule {name}" for name in kms_rules(host)}
    assert set(kms_rules(host).values()) == {True}
    assert host.processes.started == [COMMAND]
    before = len(carrier.log)
    again = KmsHostSetup(session, wish, check_mode=False)
    again.change()
    assert again.plan.steps == []
    # The rule's class is tried, the version asked, and each rule read.
    assert len(carrier.log) - before <= 4


def test_one_rule_of_two_that_is_off_is_one_step(domain: FakeDomain) -> None:
    host = domain.add("kms-1", R2, firewall_variant="split")
    host.firewall.set_enabled("SPPSVC-In-TCP", True)
    session, _carrier = open_direct(host)
    real = KmsHostSetup(session, KmsHostWish(firewall=True, netsh=True), check_mode=False)
    real.change()
    assert [step.attribute for step in real.plan.steps] == ["firewall rule SPPSVC-In-TCP-NoScope"]
    assert set(kms_rules(host).values()) == {True}


@pytest.mark.parametrize("check_mode", [False, True])
def test_without_leave_to_start_netsh_the_error_names_the_other_ways(domain: FakeDomain, check_mode: bool) -> None:
    host = domain.add("kms-1", R2)
    session, _carrier = open_direct(host)
    with pytest.raises(ActivationError) as caught:
        KmsHostSetup(session, KmsHostWish(firewall=True), check_mode).change()
    check(UNASKED, caught.value)
    assert set(kms_rules(host).values()) == {False}
    create_process(host, COMMAND)
    KmsHostSetup(session, KmsHostWish(firewall=True), check_mode).change()


def test_a_host_that_forbids_programs_is_left_as_it_is_and_the_error_says_why_and_what_else(domain: FakeDomain) -> None:
    seen = set()
    for seed in range(14):
        host = domain.add(f"kms-{seed}", R2, seed=seed, blocks_process_creation=True)
        session, _carrier = open_direct(host)
        before = host.snapshot_state()
        with pytest.raises(StepFailed) as failed:
            KmsHostSetup(session, KmsHostWish(firewall=True, netsh=True), check_mode=False).change()
        code = failed.value.__cause__.shown_code
        check(FORBIDDEN[code], failed.value.__cause__, host=host.hostname)
        with pytest.raises(ActivationError) as caught:
            computer.purge_tickets(session)
        assert caught.value.message.endswith("use ticket: reboot or ticket: wait instead.")
        if code == "2":
            check(NO_PURGE, caught.value, host=host.hostname)
        assert host.snapshot_state() == before
        seen.add(code)
    assert seen == set(FORBIDDEN)


def test_a_purge_returns_when_klist_has_ended(domain: FakeDomain) -> None:
    host = domain.add("kms-1", R2, role="kms", program=0.4)
    session, carrier = open_direct(host)
    computer.purge_tickets(session)
    assert host.publication._purge_asked
    assert carrier.asked("Get", "Win32_Process") > 1


def test_a_rule_that_is_on_but_opens_nothing_is_a_warning(domain: FakeDomain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.listening._SECONDS", 0.1)
    host = domain.add("kms-1", R2, role="kms", local_firewall_rules=False)
    install(host, CSVLK)
    activate(host)
    session, _carrier = open_direct(host)
    real = KmsHostSetup(session, KmsHostWish(firewall=True, netsh=True), check_mode=False, probe=port_probe(host))
    real.change()
    (warning,) = real.warnings
    assert "TCP port 1688 does not answer the control node" in warning


def test_netsh_that_runs_without_effect_is_an_error_that_names_the_command(domain: FakeDomain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firewall, "_NETSH_SECONDS", 0.1)
    host = domain.add("kms-1", R2, program=60)
    session, _carrier = open_direct(host)
    with pytest.raises(StepFailed) as failed:
        KmsHostSetup(session, KmsHostWish(firewall=True, netsh=True), check_mode=False).change()
    check(STILL_OFF, failed.value.__cause__)


def test_a_rule_that_its_class_does_not_switch_is_an_error() -> None:
    session = SimpleNamespace(host="kms-1", invoke=lambda *_arguments, **_options: {"ReturnValue": 0x80070005})
    with pytest.raises(ActivationError) as caught:
        firewall.switch_rule(session, firewall.FirewallRule("SPPSVC-In-TCP", False, 0), on=True)
    check(NOT_SWITCHED, caught.value)


def test_the_inspection_of_an_old_host_finds_its_rule_in_the_registry(domain: FakeDomain) -> None:
    session, _carrier = open_direct(domain.add("srv-01", R2))
    assert "SPPSVC-In-TCP" in firewall.read_kms_rules(session)


_FIELD = st.text(st.characters(codec="utf-8", exclude_characters="|=", exclude_categories=("Cs", "Cc")), max_size=20)


@given(
    st.booleans(),
    st.lists(st.sampled_from(["Domain", "Private", "Public"]), unique=True),
    st.lists(st.integers(0, 65535).map(str), max_size=3),
    st.lists(st.tuples(_FIELD.map(lambda name: f"X{name}"), _FIELD), max_size=5),
)
def test_a_rule_reads_back_whatever_else_stands_in_its_text(
    on: bool, profiles: list[str], ports: list[str], others: list[tuple[str, str]]
) -> None:
    fields = [("Action", "Allow"), ("Active", str(on).upper()), *(("Profile", name) for name in profiles)]
    fields += [*others, *(("LPort", port) for port in ports), ("EmbedCtxt", "@FirewallAPI.dll,-28002")]
    rule = firewall.parse_rule("R", "v2.10|" + "".join(f"{name}={value}|" for name, value in fields))
    bits = sum({"Domain": 1, "Private": 2, "Public": 4}[name] for name in profiles)
    assert rule == firewall.FirewallRule("R", on, bits, tuple(ports), "@FirewallAPI.dll,-28002", True)
    assert firewall.netsh_command("x", rule) == COMMAND


@pytest.mark.parametrize("text", ["", "v2.10|Active=TRUE|", 'v2.10|Active=FALSE|EmbedCtxt=a"b|'])
def test_a_rule_without_a_group_that_netsh_takes_is_refused(text: str) -> None:
    with pytest.raises(ActivationError) as caught:
        firewall.netsh_command("kms-1.contoso.com", firewall.parse_rule("R", text))
    check(NO_GROUP, caught.value)


def test_everything_in_the_classes_is_used() -> None:
    folder = Path(classes.__file__).parents[1]
    text = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py") if path.name not in ("classes.py", "versions.py"))
    for cim_class in (entry for entry in vars(classes).values() if isinstance(entry, classes.CimClass)):
        for name in (*cim_class.properties, *cim_class.methods):
            assert re.search(rf'"{name}"', text), f"{cim_class.name}.{name}"


def test_an_activation_needs_no_further_look_at_the_products(domain: FakeDomain) -> None:
    host = domain.add("kms-1", "server_2022_standard")
    session, carrier = open_direct(host)
    key = data.key_named("csvlk_2022").key
    KmsHostSetup(session, KmsHostWish(product_key=key, activate=True), check_mode=False).change()
    assert base(host)["LicenseStatus"] == 1
    # Before, after the key, after the activation, and at last.
    assert carrier.asked("Enumerate", "SoftwareLicensingProduct") == 4
    install(host, data.key_named("csvlk_2022_second").key)
    before = carrier.asked("Enumerate", "SoftwareLicensingProduct")
    KmsHostSetup(session, KmsHostWish(activate=True), check_mode=False).change()
    assert base(host)["LicenseStatus"] == 1
    assert carrier.asked("Enumerate", "SoftwareLicensingProduct") - before == 3
