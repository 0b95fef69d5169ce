# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MAK independent activation of fifty computers of mixed editions: who gets which key, what is counted, and what may go wrong."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest

from lab import mak_inventory
from lab.windows import data

from .conftest import Lab
from .leaks import leaks
from .mak_play import KEYS, Costs, Fleet, fleet_of, groups_of
from .stories import assert_foretold, change

pytestmark = pytest.mark.tier("test")

NO_WAY_OUT = (mak_inventory.SECURE_ZONE, mak_inventory.SECURE_ZONE_PROXY)
BEFORE_SP1 = "pc-040.contoso.com"
ENTERPRISE = "mak_win_enterprise"
# One of each kind that takes a MAK, so that check mode and a second run need not look at all of them.
SOME = "pc-001*:pc-013*:pc-034*:pc-037*:pc-039*:srv-01*:srv-05*:srv-07*"


@pytest.fixture(scope="module")
def fleet(running_mak_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The lab as on its first day, for the tests of this file in their order."""
    running_mak_lab.control.reset()
    with fleet_of(running_mak_lab, tmp_path_factory.mktemp("fleet")) as made:
        yield made
    running_mak_lab.control.reset()


@pytest.fixture(scope="module")
def story(fleet: Fleet) -> dict[str, Any]:
    """Some are checked in check mode, all are activated, some are looked at again."""
    before = fleet.states()
    check = fleet.play(SOME, arguments="--check --diff")
    after_check = fleet.states(), fleet.spent()
    # The look in check mode is none of the run that activates.
    earlier = len(fleet.lab.requests())
    real = fleet.play(arguments="--diff -vv")
    requests = fleet.lab.requests()[earlier:]
    costs, earlier = Costs(), len(fleet.lab.requests())
    again = fleet.play(SOME, on_event=costs.handle)
    costs.count(fleet.lab.requests()[earlier:])
    return {
        "costs": costs,
        "before": before,
        "check": check,
        "after_check": after_check,
        "real": real,
        "requests": requests,
        "again": again,
    }


def activated(fleet: Fleet) -> dict[str, list[str]]:
    """By key the computers that have to be licensed at the end."""
    groups = groups_of(fleet.lab)
    apart = {host for name in NO_WAY_OUT for host in groups[name]} | {BEFORE_SP1}
    return {name: [host for host in groups[name] if host not in apart] for name in KEYS}


def test_check_mode_changes_and_spends_nothing(story: dict[str, Any]):
    assert story["check"].rc == 0, story["check"].output[-3000:]
    states, spent = story["after_check"]
    assert (states, spent) == (story["before"], {})


def test_check_mode_lists_the_very_steps_of_the_real_run(story: dict[str, Any]):
    hosts = {step["object"] for step in story["check"].steps()}
    assert len(hosts) == 8
    assert_foretold(story["check"].steps(), [step for step in story["real"].steps() if step["object"] in hosts])


def test_the_applicable_ones_are_activated_once_each(story: dict[str, Any], fleet: Fleet):
    assert story["real"].rc == 0, story["real"].output[-5000:]
    wanted = activated(fleet)
    assert sum(map(len, wanted.values())) == 35
    for name, hosts in wanted.items():
        for host in hosts:
            assert fleet.holds(host, name), host
    assert fleet.spent() == {name: len(hosts) for name, hosts in wanted.items()}


def test_nobody_was_activated_before_its_state_was_read_and_nobody_twice(story: dict[str, Any]):
    seen: Counter[str] = Counter()
    read: set[str] = set()
    for entry in story["requests"]:
        if "SoftwareLicensingProduct" in entry["query"]:
            read.add(entry["host"])
        if entry["action"] == "Invoke:Activate":
            assert entry["host"] in read
            seen[entry["host"]] += 1
    assert len(seen) == 35 + 6
    assert set(seen.values()) == {1}


def test_the_rest_is_listed_with_the_reason(story: dict[str, Any], fleet: Fleet):
    (summary,) = story["real"].of_task("Summary")
    text = "\n".join(summary.result["msg"])
    groups = groups_of(fleet.lab)
    not_applicable = [line for line in text.splitlines() if line.startswith("Not applicable: ")]
    named = {host for line in not_applicable for host in re.findall(r"[\w-]+\.contoso\.com", line)}
    assert named == {*groups[mak_inventory.NOT_FOR_MAK], BEFORE_SP1}
    for reason in (
        "retail installation of edition Professional",
        "OEM installation",
        "home edition Core",
        "evaluation edition",
        "Vista before SP1",
    ):
        assert reason in "\n".join(not_applicable)
    (way_out,) = [line for line in text.splitlines() if line.startswith("No way to Microsoft: ")]
    assert all(host in way_out for name in NO_WAY_OUT for host in groups[name])
    assert "mak_proxy_collect, mak_proxy_acquire and mak_proxy_apply" in way_out
    assert "Key mak_win7_enterprise (Lab: Enterprise of windows_7), Windows(R), Enterprise edition: 3 of 3 licensed, 3 by this run" in text
    assert "activations left at Microsoft: 50 -> 47" in text


def test_the_numbers_are_kept_for_later_jobs(story: dict[str, Any], fleet: Fleet):
    kept = story["real"].custom_stats["mak_independent"]
    assert (kept["activated"], kept["no_way_out"], kept["not_applicable"], kept["failed"]) == (35, 6, 9, 0)
    assert sorted(kept["proxy_candidates"]) == sorted(host for name in NO_WAY_OUT for host in groups_of(fleet.lab)[name])
    assert kept["keys"]["mak_win7_enterprise"] == {"remaining_before": 50, "remaining_after": 47}


def test_one_computer_was_given_each_key_and_microsoft_was_asked_for_counts_alone(story: dict[str, Any], fleet: Fleet):
    held = [entry.result["product"]["partial_product_key"] for entry in story["real"].of_task("Install the key on one computer")]
    assert len(held) == len(set(held)) == len(KEYS)
    assert {entry["request_type"] for entry in fleet.lab.microsoft_requests()} == {2}


def test_a_second_run_changes_nothing(story: dict[str, Any]):
    assert story["again"].rc == 0, story["again"].output[-3000:]
    assert (story["again"].changed(), story["again"].steps()) == (0, [])


def test_a_licensed_computer_costs_two_tasks_and_two_logons(story: dict[str, Any]):
    costs: Costs = story["costs"]
    # What runs once is started on the first one.
    first, _tasks = costs.tasks.most_common(1)[0]
    licensed = [host for host in costs.logons if host != first]
    assert len(licensed) == 7
    assert max(costs.tasks[host] for host in licensed) <= 2
    # One of those that have an account in common has tried it before the others.
    *others, tried = sorted(licensed, key=costs.logons.__getitem__)
    assert costs.logons[tried] <= 3
    assert max(costs.logons[host] for host in others) <= 2
    assert max(costs.requests[host] for host in others) <= 6


def test_no_key_is_shown_anywhere(story: dict[str, Any], fleet: Fleet):
    keys = {name: data.key_named(name).key for name in KEYS}
    shown = [(name, story[name].output.encode()) for name in ("check", "real", "again")]
    events = [("events", json.dumps([entry.result for entry in story["real"].results]).encode())]
    state = [(path.name, path.read_bytes()) for path in fleet.state.rglob("*") if path.is_file()]
    assert state
    assert leaks([*shown, *events, *state], keys) == []


def test_what_was_begun_and_how_it_ended_is_in_the_computer_list(story: dict[str, Any], fleet: Fleet):
    computers = json.loads((fleet.state / "computer_list.json").read_text(encoding="utf-8"))["computers"]
    assert len(computers) == 41
    entries = [(product["mak"], product["activation"]) for computer in computers.values() for product in computer["products"].values()]
    assert Counter(name for name, activation in entries if activation["outcome"] == "licensed") == fleet.spent()
    assert all(activation["began"] and activation["ended"] for _name, activation in entries)


def test_each_drift_is_reported_and_mended_as_exactly_that_change(story: dict[str, Any], fleet: Fleet):
    first, second, third = "pc-001.contoso.com", "srv-01.contoso.com", "pc-013.contoso.com"
    fleet.lab.control.drift("winrm_by_hand", third)
    fleet.install(first, "gvlk_windows_10_enterprise")
    fleet.lab.control.reimage(second, with_key=False)
    steps = [
        (first, "license status", "'notification'", "'licensed'"),
        (first, "product key", "'2YT43'", f"'{data.key_named(ENTERPRISE).partial}'"),
        (second, "license status", "'notification'", "'licensed'"),
        (second, "product key", "None", f"'{data.key_named('mak_server_2022_standard').partial}'"),
    ]
    mended = fleet.play(SOME, mak_independent_complete_targets=True)
    assert mended.rc == 0, mended.output[-3000:]
    steps.append((third, "start mode of the service WinRM", "'Manual'", "'Auto'"))
    assert sorted(map(change, mended.steps())) == sorted(steps)
    assert "The service WinRM does not start with Windows" in mended.output
    assert fleet.holds(first, ENTERPRISE)
    assert fleet.holds(second, "mak_server_2022_standard")
