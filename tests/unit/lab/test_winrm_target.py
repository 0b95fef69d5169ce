# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a host within reach: found, mended as exactly what is missing, and told where the account may not."""

from __future__ import annotations

from typing import Any

import error_catalogue
import pytest
from unit.lab.product_session import DirectCarrier, open_direct
from unit.lab.windows_fakes import FakeDomain, open_firewall

from ansible_collections.winops.volume_activation.plugins.action import license_info
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.remoting.targets import (
    POLICY_KEY,
    POLICY_VALUE,
    RemotingTarget,
    TargetWish,
)
from lab.windows.firewall import RULES_KEY
from lab.windows.host import Host
from lab.wsman.backend import WBEM_E_ACCESS_DENIED, WmiError
from lab.wsman.request_log import Entry

pytestmark = pytest.mark.tier("test")

WINRM_RULE = "WINRM-HTTP-In-TCP"
# The second three are those of the domain profile.
WMI_RULES = [f"WMI-{part}-In-TCP{scope}" for scope in ("", "-NoScope") for part in ("RPCSS", "WINMGMT", "ASYNC")]


def run(host: Host, check_mode: bool = False, denied: str = "", endpoint: str = "", **wish: Any) -> tuple[RemotingTarget, DirectCarrier]:
    """Look at a host and mend it; messages whose action begins with C(denied) are refused to the account."""
    session, carrier = open_direct(host)
    carrier.endpoint = endpoint or carrier.endpoint

    def intercept(entry: Entry) -> None:
        if denied and entry.action.startswith(denied):
            raise WmiError(WBEM_E_ACCESS_DENIED, "Zugriff verweigert", "wbem")

    carrier.intercept = intercept
    target = RemotingTarget(session, TargetWish(**wish))
    target.change(check_mode)
    return target, carrier


def met(target: RemotingTarget) -> dict[str, bool | None]:
    return {need.name: need.met for need in target.needs}


def changes(target: RemotingTarget) -> list[tuple[str, Any, Any]]:
    return [(step.attribute, step.before, step.after) for step in target.steps]


def state(host: Host) -> tuple[str, bool, list[bool], Any]:
    """The same past its WMI."""
    rules = host.firewall.rules
    return (
        host.services.find("WinRM").start_mode,
        rules[WINRM_RULE].enabled,
        [rules[name].enabled for name in WMI_RULES],
        host.registry.data(POLICY_KEY, POLICY_VALUE),
    )


@pytest.fixture
def host(domain: FakeDomain) -> Host:
    return domain.add("pc-001", "windows_11_enterprise")


def test_a_host_that_lacks_nothing_is_left_as_it_is(host: Host):
    before = state(host)
    target, carrier = run(host)
    assert met(target) == {"winrm_service": True, "winrm_rule": True}
    assert target.steps == [] and state(host) == before
    # Nothing is asked for that was not wanted, and nothing is read twice.
    assert not carrier.asked("Invoke:GetDWORDValue") and len(carrier.log) == 3


def test_drift_is_predicted_mended_as_exactly_that_and_then_gone(host: Host):
    host.services.change_start_mode("WinRM", "Manual")
    open_firewall(host, WINRM_RULE, "Disable")
    due = [("start mode of the service WinRM", "Manual", "Auto"), (f"firewall rule {WINRM_RULE}", "off", "on")]
    before = state(host)
    planned, _carrier = run(host, check_mode=True, winrm_rule=True)
    assert changes(planned) == due and met(planned) == {"winrm_service": False, "winrm_rule": False}
    assert state(host) == before
    mended, _carrier = run(host, winrm_rule=True)
    assert changes(mended) == due and met(mended) == {"winrm_service": True, "winrm_rule": True}
    assert state(host) == ("Auto", True, [False] * 6, None)
    again, _carrier = run(host, winrm_rule=True)
    assert again.steps == []


def test_a_rule_that_is_off_is_left_alone_where_another_lets_the_connection_in(host: Host):
    open_firewall(host, WINRM_RULE, "Disable")
    target, _carrier = run(host)
    assert met(target) == {"winrm_service": True, "winrm_rule": None} and target.steps == []
    assert said(target)["winrm_rule"] == error_catalogue.said(WRITTEN[OTHER_RULE])
    assert not state(host)[1]


@pytest.mark.parametrize(("rule", "wrong"), [(None, {"winrm_service"}), (True, {"winrm_service", "winrm_rule"})])
def test_license_info_looks_at_the_same_in_its_own_session(host: Host, rule: bool | None, wrong: set[str]):
    host.services.change_start_mode("WinRM", "Manual")
    open_firewall(host, WINRM_RULE, "Disable")
    before, (session, _carrier) = state(host), open_direct(host)
    options = {"detail": "summary", "query": None, "remoting": {"winrm_rule": rule}}
    outcome = license_info.ActionModule.execute_on_host(None, session, options, False)
    looked, _carrier = run(host, check_mode=True, winrm_rule=rule)
    assert outcome.result["requirements"] == [need.as_result() for need in looked.needs]
    assert {need["name"] for need in outcome.result["requirements"] if need["met"] is False} == wrong
    assert (outcome.steps, state(host)) == ([], before)
    brief = license_info.ActionModule.execute_on_host(None, session, {**options, "detail": "brief"}, False).result
    assert brief["requirements"] == [need for need in outcome.result["requirements"] if need["met"] is False]
    assert brief["windows"] == {name: outcome.result["windows"][name] for name in ("activation_id", "channel", "partial_key", "status")}
    assert brief.keys() == {"windows", "requirements"}
    options["remoting"] = None
    assert "requirements" not in license_info.ActionModule.execute_on_host(None, session, options, False).result


def test_a_rule_is_switched_off_where_that_is_wanted(host: Host):
    target, _carrier = run(host, winrm_rule=False, winrm_service=False)
    assert changes(target) == [(f"firewall rule {WINRM_RULE}", "on", "off")] and met(target) == {"winrm_rule": True}
    assert not state(host)[1]


@pytest.mark.parametrize("on", [True, False])
def test_local_accounts_and_the_exception_for_vamt_both_ways(host: Host, on: bool):
    run(host, local_accounts=not on, wmi_exception=not on)
    target, _carrier = run(host, local_accounts=on, wmi_exception=on)
    assert met(target)["local_accounts"] is met(target)["wmi_rules"] is True
    assert state(host)[2:] == ([on] * 6, int(on))
    if on:
        word = {True: "on", False: "off"}
        assert changes(target) == [(POLICY_VALUE, None, 1), *((f"firewall rule {name}", word[not on], word[on]) for name in WMI_RULES)]
    again, _carrier = run(host, local_accounts=on, wmi_exception=on)
    assert again.steps == []


def test_what_is_not_set_is_off_already(host: Host):
    target, _carrier = run(host, local_accounts=False, wmi_exception=False)
    assert target.steps == [] and met(target)["local_accounts"] is met(target)["wmi_rules"] is True


MANUAL, RULE_OFF, FILTERED, KEPT, WMI_OFF = (
    "a service WinRM that does not start with Windows",
    "a firewall rule of WinRM that is off",
    "local accounts without rights over the network",
    "local accounts with rights over the network that are not wanted",
    "the firewall exception for VAMT is missing",
)
DENIED, OLD, OTHER_PORT, NO_RULE, OTHER_RULE = (
    "a service that the account may not change",
    "a firewall rule of an old Windows",
    "a connection by another port",
    "a Windows without the firewall rule",
    "a firewall rule that is off while another lets the connection in",
)
WRITTEN = error_catalogue.paired("Within reach", [MANUAL, RULE_OFF, FILTERED, KEPT, WMI_OFF, DENIED, OLD, OTHER_PORT, NO_RULE, OTHER_RULE])


def said(target: RemotingTarget) -> dict[str, str]:
    return {need.name: need.detail for need in target.needs}


def test_each_thing_that_is_missing_is_told_in_a_sentence(host: Host):
    host.services.change_start_mode("WinRM", "Manual")
    open_firewall(host, WINRM_RULE, "Disable")
    target, _carrier = run(host, check_mode=True, winrm_rule=True, local_accounts=True, wmi_exception=True)
    cases = {"winrm_service": MANUAL, "winrm_rule": RULE_OFF, "local_accounts": FILTERED, "wmi_rules": WMI_OFF}
    assert said(target) == {name: error_catalogue.said(WRITTEN[case]) for name, case in cases.items()}
    run(host, local_accounts=True)
    target, _carrier = run(host, check_mode=True, local_accounts=False)
    assert said(target)["local_accounts"] == error_catalogue.said(WRITTEN[KEPT])


def test_a_right_that_is_lacking_hides_nothing_else(host: Host):
    host.services.change_start_mode("WinRM", "Manual")
    open_firewall(host, WINRM_RULE, "Disable")
    target, _carrier = run(host, denied="Invoke:ChangeStartMode", winrm_rule=True)
    assert changes(target) == [(f"firewall rule {WINRM_RULE}", "off", "on")]
    assert met(target) == {"winrm_service": False, "winrm_rule": True}
    sentence = said(target)["winrm_service"]
    refusal = sentence.partition("from here: ")[2].removesuffix(".")
    assert sentence == error_catalogue.said(WRITTEN[DENIED], refusal=refusal)
    assert "Win32_Service.ChangeStartMode failed" in refusal and "denied" in refusal
    assert state(host)[:2] == ("Manual", True)


def test_what_may_not_be_read_is_not_known(host: Host):
    target, _carrier = run(host, denied="Get")
    assert met(target) == {"winrm_service": None, "winrm_rule": None}
    assert all("ACCESS_DENIED" in sentence for sentence in said(target).values()) and target.steps == []


def test_the_rule_is_not_looked_at_where_another_port_is_used(host: Host):
    target, carrier = run(host, endpoint="https://pc-001.contoso.com:5986/wsman")
    assert met(target) == {"winrm_service": True, "winrm_rule": None}
    assert said(target)["winrm_rule"] == error_catalogue.said(WRITTEN[OTHER_PORT])
    assert not carrier.asked("Get", "MSFT_NetFirewallRule")


OLD_HOSTS = ("windows_7_enterprise", "windows_vista_enterprise")


@pytest.fixture(params=OLD_HOSTS)
def old_host(domain: FakeDomain, request: pytest.FixtureRequest) -> Host:
    """A host whose rules are in the registry, and switched by netsh."""
    host = domain.add("pc-001", request.param)
    host.firewall.set_enabled(WINRM_RULE, False)
    return host


def active(host: Host) -> dict[str, bool]:
    """The rules for WinRM and WMI past WMI, as the registry has them."""
    found = {name: host.registry.data(RULES_KEY, name) for name in host.firewall.rules if name.startswith("W")}
    return {name: "|Active=TRUE|" in text for name, text in found.items()}


def test_an_old_windows_has_its_rules_in_the_registry_and_starts_no_program_unless_that_is_allowed(old_host: Host):
    before = active(old_host)
    assert {WINRM_RULE, *WMI_RULES[:3]} <= before.keys() and not any(before.values())
    planned, _carrier = run(old_host, check_mode=True, winrm_rule=True, wmi_exception=True)
    target, carrier = run(old_host, winrm_rule=True, wmi_exception=True)
    assert met(planned) == met(target) == {"winrm_service": True, "winrm_rule": False, "wmi_rules": False}
    # Check mode knows it too.
    assert planned.steps == target.steps == [] and not carrier.asked("Invoke:Create")
    assert said(target)["winrm_rule"] == error_catalogue.said(WRITTEN[OLD])
    assert active(old_host) == before


@pytest.mark.parametrize("on", [True, False])
def test_netsh_switches_the_rules_of_an_old_windows_by_their_groups(old_host: Host, on: bool):
    for name in active(old_host):
        old_host.firewall.set_enabled(name, not on)
    rules = active(old_host)
    wish: dict[str, Any] = {"winrm_rule": on, "wmi_exception": on, "netsh": True}
    planned, _carrier = run(old_host, check_mode=True, **wish)
    target, carrier = run(old_host, **wish)
    word = {True: "on", False: "off"}
    due = {(f"firewall rule {name}", word[not on], word[on]) for name in rules}
    assert set(changes(planned)) == set(changes(target)) == due
    assert active(old_host) == dict.fromkeys(rules, on) and set(met(target).values()) == {True}
    # One program for each group, however many rules it has.
    assert carrier.asked("Invoke:Create") == 2
    again, _carrier = run(old_host, **wish)
    assert again.steps == []


def test_of_an_old_windows_without_the_rule_nobody_knows_what_lets_the_connection_in(domain: FakeDomain):
    host = domain.add("pc-001", "windows_7_enterprise")
    host.registry.delete(RULES_KEY, WINRM_RULE)
    target, _carrier = run(host)
    assert met(target) == {"winrm_service": True, "winrm_rule": None}
    assert said(target)["winrm_rule"] == error_catalogue.said(WRITTEN[NO_RULE])
