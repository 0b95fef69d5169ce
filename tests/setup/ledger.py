# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the parts of C(make test) may cost: C(tests/ledger.json), and the judgement of what they did cost.

A part is judged by the seconds of all processors that it used, which depend on how fast the machine is while it runs: processors
that others share are slower by the minute. So a yardstick, the same small work each time, is taken again and again beside each
part, and the part may cost as many times more as the yardstick did. The seconds on the clock are judged for the whole run, and only
where the machine did little else.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

LEDGER = Path(__file__).resolve().parent.parent / "ledger.json"
OVER = 1.5
"""A part may cost this many times what the ledger gives it."""
BUSY = 0.1
"""The share of the machine's time that others may use before seconds on the clock say nothing."""


@dataclass(frozen=True)
class Cost:
    """What a part took: seconds on the clock, of all processors, and of one processor for the yardstick, in the mean."""

    wall: float
    cpu: float
    yardstick: float


def read() -> tuple[dict[str, float], float, float]:
    """The seconds of each part, the whole run's on the clock, and the yardstick's."""
    ledger = json.loads(LEDGER.read_text(encoding="utf-8"))
    return ledger["parts"], ledger["whole"], ledger["yardstick"]


def piece_of_work() -> float:
    """Seconds of one processor for a piece of work that is always the same: the yardstick."""
    started = time.thread_time()
    table = {str(number): number for number in range(100_000)}
    sum(len(name) * number for name, number in table.items())
    sorted(table, key=table.__getitem__, reverse=True)
    return time.thread_time() - started


def slowness_of(costs: Iterable[Cost], usual: float) -> float:
    """How many times longer than in the ledger the yardstick took beside these parts; less than 1 counts as 1."""
    costs = tuple(costs)
    return max(1.0, sum(cost.yardstick * cost.wall for cost in costs) / sum(cost.wall for cost in costs) / usual)


def machine_seconds() -> float:
    """Seconds that all processors together were not idle since the machine started (proc_stat(5)); 0 where that can't be read."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system, _idle, _iowait, irq, softirq, steal = (int(field) for field in fields[:8])
    return (user + nice + system + irq + softirq + steal) / 100


def verdicts(costs: Mapping[str, Cost], parts: Mapping[str, float], usual: float) -> dict[str, str]:
    """Why a part costs too much, or has no place in the ledger; a part that is as it should be is left out.

    Args:
        costs: What the parts did cost.
        parts: What the ledger gives them.
        usual: The yardstick's seconds in the ledger.
    """
    found = {}
    for name, cost in costs.items():
        if name not in parts:
            found[name] = f"it has no seconds in {LEDGER.name}"
        elif cost.cpu > (limit := OVER * parts[name] * slowness_of([cost], usual)):
            found[name] = f"{cost.cpu:.0f} s of processors are more than {limit:.0f}, {OVER} times what {LEDGER.name} gives it"
    return found


def too_long(wall: float, whole: float, slowness: float, others: float) -> str:
    """Why the whole run took half as long again as it may; empty where it did not, or where others used the machine.

    Args:
        wall: Seconds on the clock.
        whole: What the ledger gives it.
        slowness: How many times slower the machine was than in the ledger.
        others: The share of the used processor time that was not this run's.
    """
    limit = OVER * whole * slowness
    return f"{wall:.0f} s are more than {limit:.0f}" if wall > limit and others < BUSY else ""
