# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""C(make test): runs its parts, the tests beside the checkers, and says what each came to and cost.

    gate.py BUILD

All parts are run even if one fails; the exit code tells whether all went well. What a checker that passes has to say stays in its log.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import ledger

# Each lane is run from left to right, both at the same time.
LANES = (("unit", "integration"), ("types", "lint", "sanity"))
SHOWN = ("unit", "integration")
SLOWEST = 25


@dataclass
class Part:
    """A part that has ended."""

    name: str
    code: int
    cost: ledger.Cost
    log: Path

    @property
    def counted(self) -> str:
        """What pytest counted."""
        lines = re.findall(r"^=* ?(\d+ (?:passed|failed|error).*?) in [\d.]+s.*$", self.log.read_text(encoding="utf-8"), re.MULTILINE)
        return lines[-1] if lines else ""


def run(build: Path, name: str) -> Part:
    """Run the make target of a part."""
    log, figures = build / "log" / f"{name}.log", build / "log" / f"{name}.json"
    make = [os.environ.get("MAKE", "make"), "--no-print-directory", "--keep-going", name]
    metered = [sys.executable, str(Path(__file__).with_name("metered.py")), str(figures), *make]
    with subprocess.Popen(metered, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        assert process.stdout is not None
        with log.open("w", encoding="utf-8") as kept:
            for line in process.stdout:
                kept.write(line)
                if name in SHOWN:
                    print(line, end="", flush=True)
    part = Part(name, process.returncode, ledger.Cost(**json.loads(figures.read_text(encoding="utf-8"))), log)
    if part.code and name not in SHOWN:
        print(f"\n--- {name}\n{log.read_text(encoding='utf-8')}", flush=True)
    return part


def run_lanes(build: Path) -> list[Part]:
    """Run all parts."""
    done: list[Part] = []

    def lane(names: tuple[str, ...]) -> None:
        done.extend(run(build, name) for name in names)

    threads = [threading.Thread(target=lane, args=(names,)) for names in LANES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


def slowest(build: Path) -> list[str]:
    """The tests that took longest, with what was set up for them."""
    cases = [case for name in SHOWN for case in ElementTree.parse(build / "log" / f"{name}.xml").iter("testcase")]
    cases.sort(key=lambda case: -float(case.get("time", 0)))
    return [f"{float(case.get('time', 0)):7.1f} s  {case.get('classname')}::{case.get('name')}" for case in cases[:SLOWEST]]


def main(build: Path) -> int:
    """Run the gate; returns the exit code."""
    (build / "log").mkdir(parents=True, exist_ok=True)
    parts, whole, usual = ledger.read()
    started = float(os.environ.get("GATE_STARTED") or time.time())
    begun = ledger.machine_seconds()
    done = run_lanes(build)
    wall, used = time.time() - started, max(1.0, ledger.machine_seconds() - begun)
    others = max(0.0, 1 - sum(part.cost.cpu for part in done) / used)
    costs = {part.name: part.cost for part in done}
    slowness = ledger.slowness_of(costs.values(), usual)
    over = ledger.verdicts(costs, parts, usual)
    late = ledger.too_long(wall, whole, slowness, others)

    print("\n".join(["", f"The {SLOWEST} slowest tests", *slowest(build), ""]))
    for part in done:
        result = "FAILED" if part.code else "OVER" if part.name in over else "ok"
        print(f"{part.name:<12} {result:<7} {part.cost.wall:5.0f} s  {part.cost.cpu:5.0f} s of processors  {part.counted}")
        if part.name in over:
            print(f"{'':<12} {over[part.name]}")
    print(
        f"{'whole':<12} {'OVER' if late else 'ok':<7} {wall:5.0f} s  (yardstick {slowness:.2f}, others used {others:.0%} of the machine)  {late}"
    )
    return 1 if late or over or any(part.code for part in done) else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
