# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook report, from the inventory to the files.

There is no laboratory: nobody listens where the inventory says that the hosts are.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from .test_out_of_reach import LIMIT, NONE, play


@pytest.mark.tier("test")
def test_a_report_of_which_nobody_was_reached_is_written_and_fails(tmp_path: Path) -> None:
    done = play(tmp_path, "report", volume_activation_report_audit="false")
    assert done.returncode == 2, done.stdout[-3000:] + done.stderr[-2000:]
    shown = " ".join(done.stdout.split())
    assert NONE in shown
    # Who sees the output alone is told why.
    assert "4 could not be reached (" in shown and "refuses connections" in shown
    state = tmp_path / "state"
    assert f"The report is {state}/report.html." in shown
    with (state / "report.csv").open(encoding="utf-8-sig", newline="") as file:
        assert sorted((row["host"], row["state"]) for row in csv.DictReader(file)) == [(f"pc-{n}", "unreachable") for n in range(4)]
    assert json.loads((state / "report.json").read_text(encoding="utf-8"))["outcomes"] == {"unreachable": 4}
    # No client passes a task: the first host does all.
    assert "pc-1 " not in done.stdout.partition("PLAY RECAP")[2]


@pytest.mark.tier("soak")
def test_the_sites_are_audited_and_the_keys_counted_without_failing_the_run(tmp_path: Path) -> None:
    allowed = play(tmp_path, "report", volume_activation_max_unreachable="100%")
    assert allowed.returncode == 0, allowed.stdout[-3000:] + allowed.stderr[-2000:]
    state = tmp_path / "state"
    found = json.loads((state / "report.json").read_text(encoding="utf-8"))
    assert found["audit"]["verdict"] in ("unknown", "deviations")
    assert [mak["name"] for mak in found["maks"]] == ["win"]
    assert 'id="topology"' in (state / "report.html").read_text(encoding="utf-8")
    for path in state.glob("*"):
        assert "BBBBB-BBBBB" not in path.read_text(encoding="utf-8")
    refused = play(tmp_path, "report", volume_activation_max_unreachable="50%", volume_activation_report_audit="false")
    assert (refused.returncode, LIMIT in " ".join(refused.stdout.split())) == (2, True)


@pytest.mark.tier("soak")
def test_days_that_are_no_number_are_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    done = play(tmp_path, "report", volume_activation_report_expiring_days="few")
    assert done.returncode == 2
    assert "volume_activation_report_expiring_days is few." in " ".join(done.stdout.split())
    assert not (tmp_path / "state").exists()
