# Copyright (c) 2026, winops contributors
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

pytestmark = pytest.mark.tier("soak")

KMS_1 = names.kms_hosts()[0].fqdn
# One KMS host, and as many servers as it has to count before it activates any: few machines are enough for a whole run.
SMALL_PARK = f"{KMS_1}:srv-0[1-5]*"
WHOLE_SCENARIO = ("winrm_ntlm", "winrm_kerberos", "winrm_basic_tls", "psrp_negotiate", "psrp_kerberos")


def facts_of(connection: str, lab: Lab) -> inventory.Facts:
    """What an inventory of the lab needs to know for this way of connecting."""
    return inventory.Facts(lab.layout, connection, lab.options.dc_address, park.PARKS[lab.options.park])


def test_every_way_to_connect_reads_and_plans(running_lab: Lab, tmp_path: Path):
    """One host for each way, all in one play; behind the second answer of each task the connection is closed as if it had been idle."""
    running_lab.control.reset()
    hosts: dict[str, dict[str, object]] = {}
    ways: dict[str, str] = {}
    machines = zip(running_lab.options.machines[2:], inventory.CONNECTIONS, strict=False)
    for machine, connection in machines:
        facts = facts_of(connection, running_lab)
        ways[machine.fqdn] = connection
        hosts[machine.fqdn] = {
            "ansible_host": machine.address,
            "ansible_password": facts.winrm_password,
            **inventory.CONNECTIONS[connection](running_lab.layout),
        }
    assert len(ways) == len(inventory.CONNECTIONS)
    written, play = tmp_path / "inventory.yml", tmp_path / "play.yml"
    written.write_text(yaml.safe_dump({"all": {"hosts": hosts}}), encoding="utf-8")
    settings = {"product_key": park.PARKS[running_lab.options.park].csvlk, "listening_port": 1689, "firewall": True}
    tasks = [
        {"name": "Read", "winops.volume_activation.license_info": None},
        {"name": "Plan", "winops.volume_activation.kms_host": settings, "check_mode": True},
    ]
    play.write_text(yaml.safe_dump([{"name": "Play", "hosts": "all", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    for name in ways:
        running_lab.control.inject(host=name, skip=1, fault="close_after")
    run = run_playbook(running_lab.layout.root, str(play), inventory=written, arguments="--forks 5")
    assert run.rc == 0, run.output[-3000:]
    assert {read.host: read.result["operating_system"]["computer_name"].lower() for read in run.of_task("Read")} == {
        name: name.partition(".")[0] for name in ways
    }
    assert {plan.host for plan in run.of_task("Plan") if "listening port" in str(plan.result["steps"])} == set(ways)
    seen = running_lab.requests()
    for name, connection in ways.items():
        own = [entry for entry in seen if entry["host"] == name]
        # Windows can't read on a new connection what was encrypted for the old one; it is sent once more, and all is well.
        unreadable = [entry for entry in own if entry["action"] == "Unreadable"]
        assert [entry["status"] for entry in unreadable] == ([] if connection in inventory.OVER_TLS else [400]), connection
        assert [entry["injected"] for entry in own if entry["injected"]] == ["close_after"]
        check_carrier(connection, [entry for entry in own if entry not in unreadable])


@pytest.mark.parametrize("connection", WHOLE_SCENARIO)
def test_the_single_site_playbook_over(connection: str, fresh_lab: Lab, tmp_path: Path):
    facts = facts_of(connection, fresh_lab)
    hosts = tmp_path / "inventory.yml"
    hosts.write_text(yaml.safe_dump(inventory.inventory(facts, fresh_lab.options.machines)), encoding="utf-8")
    run = run_playbook(
        fresh_lab.layout.root,
        inventory=hosts,
        arguments=f"--forks 5 --limit '{SMALL_PARK}'",
        variables={"kms_single_site_publish_timeout": 2},
        environment=inventory.environment(facts),
    )
    assert run.rc == 0, run.output[-3000:]
    states = [host["license_status"] for host in fresh_lab.world()["hosts"].values()]
    assert states.count(1) == 1 + 5
    assert [value.target for value in fresh_lab.witness.srv()] == [KMS_1]
    check_carrier(connection, fresh_lab.requests())


def check_carrier(connection: str, seen: list[dict[str, object]]) -> None:
    """No shell, no runspace, the authentication that was asked for, and nothing readable on the wire."""
    assert seen
    assert not [entry for entry in seen if str(entry["action"]).startswith("Shell")]
    assert {entry["authentication"] for entry in seen} == {connection.partition("_")[2].removesuffix("_tls").replace("negotiate", "ntlm")}
    # Over TLS the messages need no encryption of their own.
    assert {entry["encrypted"] for entry in seen} == {connection not in inventory.OVER_TLS}
