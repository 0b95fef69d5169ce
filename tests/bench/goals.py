# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Goals: how much a case may cost beside another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import figures


@dataclass(frozen=True)
class Goal:
    """A ratio that may not be above a limit.

    Attributes:
        case: What is measured.
        beside: What it is compared with.
        measure: One of C(figures.MEASURES).
        limit: The greatest ratio.
        connections: Over which connections it is asked for.
    """

    case: str
    beside: str
    measure: str
    limit: float
    connections: Sequence[str]

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Goal:
        """From a row of a data file.

        Raises:
            ValueError: There is no such measure.
        """
        goal = cls(**row)
        if goal.measure not in figures.MEASURES:
            raise ValueError(f"{goal.measure} is not one of {', '.join(figures.MEASURES)}")
        return goal

    def name(self, connection: str) -> str:
        """Its name over a connection."""
        return f"{self.case}_{connection}_{self.measure}_beside_{self.beside}"


def judged(goals: Sequence[Goal], runs: Mapping[tuple[str, str], figures.Runs]) -> dict[str, dict[str, Any]]:
    """Each goal by name with C(goal), C(measured), C(met), and the least and greatest ratio of a round.

    A goal whose cases were not measured over a connection is left out. A ratio is rounded before it is judged, so that what is printed is
    what counts.

    Args:
        goals: What is asked for.
        runs: By case and connection the runs over all hosts.
    """
    found: dict[str, dict[str, Any]] = {}
    for goal in goals:
        for connection in goal.connections:
            case, beside = runs.get((goal.case, connection)), runs.get((goal.beside, connection))
            if case is None or beside is None or goal.measure not in case or goal.measure not in beside:
                continue
            spread = figures.ratio(case, beside, goal.measure)
            if spread is None:
                continue
            told = spread.as_data()
            found[goal.name(connection)] = {
                "goal": goal.limit,
                "measured": told["median"],
                "met": told["median"] <= goal.limit,
                "min": told["min"],
                "max": told["max"],
            }
    return found
