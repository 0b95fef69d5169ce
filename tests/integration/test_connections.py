# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's own connection settings carry the session: every connection plugin and authentication of the lab."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lab import inventory, names, park
from lab.play import run_playbook

from .conftest import Lab

PC = names.clients(1)[0].fqdn


@pytest.mark.parametrize("connection", sorted(inventory.CONNECTIONS))
def test_license_info_over(connection: str, running_lab: Lab, tmp_path: Path):
    facts = inventory.Facts(running_lab.layout, connection, running_lab.options.dc_address, park.PARKS[running_lab.options.park].csvlk)
    hosts = tmp_path / "inventory.yml"
    hosts.write_text(yaml.safe_dump(inventory.inventory(facts, running_lab.options.machines)), encoding="utf-8")
    play = tmp_path / "play.yml"
    tasks = [{"name": "Read", "winops.volume_activation.license_info": None}]
    play.write_text(yaml.safe_dump([{"name": "Play", "hosts": PC, "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    before = len(running_lab.requests())
    run = run_playbook(running_lab.layout.root, str(play), inventory=hosts, environment=inventory.environment(facts))
    assert run.rc == 0, run.output[-2000:]
    (read,) = run.of_task("Read")
    assert read.result["operating_system"]["computer_name"] == "PC-001"
    seen = running_lab.requests()[before:]
    assert len(seen) <= 4
    assert not [entry for entry in seen if entry["action"].startswith("Shell")]
    # Over TLS the messages need no encryption of their own.
    assert all(entry["encrypted"] for entry in seen) == (not connection.endswith("_tls"))
