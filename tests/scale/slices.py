# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures a job in slices as AWX makes them, all of them at once on this machine, over clients that are licensed already.

On one machine this shows what slices cost: each is a process of its own that reads its inventory, the collection and what all clients have in
common. What they save shows on several nodes. The slices share nothing but the server of canned answers.
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import awx_jobs

from . import bench, playbooks

PLAYBOOK = "kms_multi_site"
LIMIT = "kms_clients"


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """The figures for each number of slices, and the goals: no host is asked more often because a job is cut."""
    found = {str(count): _Job(options, count).measure() for count in options.slices}
    first = found[str(options.slices[0])]
    goals = {}
    for count, figures in found.items():
        goals[f"slices_{count}_requests"] = bench.goal(first["requests"], figures["requests"])
        goals[f"slices_{count}_logons"] = bench.goal(first["logons"], figures["logons"])
        licensed = figures["licensed"]
        goals[f"slices_{count}_licensed"] = {"goal": options.size, "measured": licensed, "met": licensed == options.size}
    return {"size": options.size, "forks": options.forks, "playbook": PLAYBOOK, "limit": LIMIT, **found, "goals": goals}


class _Job:
    """A job in so many slices."""

    def __init__(self, options: argparse.Namespace, count: int) -> None:
        self._options = options
        self._count = count
        self._folder = Path(options.build / "scale" / f"slices-{count}")
        inventory = bench.inventory(options.size, options.port, **playbooks.variables(options.port))
        sites = playbooks.variables(options.port)["volume_activation_sites"]
        inventory["all"]["children"]["kms_hosts"] = {"hosts": {host["name"]: {} for host in sites["east"]["kms_hosts"]}}
        for number in self._numbers:
            folder = self._place(number)
            folder.mkdir(parents=True, exist_ok=True)
            part = awx_jobs.slice_of(inventory, number, count)
            (folder / "inventory.json").write_text(json.dumps(part), encoding="utf-8")
            # A job of one slice is a whole job.
            told = awx_jobs.variables_of_slice("KMS for several sites") if count > 1 else {}
            (folder / "variables.json").write_text(json.dumps(told), encoding="utf-8")

    @property
    def _numbers(self) -> range:
        return range(1, self._count + 1)

    def _place(self, number: int) -> Path:
        """The folder of a slice, which AWX starts in a container of its own."""
        return self._folder / str(number)

    def measure(self) -> dict[str, Any]:
        """What all slices cost together, and what the hosts were asked."""
        with bench.serving(self._options.port, "--kind", "kms_client") as served, ThreadPoolExecutor(self._count) as together:
            started = time.monotonic()
            costs = list(together.map(self._slice, self._numbers))
            wall = time.monotonic() - started
        ended = [
            json.loads((self._place(number) / "counts.json").read_text(encoding="utf-8"))["stats"][PLAYBOOK] for number in self._numbers
        ]
        return {
            "wall_s": round(wall, 2),
            "cpu_s": round(sum(cost.cpu for cost in costs), 2),
            "peak_mib": round(max(cost.peak_mib for cost in costs), 1),
            **{name: served[name] for name in ("requests", "logons", "connections")},
            "licensed": sum(numbers["licensed"] for numbers in ended),
        }

    def _slice(self, number: int) -> bench.Cost:
        folder = self._place(number)
        environment = {
            **bench.environment(self._options, folder),
            "ANSIBLE_CALLBACKS_ENABLED": "counting",
            "SCALE_COUNTS": str(folder / "counts.json"),
        }
        command = ["ansible-playbook", "-i", str(folder / "inventory.json"), "--limit", LIMIT]
        command += ["-e", f"@{folder / 'variables.json'}", f"winops.volume_activation.{PLAYBOOK}"]
        return bench.run(command, environment, folder / "log")
