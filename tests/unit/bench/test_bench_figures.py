# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of the bench: ratios, goals, tables and rounds."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from bench import figures, goals, licensing, page, records, rounds

pytestmark = pytest.mark.tier("test")


def test_a_ratio_is_that_of_each_round_and_not_of_the_medians():
    """The machine was three times slower in the second round, for both."""
    case, beside = {"wall": [1.0, 3.0, 1.2]}, {"wall": [2.0, 6.0, 2.0]}
    assert figures.ratio(case, beside, "wall") == figures.Spread(0.5, 0.5, 0.6)


def test_there_is_no_ratio_to_what_cost_nothing():
    assert figures.ratio({"bytes": [10.0]}, {"bytes": [0.0]}, "bytes") is None


def test_marginal_cost_leaves_out_what_a_run_costs_without_hosts():
    runs = figures.with_marginal({"cpu": [1.0, 1.1]}, {"cpu": [3.0, 2.1], "wall": [2.0, 2.0]}, hosts=11)
    assert runs["marginal_cpu"] == pytest.approx([0.2, 0.1])
    assert runs["wall"] == [2.0, 2.0]


def goal(**changed: Any) -> goals.Goal:
    row = {"case": "ours", "beside": "theirs", "measure": "wall", "limit": 0.5, "connections": ["basic", "ntlm"]}
    return goals.Goal.read({**row, **changed})


def test_a_goal_is_judged_for_each_connection_that_was_measured():
    runs = {("ours", "basic"): {"wall": [1.0, 1.0, 3.0]}, ("theirs", "basic"): {"wall": [2.0, 4.0, 2.0]}}
    assert goals.judged([goal()], runs) == {
        "ours_basic_wall_beside_theirs": {"goal": 0.5, "measured": 0.5, "met": True, "min": 0.25, "max": 1.5}
    }
    assert not goals.judged([goal(limit=0.49)], runs)["ours_basic_wall_beside_theirs"]["met"]


def test_a_goal_of_an_unknown_measure_is_refused():
    with pytest.raises(ValueError, match="speed is not one of wall, cpu"):
        goal(measure="speed")


def test_what_the_data_files_ask_for_is_known():
    of_records = yaml.safe_load(records.CASES.read_text(encoding="utf-8"))
    assert set(of_records["variants"]) == set(records.VARIANTS)
    for row in of_records["goals"]:
        asked = goals.Goal.read(row)
        assert {asked.case, asked.beside} <= set(of_records["cases"])
        assert set(asked.connections) <= {f"{variant}_{due}" for variant in records.VARIANTS for due in ("due", "not_due")}
    data = yaml.safe_load(licensing.CASES.read_text(encoding="utf-8"))
    for row in data["goals"]:
        asked = goals.Goal.read(row)
        for name in (asked.case, asked.beside):
            assert set(asked.connections) <= set(data["cases"][name].get("connections", data["connections"]))


TOLD = {
    "rounds": 7,
    "forks": 10,
    "machine": {"system": "Linux 6.1", "processor": "Some", "cores": "2", "python": "3.13.0", "commit": "abc"},
    "parts": {
        "licensing": {
            "cells": {
                "ours/basic/200": {
                    "wall": {"median": 2.345},
                    "cpu": {"median": 4.0},
                    "requests": {"median": 600},
                    "messages": {"median": 400},
                    "bytes": {"median": 2_000_000},
                },
                "theirs/basic/200": {"wall": {"median": 4.0}, "cpu": {"median": 8.0}},
                "ours/basic/1": {"wall": {"median": 1.0}, "cpu": {"median": 1.0}, "requests": {"median": 3}, "messages": {"median": 3}},
            }
        },
        "records": {"cells": {"ours/one_value_due/1": {"wall": {"median": 1.0}, "messages": {"median": 5}, "connections": {"median": 2}}}},
    },
    "goals": {"ours_basic_wall_beside_theirs": {"goal": 0.5, "measured": 0.583, "met": False, "min": 0.5, "max": 0.6}},
}


def test_a_table_has_a_row_for_each_case_with_requests_and_bytes_of_one_host():
    text = page.written(TOLD)
    assert re.findall(r"^(.*)\n~+$", text, re.MULTILINE) == [
        "Basic, 1 host",
        "Basic, 200 hosts",
        "A record with one value, to be made",
        "Goals",
    ]
    rows = [" ".join(row.split()) for row in re.split(r"\n   \* ", text)]
    # Nothing says what a further host costs, so that there is no column for it.
    assert "- ``ours`` - 2.35 - 4 - 3 - 1 - 10" in rows
    assert any(row.startswith("- ``ours`` - 1 - 5 - 2") for row in rows)
    assert any(row.startswith("- ours_basic_wall_beside_theirs - 0.583 - 0.5 to 0.6 - 0.5 - no") for row in rows)


def test_a_part_with_rounds_of_its_own_says_so():
    told = {**TOLD, "parts": {**TOLD["parts"], "main_job": {"rounds": 3, "cells": {}}}}
    assert page.written(told).startswith("7 rounds (3 of main_job), 10 forks, ")


def test_a_page_keeps_what_is_around_the_tables():
    made = page.put(f"Before\n\n{page.BEGIN}\n\nold\n\n{page.END}\n\nafter\n", "new\n")
    assert made == f"Before\n\n{page.BEGIN}\n\nnew\n\n{page.END}\n\nafter\n"
    with pytest.raises(ValueError, match="lacks the lines"):
        page.put("Before\n", "new\n")


class Clock(rounds.Cell):
    """A cell that notes when it ran instead of running."""

    def run(self) -> dict[str, float]:
        self.environment.setdefault("order", []).append(self.case)  # type: ignore[attr-defined]
        return {"wall": float(len(self.environment["order"]))}


def test_each_round_has_every_cell_once_after_one_run_of_each_case(tmp_path):
    seen: dict[str, Any] = {}
    cells = [Clock(case, "basic", hosts, [], seen, None, True, tmp_path) for case in "abc" for hosts in (1, 5)]
    found = rounds.measure(cells, rounds=4, seed=1)
    order = seen["order"]
    assert sorted(order[:3]) == ["a", "b", "c"]
    each = [order[start : start + 6] for start in range(3, len(order), 6)]
    assert [sorted(cases) for cases in each] == [sorted("aabbcc")] * 4
    assert len(set(map(tuple, each))) > 1
    assert all(len(numbers["wall"]) == 4 for numbers in found.values())
