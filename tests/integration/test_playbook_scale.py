# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks over the server of canned answers, small enough for every run; make scale has 10,000 hosts and the empty action beside them.

Processor time is left to make scale: at sizes like these, what a playbook costs without any host outweighs what a host costs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scale import __main__, bench, playbooks, slices

pytestmark = pytest.mark.tier("test")

BUILD = Path(__file__).resolve().parents[2] / "build"
SMALL, LARGE = 50, 200


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("scale")
    (folder / "collections").symlink_to(BUILD / "collections")
    sizes = ["--growth", str(SMALL), str(LARGE), "--size", str(LARGE)]
    options = ["--build", str(folder), "--port", str(bench.free_port()), "--first-contact", "1", "--no-empty"]
    return playbooks.measure(__main__.parsed([*sizes, *options]))


def test_all_goals_are_met_with_one_silent_and_one_failing_of_a_hundred(measured: dict[str, Any]):
    assert {name: goal for name, goal in measured["goals"].items() if not goal["met"]} == {}
    assert {"mak_independent_logons", "mak_independent_licensed", "audit_host_tasks", "audit_registered_bytes"} <= set(measured["goals"])
    assert {"kms_single_site_host_tasks", "kms_multi_site_logons", "kms_multi_site_licensed"} <= set(measured["goals"])


def test_a_computer_that_is_licensed_costs_two_host_tasks_two_logons_and_five_requests(measured: dict[str, Any]):
    for size, silent, failing in ((SMALL, 1, 0), (LARGE, 2, 2)):
        found = measured["mak_independent"][str(size)]["playbook"]
        ended = found["stats"]["mak_independent"]
        assert (ended["licensed"], ended["not_reached"], ended["failed"]) == (size - silent - failing, silent, failing)
        # Those that fail have one more, which says so.
        assert found["host_tasks"] == {"median": 2, "max": 3 if failing else 2, "all": 2 * size + failing}
        assert found["requests"] == 5 * ended["licensed"] + 2 * failing


def test_an_audit_finds_nothing_more_however_many_clients_are_as_they_should_be(measured: dict[str, Any]):
    for size, unread in ((SMALL, 1), (LARGE, 4)):
        found = measured["audit"][str(size)]["playbook"]
        assert found["host_tasks"] == {"median": 0, "max": 0, "all": 0}
        # Six of the site that can't be asked, and one for each client that can't.
        ended = found["stats"]["audit"]
        assert (ended["deviation"] + ended["unknown"], ended["verdict"]) == (6 + unread, "deviations")
        assert found["connections"] == size


@pytest.mark.parametrize("playbook", ["kms_single_site", "kms_multi_site"])
def test_a_client_that_is_licensed_and_as_declared_costs_no_host_task_and_one_logon(measured: dict[str, Any], playbook: str):
    for size, silent, failing in ((SMALL, 1, 0), (LARGE, 2, 2)):
        found = measured[playbook][str(size)]["playbook"]
        ended = found["stats"][playbook]
        assert (ended["licensed"], ended["not_reached"], ended["failed"]) == (size - silent - failing, silent, failing)
        # Those that fail are asked once more, and say so.
        assert found["host_tasks"] == {"median": 0, "max": 2 if failing else 0, "all": 2 * failing}
        assert found["logons"] == {**found["logons"], "median": 1, "max": 2 if failing else 1}


def test_a_job_in_slices_asks_each_host_as_often_as_a_whole_one(tmp_path: Path):
    (tmp_path / "collections").symlink_to(BUILD / "collections")
    found = slices.measure(
        __main__.parsed(["--size", "21", "--slices", "1", "2", "--build", str(tmp_path), "--port", str(bench.free_port())])
    )
    assert {name: goal for name, goal in found["goals"].items() if not goal["met"]} == {}
    assert [found[count]["connections"] for count in ("1", "2")] == [21, 21]
    # The KMS host of the site is in one of the slices, which the limit leaves out there.
    parts = [len((tmp_path / f"scale/slices-2/{number}/inventory.json").read_text().split('"ansible_host"')) - 1 for number in (1, 2)]
    assert sorted(parts) == [10, 11]
