# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed after each task in turn and run again, the scenario ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import names
from lab.play import lab_environment
from lab.witness import Srv

from .conftest import Lab
from .killing import kill

pytestmark = pytest.mark.tier("soak")

CALLBACKS = Path(__file__).parent / "callbacks"
KMS_ONLY = "kms_hosts"
# One KMS host, and servers, which need a count of 5 only: few machines are enough for a whole run.
WITH_CLIENTS = f"{names.kms_hosts()[0].fqdn}:srv-0*"
BOTH = [Srv(0, 0, 1688, machine.fqdn) for machine in names.kms_hosts()]
VARIABLES = {"kms_single_site_publish_timeout": 2}
OTHER_PORT = 1690
SUMMARY_TASKS = 7


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
    command = ["ansible-playbook", "-i", str(lab.layout.inventory), "winops.volume_activation.kms_single_site", "--limit", limit]
    process = subprocess.run(
        [*command, "--forks", "5", "-e", json.dumps(VARIABLES)],
        env=environment,
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )
    assert process.returncode == (-signal.SIGKILL if kill_after else 0), process.stdout[-3000:]
    return int(counter.read_text(encoding="utf-8"))


def reached(lab: Lab) -> dict[str, Any]:
    """Everything that witnesses see, without what passes by itself or is diced anew in each run."""
    world = lab.world()
    passing = ("events", "processes", "publications", "sppsvc", "minutes", "clients", "discovered", "cached", "reason")
    hosts = {label: {name: value for name, value in host.items() if name not in passing} for label, host in world["hosts"].items()}
    return {**world, "hosts": hosts}


def kill_in_turn(lab: Lab, limit: str, tasks: range, fresh: dict[str, Any], wanted: dict[str, Any]) -> int:
    """Kill after each of these tasks and run again; returns from how many different states.

    Where a kill leaves the same state as an earlier one did, a second run has been seen to end well from there.
    """
    seen = [fresh]
    for after in tasks:
        lab.control.reset()
        run(lab, limit, after)
        left = reached(lab)
        if left in seen:
            continue
        seen.append(left)
        run(lab, limit)
        assert goal(reached(lab)) == goal(wanted), f"killed after task {after}"
    return len(seen)


def goal(state: dict[str, Any]) -> dict[str, Any]:
    """What a run is for: how many requests a host has counted on the way is not a part of it."""
    counters = ("count", "requests", "failed_requests")
    hosts = {label: {name: value for name, value in host.items() if name not in counters} for label, host in state["hosts"].items()}
    return {**state, "hosts": hosts}


# The tasks of the KMS hosts are shared out, so that a soak whose time is over has tried some.
THIRDS = range(3)


@pytest.mark.parametrize("part", THIRDS)
def test_killed_after_each_task_of_the_hosts_and_run_again(fresh_lab: Lab, part: int):
    fresh = reached(fresh_lab)
    tasks = run(fresh_lab, KMS_ONLY)
    wanted = reached(fresh_lab)
    assert wanted["srv"] == BOTH
    assert kill_in_turn(fresh_lab, KMS_ONLY, range(1 + part, tasks + 1, len(THIRDS)), fresh, wanted) >= 3


def test_killed_after_each_task_of_the_clients_and_run_again(fresh_lab: Lab):
    fresh = reached(fresh_lab)
    # The tasks of the KMS hosts come first and do not depend on the clients.
    hosts_tasks = run(fresh_lab, KMS_ONLY)
    fresh_lab.control.reset()
    all_tasks = run(fresh_lab, WITH_CLIENTS)
    wanted = reached(fresh_lab)
    assert sum(host["license_status"] == 1 for host in wanted["hosts"].values()) == 1 + 9
    # Those of the clients stand before the summary's; with one KMS host there are fewer tasks of KMS hosts.
    assert all_tasks > hosts_tasks
    assert kill_in_turn(fresh_lab, WITH_CLIENTS, range(hosts_tasks - SUMMARY_TASKS - 4, all_tasks + 1), fresh, wanted) >= 3


def test_killed_between_setting_the_port_and_restarting_the_service(fresh_lab: Lab, tmp_path: Path):
    kms_2 = names.kms_hosts()[1]
    assert fresh_lab.play(arguments=f"--limit {KMS_ONLY}").rc == 0
    play = tmp_path / "port.yml"
    task = {"name": "Task", "winops.volume_activation.kms_host": {"listening_port": "{{ port }}"}}
    play.write_text(yaml.safe_dump([{"name": "Play", "hosts": kms_2.fqdn, "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
    assert fresh_lab.play(str(play), port=OTHER_PORT).changed() == 1
    # The order to stop sppsvc gets no further than the host's door while the run is killed.
    fresh_lab.control.inject(host=f"{kms_2.label}*", action="Invoke:StopService", sleep=10, hresult=0x80041001)
    process = subprocess.Popen(
        ["ansible-playbook", "-i", str(fresh_lab.layout.inventory), str(play), "-e", "port=1688"],
        env={**os.environ, **lab_environment(fresh_lab.layout.root)},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not any(value == "1688" for value in fresh_lab.control.host(kms_2.label)["registry"].values()):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(0.5)
    finally:
        kill(process)
    fresh_lab.control.settle()
    fresh_lab.control.clear_faults()
    # Everything reads as it should, and yet nobody answers on that port.
    assert fresh_lab.control.host(kms_2.label)["firewall"]["SPPSVC-In-TCP"]
    assert fresh_lab.control.host(kms_2.label)["open_port"] == 0
    mended = fresh_lab.play(arguments=f"--limit {KMS_ONLY}")
    assert mended.rc == 0, mended.output[-3000:]
    assert [(step["object"], step["attribute"], step["after"]) for step in mended.steps()] == [
        (kms_2.fqdn, "sppsvc", "listens on TCP port 1688"),
        # What it published by the port of before.
        ("SRV _vlmcs._tcp.contoso.com", f"value 0 0 {OTHER_PORT} {kms_2.fqdn}", "absent"),
    ]
    assert fresh_lab.control.host(kms_2.label)["open_port"] == 1688
    assert fresh_lab.play(arguments=f"--limit {KMS_ONLY}").changed() == 0
