# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounds: in each of them every cell runs once, in an order that is drawn anew, so that no case is measured while the machine was slower."""

from __future__ import annotations

import random
import resource
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from scale import bench

_COUNTED = ("requests", "messages", "logons", "connections", "bytes")


class Counter(Protocol):
    """What counts on the other side."""

    def counts(self) -> Mapping[str, Any]:
        """By name what was counted since the last time: some of C(hosts), C(requests), C(messages), C(logons), C(connections), C(bytes)."""


@dataclass(frozen=True)
class Cell:
    """One case over one connection and so many hosts.

    Attributes:
        case: Its name.
        connection: The name of the connection.
        hosts: How many hosts.
        command: The program that is measured.
        environment: Its environment.
        server: Who counts what goes over the wire; None where nothing does.
        reaches: Whether each host has to be reached.
        log: Where its output is written.
        before: What is done before each run, and not measured.
        after: The same after it: it sees whether the run has done what it should.
    """

    case: str
    connection: str
    hosts: int
    command: Sequence[str]
    environment: Mapping[str, str]
    server: Counter | None
    reaches: bool
    log: Path
    before: Callable[[], None] = field(default=lambda: None)
    after: Callable[[], None] = field(default=lambda: None)

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells it from others."""
        return self.case, self.connection, self.hosts

    def run(self) -> dict[str, float]:
        """One run, by measure.

        Raises:
            RuntimeError: It failed, or did not reach all hosts.
        """
        self.before()
        if self.server:
            self.server.counts()
        cost = bench.run(self.command, dict(self.environment), self.log)
        found = {"wall": cost.wall, "cpu": cost.cpu}
        if self.server:
            counts = self.server.counts()
            if self.reaches and counts["hosts"] != self.hosts:
                raise RuntimeError(f"{self.case} over {self.connection} reached {counts['hosts']} of {self.hosts} hosts, see {self.log}")
            found |= {name: float(counts[name]) for name in _COUNTED if name in counts}
        self.after()
        return found


Found = dict[tuple[str, str, int], dict[str, list[float]]]


def measure(cells: Sequence[Cell], rounds: int, seed: int) -> Found:
    """Run all cells in each round; before the first, those over the fewest hosts once, so that caches on the disk are filled.

    Args:
        cells: What is measured.
        rounds: How many rounds.
        seed: What the order is drawn from.

    Returns:
        By cell and measure the number of each round.
    """
    found: Found = {cell.key: {} for cell in cells}
    least = {(cell.case, cell.connection): cell for cell in sorted(cells, key=lambda cell: -cell.hosts)}
    for cell in least.values():
        cell.run()
    draw = random.Random(seed)
    for number in range(1, rounds + 1):
        for cell in draw.sample(list(cells), len(cells)):
            for measured, value in cell.run().items():
                found[cell.key].setdefault(measured, []).append(value)
        print(f"round {number} of {rounds}", file=sys.stderr, flush=True)
    return found


def allow_files() -> None:
    """As many open files as this process may have: hundreds of hosts are as many sockets."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
