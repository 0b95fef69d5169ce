# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of the gate that costs more than the ledger gives it fails, whatever else the machine does; what a command cost is all of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SETUP = Path(__file__).resolve().parents[1] / "setup"
sys.path.insert(0, str(SETUP))

import gate  # noqa: E402
import ledger  # noqa: E402

pytestmark = pytest.mark.tier("quick")

PARTS = {"unit": 100.0, "lint": 20.0}


def test_every_part_of_the_gate_is_in_the_ledger_and_no_other() -> None:
    parts, whole, usual = ledger.read()
    assert set(parts) == {name for lane in gate.LANES for name in lane}
    assert whole <= 900
    assert usual > 0


@pytest.mark.parametrize(
    ("name", "seconds", "yardstick", "why"),
    [
        ("unit", 149.0, 1.0, ""),
        ("unit", 151.0, 1.0, "151 s of processors are more than 150, 1.5 times what ledger.json gives it"),
        ("unit", 299.0, 2.0, ""),
        ("unit", 151.0, 0.5, "151 s of processors are more than 150"),
        ("news", 1.0, 1.0, "it has no seconds in ledger.json"),
    ],
)
def test_a_part_that_costs_half_as_much_again_is_over(name: str, seconds: float, yardstick: float, why: str) -> None:
    costs = {name: ledger.Cost(1.0, seconds, yardstick), "lint": ledger.Cost(900.0, 20.0, 1.0)}
    found = ledger.verdicts(costs, PARTS, 1.0)
    assert set(found) == ({name} if why else set())
    assert found.get(name, "").startswith(why)


@pytest.mark.parametrize(
    ("wall", "slowness", "others", "late"),
    [(1349, 1.0, 0.0, False), (1351, 1.0, 0.0, True), (1351, 1.1, 0.0, False), (1351, 1.0, 0.5, False)],
)
def test_the_clock_says_something_where_nobody_else_uses_the_machine(wall: float, slowness: float, others: float, late: bool) -> None:
    assert bool(ledger.too_long(wall, 900, slowness, others)) is late


def test_a_run_was_as_slow_as_its_parts_for_as_long_as_they_took() -> None:
    costs = [ledger.Cost(300.0, 1.0, 0.08), ledger.Cost(100.0, 1.0, 0.04)]
    assert ledger.slowness_of(costs, 0.04) == pytest.approx(1.75)
    assert ledger.slowness_of(costs, 0.4) == 1.0


def test_what_a_daemon_used_is_counted_with_the_command_that_left_it_behind(tmp_path: Path) -> None:
    work = "import time\nend = time.process_time() + 0.5\nwhile time.process_time() < end: pass"
    leave = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {work!r}], start_new_session=True); sys.exit(3)"
    figures = tmp_path / "figures"
    done = subprocess.run([sys.executable, SETUP / "metered.py", figures, sys.executable, "-c", leave], check=False)
    assert done.returncode == 3
    cost = ledger.Cost(**json.loads(figures.read_text(encoding="utf-8")))
    assert 0.5 <= cost.cpu < 5
    assert 0 < cost.yardstick < 5
