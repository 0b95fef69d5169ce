# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The single-site scenario on the machines that the document has: Server 2008 R2 and 2008, Windows 7 and Vista."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import names
from lab.play import Run
from lab.witness import Srv

from .labs import Lab, document_lab
from .stories import assert_foretold, change, steady
from .test_kms_single_site import licensed_clients

pytestmark = pytest.mark.tier("soak")

KMS_1, KMS_2 = names.kms_hosts()
BOTH = [Srv(0, 0, 1688, KMS_1.fqdn), Srv(0, 0, 1688, KMS_2.fqdn)]
# Two rounds of the park's profiles, so that every kind of machine is there, and both KMS hosts get past the threshold.
CLIENTS, SERVERS = 56, 14
# Of each kind of machine one at least.
SOME = "kms_hosts:pc-013*:pc-027*:srv-01*:srv-02*"
NETSH = 'netsh.exe advfirewall firewall set rule group="@FirewallAPI.dll,-28002" new enable=yes'


@pytest.fixture(scope="module")
def old_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A small lab of the document's park."""
    with document_lab(tmp_path_factory, CLIENTS, SERVERS) as lab:
        yield lab


@pytest.fixture(scope="module")
def story(old_lab: Lab) -> dict[str, Any]:
    """A refusal, a look, a run, another run."""
    before = old_lab.world()
    refused = old_lab.play(arguments="--limit kms_hosts", kms_single_site_firewall_method="wmi")
    after_refusal = old_lab.world()
    check = old_lab.play(arguments=f"--check --diff --limit {SOME}")
    after_check = old_lab.world()
    real = old_lab.play(arguments="--diff")
    counts = len(old_lab.requests())
    again = old_lab.play(arguments=f"--limit {SOME}")
    return {
        "before": before,
        "refused": refused,
        "after_refusal": after_refusal,
        "check": check,
        "after_check": after_check,
        "real": real,
        "again": again,
        "requests_again": old_lab.requests()[counts:],
    }


def run_module(lab: Lab, folder: Path, host: str, options: dict[str, Any], module: str = "kms_host", arguments: str = "") -> Run:
    """One task on the hosts of a pattern."""
    play = folder / "play.yml"
    task = {"name": "Task", f"winops.volume_activation.{module}": options}
    play.write_text(yaml.safe_dump([{"name": "Play", "hosts": host, "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
    return lab.play(str(play), arguments=arguments)


def rules_off(lab: Lab, host: names.Machine) -> list[str]:
    return [name for name, enabled in lab.control.host(host.label)["firewall"].items() if name.startswith("SPPSVC") and not enabled]


def test_without_netsh_nothing_is_changed_and_the_finding_names_the_ways(story: dict[str, Any]):
    assert story["refused"].rc != 0
    (message,) = set(story["refused"].failures())
    assert message.startswith("Nothing was changed.")
    for part in (f"firewall of {KMS_1.fqdn}", f"firewall of {KMS_2.fqdn}", "firewall_method: netsh", "by policy", NETSH):
        assert part in message
    assert steady(story["after_refusal"], strict=True) == steady(story["before"], strict=True)


def test_check_mode_changes_nothing_and_lists_the_very_steps_of_the_real_run(story: dict[str, Any]):
    assert story["check"].rc == 0, story["check"].output[-3000:]
    assert steady(story["after_check"], strict=True) == steady(story["before"], strict=True)
    in_check = {entry.host for entry in story["check"].results}
    left_out = {machine.fqdn for machine in names.machines(CLIENTS, SERVERS)} - in_check
    made = [step for step in story["real"].steps() if step["object"] not in left_out]
    assert len(in_check & {step["object"] for step in made}) == 6
    assert_foretold(story["check"].steps(), made)


def test_the_real_run_licenses_every_machine(story: dict[str, Any], old_lab: Lab):
    assert story["real"].rc == 0, story["real"].output[-5000:]
    assert old_lab.witness.srv() == BOTH
    assert old_lab.witness.group_members() == [KMS_1.account, KMS_2.account]
    assert len(licensed_clients(old_lab)) == CLIENTS + SERVERS
    assert {old_lab.control.host(machine.label)["profile"] for machine in old_lab.options.machines} == {
        "server_2008r2_enterprise",
        "server_2008_enterprise",
        "windows_7_enterprise",
        "windows_7_professional",
        "windows_vista_enterprise",
    }
    assert not [entry for entry in old_lab.requests() if entry["action"].startswith("Shell")]


def test_netsh_was_started_once_on_each_host_and_the_port_is_open(story: dict[str, Any], old_lab: Lab):
    for machine in (KMS_1, KMS_2):
        host = old_lab.control.host(machine.label)
        assert [line for line in host["processes"] if "netsh" in line] == [NETSH]
        assert host["open_port"] == 1688
        assert rules_off(old_lab, machine) == []


def test_a_second_run_changes_nothing_and_starts_nothing(story: dict[str, Any]):
    assert story["again"].rc == 0, story["again"].output[-3000:]
    assert story["again"].changed() == 0
    assert story["again"].steps() == []
    assert {entry["action"] for entry in story["requests_again"]} <= {
        "Enumerate",
        "Pull",
        "Get",
        "Invoke:GetStringValue",
        "Invoke:GetMultiStringValue",
    }


def test_a_rule_that_is_off_is_reported_and_mended_as_exactly_that(story: dict[str, Any], old_lab: Lab):
    good = old_lab.world()
    old_lab.control.drift("firewall_off")
    expected = sorted((KMS_2.fqdn, f"firewall rule {name}", "'disabled'", "'enabled'") for name in rules_off(old_lab, KMS_2))
    assert expected
    check = old_lab.play(arguments="--check --limit kms_hosts")
    mended = old_lab.play(arguments="--limit kms_hosts")
    assert mended.rc == 0, mended.output[-3000:]
    for run in (check, mended):
        assert sorted(map(change, run.steps())) == expected
    assert steady(old_lab.world()) == steady(good)


def test_a_replaced_key_is_mended_as_exactly_that(story: dict[str, Any], old_lab: Lab):
    old_lab.control.drift("key_replaced")
    mended = old_lab.play(arguments="--limit kms_hosts")
    assert mended.rc == 0, mended.output[-3000:]
    changed = [(step["object"], step["attribute"]) for step in mended.steps()]
    assert changed == [(KMS_2.fqdn, "product key"), (KMS_2.fqdn, "license status")]


SETTINGS = {"listening_port": 1688, "low_priority": False, "dns_publishing": True}
DRIFTS = {
    "port_changed": ("listening port", "1690", "1688"),
    "port_stale": ("sppsvc", "'does not listen on TCP port 1688'", "'listens on TCP port 1688'"),
    "low_priority": ("low priority", "True", "False"),
    "publishing_disabled": ("DNS publishing", "False", "True"),
}


@pytest.mark.parametrize("drift", DRIFTS)
def test_each_setting_is_reported_and_mended_as_exactly_that(story: dict[str, Any], old_lab: Lab, tmp_path: Path, drift: str):
    good = old_lab.world()
    old_lab.control.drift(drift)
    for arguments in ("--check", ""):
        run = run_module(old_lab, tmp_path, KMS_2.fqdn, SETTINGS, arguments=arguments)
        assert run.rc == 0, run.output[-2000:]
        assert [change(step) for step in run.steps()] == [(KMS_2.fqdn, *DRIFTS[drift])]
    after = old_lab.world()
    assert after["hosts"][KMS_2.label]["open_port"] == 1688
    # What a host has published under another port stays in DNS.
    for world in (good, after):
        world["srv"] = [value for value in world["srv"] if value.port == 1688]
        world["sddl"] = None
    assert steady(after) == steady(good)


def test_the_state_of_every_old_windows_is_read_in_three_queries(story: dict[str, Any], old_lab: Lab, tmp_path: Path):
    before = len(old_lab.requests())
    run = run_module(old_lab, tmp_path, SOME, {}, "license_info")
    assert run.rc == 0, run.output[-2000:]
    read = run.of_task("Task")
    assert len(read) == 6
    assert {entry.result["windows"]["status"] for entry in read} == {"licensed"}
    assert len(old_lab.requests()) - before == 3 * len(read)


def test_a_host_that_forbids_processes_keeps_its_rule_and_the_error_names_other_ways(story: dict[str, Any], old_lab: Lab, tmp_path: Path):
    old_lab.control.drift("firewall_off")
    old_lab.control.drift("processes_blocked")
    before = old_lab.world()
    run = run_module(old_lab, tmp_path, KMS_2.fqdn, {"firewall": True, "firewall_method": "netsh"})
    assert run.rc != 0
    (message,) = run.failures()
    for part in (KMS_2.fqdn, "Win32_Process", "forbid processes started over WMI", "by policy", "scheduled task", NETSH):
        assert part in message
    assert steady(old_lab.world(), strict=True) == steady(before, strict=True)
