# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one run of a case cost, what many of them tell, and how two cases compare."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MEASURES = ("wall", "cpu", "requests", "messages", "bytes", "logons", "connections", "marginal_cpu")
"""Of all hosts of a run, but for C(marginal_cpu): the seconds of processor time for each host beyond the first.

A message is a request beyond those of a logon. Processor time is that of all processes of the control node.
"""


@dataclass(frozen=True)
class Spread:
    """The median of numbers, and the least and the greatest of them."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Spread:
        """That of at least one number."""
        return cls(statistics.median(numbers), min(numbers), max(numbers))

    def as_data(self, digits: int = 3) -> dict[str, float]:
        """Rounded."""
        return {"median": round(self.median, digits), "min": round(self.least, digits), "max": round(self.greatest, digits)}


Runs = Mapping[str, Sequence[float]]
"""By measure the number of each round."""


def with_marginal(one: Runs, many: Runs, hosts: int) -> dict[str, list[float]]:
    """The runs over many hosts, with what each host beyond the first took.

    Args:
        one: The runs of the same case over one host, in the same rounds.
        many: The runs over all hosts.
        hosts: How many hosts these are, two at least.
    """
    marginal = [(large - small) / (hosts - 1) for small, large in zip(one["cpu"], many["cpu"], strict=True)]
    return {**{name: list(numbers) for name, numbers in many.items()}, "marginal_cpu": marginal}


def ratio(case: Runs, beside: Runs, measure: str) -> Spread | None:
    """How two cases compare: the ratio in each round, because what else the machine does is most alike within a round.

    None where what it is compared with was nothing in a round.
    """
    pairs = list(zip(case[measure], beside[measure], strict=True))
    if not pairs or not all(other > 0 for _number, other in pairs):
        return None
    return Spread.of([number / other for number, other in pairs])


def summary(runs: Runs) -> dict[str, Any]:
    """What is told of a case: each measure as a spread."""
    return {name: Spread.of(numbers).as_data(4 if name == "marginal_cpu" else 3) for name, numbers in runs.items()}
