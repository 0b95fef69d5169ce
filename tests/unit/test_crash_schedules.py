# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A seed of the crash test is one schedule, its matrix has every pair that can be hit, and bugs are planted where the source has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from crash import kinds, planted, schedule

pytestmark = pytest.mark.tier("quick")

TREE = Path(__file__).resolve().parents[2]
KNOWN: dict[str, dict[str, Any]] = {
    "one": {"wire": {"Invoke:Activate Product": 1, "Enumerate *": 3}, "write": 2, "batch": 1},
    "two": {"wire": {"Invoke:Activate Product": 2}, "ldap": 5},
}


def test_a_seed_is_always_the_same_schedule() -> None:
    assert [str(schedule.draw(seed)) for seed in range(40)] == [str(schedule.draw(seed)) for seed in range(40)]
    drawn = [schedule.draw(seed, KNOWN) for seed in range(2)]
    assert [one.playbook for one in drawn] == ["one", "two"]
    for one in drawn:
        assert 1 <= one.nth <= schedule.places(KNOWN[one.playbook], one.kind)[one.where]
        assert str(one).startswith(f"{one.seed}: {one.playbook} x {one.kind.name} ({one.where}, call {one.nth}")


def test_consecutive_seeds_reach_every_pair_that_can_be_hit() -> None:
    possible = {(name, kind.name) for name, calls in KNOWN.items() for kind in schedule.applicable(name, calls)}
    drawn = {(one.playbook, one.kind.name) for one in (schedule.draw(seed, KNOWN) for seed in range(2 * len(kinds.KINDS)))}
    assert drawn == possible


def test_a_kind_of_call_that_is_made_once_is_no_pair() -> None:
    names = {name: {kind.name for kind in schedule.applicable(name, calls)} for name, calls in KNOWN.items()}
    assert "Microsoft: a code" not in names["one"] and "Microsoft: a code" in names["two"]
    assert "confirmation ID: a code" not in names["one"]
    assert "disk full" in names["one"] and "disk full" not in names["two"]
    assert "LDAP: answer lost" not in names["one"] and "LDAP: answer lost" in names["two"]
    # An activation that is made once is one of the calls that can lose their answers.
    assert "Invoke:Activate Product" in schedule.places(KNOWN["one"], kinds.BY_NAME["reset after"])


def test_seeds_of_one_playbook_are_those_of_all() -> None:
    seeds = schedule.seeds_from(3, "two", KNOWN)
    assert [next(seeds) for _time in range(3)] == [3, 5, 7]


def test_the_matrix_has_a_line_for_each_kind_and_counts_the_pairs() -> None:
    lines = schedule.matrix(KNOWN)
    assert lines[:2] == ["A: one", "B: two"]
    (full,) = (line for line in lines if line.startswith("disk full "))
    assert full.split()[2:] == ["2", "n/a"]
    pairs = sum(len(schedule.applicable(name, calls)) for name, calls in KNOWN.items())
    assert lines[-1].startswith(f"{pairs} of {2 * len(kinds.KINDS)} pairs")


def test_calls_were_counted_of_every_playbook_that_changes_something() -> None:
    known = schedule.recorded()
    playbooks = {path.stem for path in (TREE / "playbooks").glob("*.yml")}
    # These only read, or ask a person.
    assert {name for name in playbooks if name in known} == playbooks - {"audit", "report", "survey", "mak_proxy_phone"}
    for name, calls in known.items():
        assert schedule.applicable(name, calls), name


@pytest.mark.parametrize("name", planted.BUGS)
def test_a_bug_is_planted_where_the_source_has_its_text_once(name: str) -> None:
    bug = planted.BUGS[name]
    text = (TREE / "plugins/plugin_utils" / bug.file).read_text(encoding="utf-8")
    assert text.count(bug.old) == 1
    compile(text.replace(bug.old, bug.new), bug.file, "exec")


def test_the_table_of_calls_is_as_the_program_writes_it() -> None:
    text = schedule.CALLS.read_text(encoding="utf-8")
    body = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    assert body == yaml.safe_dump(schedule.recorded(), sort_keys=True)
