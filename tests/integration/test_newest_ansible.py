# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenario on the newest ansible-core, which needs a newer Python than the oldest that is supported."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from lab import inventory, names, park
from lab.play import lab_environment
from lab.witness import Srv

from .conftest import Lab

pytestmark = pytest.mark.tier("soak")

PLAYBOOK = "winops.volume_activation.kms_single_site"
# One KMS host, and servers, which need a count of 5 only.
LIMIT = f"{names.kms_hosts()[0].fqdn}:srv-0*"
VARIABLES = {"kms_single_site_publish_timeout": 2}


@pytest.fixture(scope="module")
def newest(project: Path) -> Path:
    """The commands of the environment with the newest Python, which C(make integration) sets up where that Python is found."""
    commands = project / "build/venv-newest/bin"
    if not (commands / "ansible-playbook").exists():
        pytest.skip("there is no environment with a newer Python: make setup-newest")
    return commands


@pytest.mark.parametrize("connection", ["winrm_ntlm", "psrp_kerberos"])
def test_scenario(connection: str, newest: Path, fresh_lab: Lab, tmp_path: Path):
    version = subprocess.check_output([newest / "python", "-c", "import ansible.release; print(ansible.release.__version__)"], text=True)
    assert tuple(map(int, version.split(".")[:2])) >= (2, 21)
    facts = inventory.Facts(fresh_lab.layout, connection, fresh_lab.options.dc_address, park.PARKS[fresh_lab.options.park])
    hosts = tmp_path / "inventory.yml"
    hosts.write_text(yaml.safe_dump(inventory.inventory(facts, fresh_lab.options.machines)), encoding="utf-8")
    before = len(fresh_lab.requests())
    first = play(fresh_lab, newest, facts, hosts)
    assert first.returncode == 0, first.stdout[-3000:] + first.stderr
    assert fresh_lab.witness.srv() == [Srv(0, 0, 1688, names.kms_hosts()[0].fqdn)]
    hosts_of_play = [
        machine.label for machine in fresh_lab.options.machines if machine.role == "server" and machine.label.startswith("srv-0")
    ]
    assert {fresh_lab.control.host(label)["license_status"] for label in hosts_of_play} == {1}
    assert not [entry for entry in fresh_lab.requests()[before:] if entry["action"].startswith("Shell")]
    second = play(fresh_lab, newest, facts, hosts)
    assert second.returncode == 0, second.stdout[-3000:] + second.stderr
    assert set(re.findall(r"changed=(\d+)", second.stdout)) == {"0"}
    assert "[DEPRECATION WARNING]" not in second.stderr, second.stderr


def play(lab: Lab, commands: Path, facts: inventory.Facts, hosts: Path) -> subprocess.CompletedProcess[str]:
    """Run the scenario with those commands."""
    environment = {**os.environ, **lab_environment(lab.layout.root), **inventory.environment(facts)}
    environment["PATH"] = f"{commands}{os.pathsep}{environment['PATH']}"
    command = ["ansible-playbook", "-i", str(hosts), PLAYBOOK, "--limit", LIMIT, "--forks", "5", "-e", json.dumps(VARIABLES)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
