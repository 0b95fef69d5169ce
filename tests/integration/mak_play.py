# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks for MAKs on the lab's fifty computers, each of which gets the key of its group."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import mak_inventory, park
from lab.play import Run, lab_environment, run_playbook
from lab.windows import data

from .conftest import Lab
from .killing import kill_at_line, lines

PLAYBOOK = "winops.volume_activation.mak_independent"
KEYS = (
    "mak_win_enterprise",
    "mak_win_professional",
    "mak_win7_enterprise",
    "mak_win7_professional",
    "mak_vista_enterprise",
    "mak_server_2022_standard",
    "mak_server_2022_datacenter",
    "mak_server_2019_standard",
)
"""The keys of the lab's ring that are for Windows itself."""
LICENSED = 1


@dataclass(frozen=True)
class Fleet:
    """The computers, how they are played on, and where what was begun is kept."""

    lab: Lab
    inventory: Path
    state: Path

    def play(
        self,
        limit: str = "",
        playbook: str = PLAYBOOK,
        arguments: str = "",
        on_event: Callable[[Any], None] | None = None,
        **variables: Any,
    ) -> Run:
        """Run a playbook for MAKs, for all computers or some."""
        return run_playbook(
            self.lab.layout.root,
            playbook,
            inventory=self.inventory,
            arguments=f"--forks 10 {f'--limit {limit} ' if limit else ''}{arguments}",
            variables={"volume_activation_state_directory": str(self.state), "mak_independent_settle": 1, **variables},
            on_event=on_event,
        )

    def products(self, host: str) -> list[dict[str, Any]]:
        """What a computer holds, past its WMI."""
        found: list[dict[str, Any]] = self.lab.control.host(host.partition(".")[0])["products"]
        return found

    def states(self) -> dict[str, list[dict[str, Any]]]:
        """The same of all."""
        return {machine.fqdn: self.products(machine.fqdn) for machine in self.lab.options.machines}

    def holds(self, host: str, key: str) -> bool:
        """Whether a computer is licensed by a key."""
        return any(product["key"] == key and product["license_status"] == LICENSED for product in self.products(host))

    def spent(self) -> dict[str, int]:
        """By MAK how often it was activated, as Microsoft has counted."""
        counted = {name: key["activations"] for name, key in self.lab.control.microsoft().items()}
        return {name: count for name, count in counted.items() if count and data.key_named(name).kind == "mak"}

    def install(self, host: str, key: str) -> None:
        """Install a key behind the back of the collection."""
        arguments = {"ProductKey": data.key_named(key).key}
        self.lab.control.call("call_service", host=host.partition(".")[0], method="InstallProductKey", arguments=arguments)


class Costs:
    """What a run costs each computer but the first of its plays, on which what runs once is started.

    Attributes:
        tasks: By host how many tasks were started on it, each item of a loop counted.
        logons: By host how many connections there were.
        requests: By host how many requests went over them.
    """

    def __init__(self) -> None:
        self.tasks: Counter[str] = Counter()
        self.logons: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self._items: set[tuple[str, str]] = set()

    def handle(self, event: dict[str, Any]) -> None:
        """For C(on_event) of a run."""
        data = event.get("event_data") or {}
        if event["event"] == "runner_on_start":
            self.tasks[data["host"]] += 1
        elif event["event"].startswith("runner_item_on"):
            place = (data["host"], data["task_uuid"])
            # The first stands for the task itself.
            self.tasks[data["host"]] += place in self._items
            self._items.add(place)

    def count(self, requests: list[dict[str, Any]]) -> None:
        """Take what the lab has logged of the run."""
        self.requests.update(entry["host"] for entry in requests)
        self.logons.update(host for host, _connection in {(entry["host"], entry["connection"]) for entry in requests})


def groups_of(lab: Lab) -> dict[str, list[str]]:
    """The groups of the lab's inventory, by name."""
    found = mak_inventory.groups(park.PARKS[lab.options.park], lab.options.machines)
    return {name: list(group["hosts"]) for name, group in found.items()}


@contextmanager
def fleet_of(lab: Lab, folder: Path) -> Iterator[Fleet]:
    """The fleet of a lab; state goes to a folder that outlasts a run also where the tests themselves run in a container."""
    (folder / "lab.yml").symlink_to(lab.layout.inventory)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as state:
        yield Fleet(lab, folder, Path(state) / "state")


def asked(lab: Lab, action: str) -> Counter[str]:
    """By host how many requests of an action there were."""
    return Counter(entry["host"] for entry in lab.requests() if entry["action"] == action)


def kill_after_requests(fleet: Fleet, limit: str, number: int) -> bool:
    """Run the playbook and kill everything of it as soon as that many requests were answered; whether there were as many."""
    variables = {"volume_activation_state_directory": str(fleet.state), "mak_independent_settle": 1}
    log = fleet.lab.layout.requests
    seen = lines(log)
    process = subprocess.Popen(
        ["ansible-playbook", "-i", str(fleet.inventory), PLAYBOOK, "--limit", limit, "-e", json.dumps(variables)],
        env={**os.environ, **lab_environment(fleet.lab.layout.root)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    killed = kill_at_line(process, log, seen + number)
    assert killed or process.returncode == 0
    return killed
