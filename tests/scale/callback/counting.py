# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts what a playbook costs: host-tasks, what is registered for a host, and the memory of the process that runs the playbook.

A host-task is a started task without C(run_once), whether it is skipped or not; each item of a loop counts.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: counting
type: aggregate
short_description: Counts what a playbook costs
description:
  - Writes a JSON file at the end. Its path is in the environment variable C(SCALE_COUNTS).
"""


class CallbackModule(CallbackBase):
    """See above."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "counting"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._tasks: Counter[str] = Counter()
        self._more_items: Counter[str] = Counter()
        self._items: Counter[tuple[str, str]] = Counter()
        self._started: set[str] = set()
        self._registers: set[str] = set()
        self._play: Any = None

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """See the base class."""
        self._play = play

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        """See the base class."""
        if task.run_once is True:
            return
        self._tasks[host.name] += 1
        self._started.add(task._uuid)
        if task.register:
            self._registers.add(task.register)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """See the base class."""
        where = result._host.name, result._task._uuid
        self._items[where] += 1
        # The first item is the task itself.
        if result._task._uuid in self._started and self._items[where] > 1:
            self._more_items[result._host.name] += 1

    v2_runner_item_on_failed = v2_runner_item_on_skipped = v2_runner_item_on_ok

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """See the base class."""
        # Those on which no task ran are not among the processed ones.
        inventory = self._play.get_variable_manager()._inventory
        every = [host.name for host in inventory.get_hosts(ignore_limits=True, ignore_restrictions=True)]
        tasks = sorted(self._tasks[host] + self._more_items[host] for host in every)
        registered = sorted(map(self._registered, every))
        Path(os.environ["SCALE_COUNTS"]).write_text(
            json.dumps(
                {
                    "hosts": len(every),
                    "host_tasks": {"median": _median(tasks), "max": max(tasks, default=0), "all": sum(tasks)},
                    "registered_bytes": {"median": _median(registered), "max": max(registered, default=0)},
                    "stats": stats.custom.get("_run", {}),
                    "peak_mib": round(_peak_kib() / 1024, 1),
                }
            ),
            encoding="utf-8",
        )

    def _registered(self, host: str) -> int:
        """How many bytes of JSON the results of host-tasks are that are kept for a host."""
        kept = self._play.get_variable_manager()._nonpersistent_fact_cache.get(host, {})
        return sum(len(json.dumps(value, default=str)) for name, value in kept.items() if name in self._registers)


def _median(numbers: list[int]) -> int:
    return numbers[len(numbers) // 2] if numbers else 0


def _peak_kib() -> int:
    """The most memory that this process has had; what its parent had before it started the program is not in it, as it is in getrusage."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
