# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed after each task in turn and run again, the scenario ends as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from lab import names
from lab.play import lab_environment
from lab.witness import Srv

from .conftest import Lab

CALLBACKS = Path(__file__).parent / "callbacks"
KMS_ONLY = "kms_hosts"
# Servers need a count of 5 only, so that few machines are enough for a whole run.
WITH_CLIENTS = "kms_hosts:srv-*"
BOTH = [Srv(0, 0, 1688, machine.fqdn) for machine in names.kms_hosts()]
VARIABLES = "kms_single_site_ticket=purge kms_single_site_publish_timeout=10 kms_single_site_ask_again=4"


def run(lab: Lab, limit: str, kill_after: int = 0) -> int:
    """Run the scenario, and kill everything of it when that many tasks have ended. Returns how many there were."""
    counter = lab.layout.root / "tasks"
    environment = {
        **os.environ,
        **lab_environment(lab.layout.root),
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
        "ANSIBLE_CALLBACKS_ENABLED": "kill_after",
        "KILL_AFTER": str(kill_after),
        "KILL_COUNTER": str(counter),
    }
    command = ["ansible-playbook", "-i", str(lab.layout.inventory), "winops.volume_activation.kms_single_site"]
    process = subprocess.run(
        [*command, "--limit", limit, "--forks", "5", "-e", VARIABLES],
        env=environment,
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )
    wanted = -signal.SIGKILL if kill_after else 0
    assert process.returncode == wanted, process.stdout[-3000:]
    return int(counter.read_text(encoding="utf-8"))


def reached(lab: Lab) -> dict[str, Any]:
    """Everything that a run is for, and nothing that differs between two equal runs."""
    world = lab.world()
    sid = lab.witness.sid(names.KMS_GROUP) if world["members"] is not None else "none"
    wanted = ("partial_key", "license_status", "firewall", "registry", "wow64_registry", "open_port")
    hosts = {
        label: {name: host[name] for name in (wanted if label.startswith("kms") else ("partial_key", "license_status"))}
        for label, host in world["hosts"].items()
    }
    return {"srv": world["srv"], "members": world["members"], "sddl": (world["sddl"] or "").replace(sid, "KMS_Hosts"), "hosts": hosts}


def kill_in_turn(lab: Lab, limit: str, first: int, last: int, fresh: dict[str, Any], wanted: dict[str, Any]) -> int:
    """Kill after each of these tasks and run again where anything had changed; returns how often that was."""
    again = 0
    for after in range(first, last + 1):
        lab.control.reset()
        run(lab, limit, after)
        # Where nothing has changed yet, a second run is the run of a fresh lab, which was seen to end well.
        if reached(lab) == fresh:
            continue
        again += 1
        run(lab, limit)
        assert reached(lab) == wanted, f"killed after task {after}"
    return again


def test_killed_after_each_task_and_run_again(fresh_lab: Lab):
    fresh = reached(fresh_lab)
    hosts_tasks = run(fresh_lab, KMS_ONLY)
    wanted_of_hosts = reached(fresh_lab)
    assert wanted_of_hosts["srv"] == BOTH
    fresh_lab.control.reset()
    all_tasks = run(fresh_lab, WITH_CLIENTS)
    wanted = reached(fresh_lab)
    assert sum(host["license_status"] == 1 for host in wanted["hosts"].values()) == 2 + fresh_lab.options.servers
    assert all_tasks > hosts_tasks
    # The tasks of the hosts come first and do not depend on the clients.
    assert kill_in_turn(fresh_lab, KMS_ONLY, 1, hosts_tasks, fresh, wanted_of_hosts) >= 8
    # The others: the clients' tasks stand before the summary's three, which both kinds of run have.
    summary = 3
    assert kill_in_turn(fresh_lab, WITH_CLIENTS, hosts_tasks - summary, all_tasks - summary, fresh, wanted) >= 4
