# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""C(make demo): starts the lab, runs the single-site scenario, shows what came of it, and stops the lab.

The last line is C(demo: PASS) or C(demo: FAIL), and the exit code is alike. What decides are independent witnesses.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from . import lifecycle, names, park
from .control import Control
from .domain.controller import Domain, DomainError
from .layout import Layout
from .play import lab_environment
from .witness import Srv, Witness, WitnessError

PLAYBOOK = "winops.volume_activation.kms_single_site"
CALLBACK = "winops.volume_activation.fleet"


def main() -> int:
    """Run the demonstration; returns the exit code."""
    layout = Layout.at()
    choice = os.environ.get("LAB_PARK") or "modern"
    connection = os.environ.get("LAB_CONNECTION") or "winrm_ntlm"
    good = False
    try:
        shown = [name for name, item in park.PARKS.items() if not item.has_mak_groups]
        if choice not in shown:
            raise lifecycle.LabError(f"LAB_PARK is {choice}; the scenario of KMS hosts is shown in {' or '.join(shown)}")
        options = lifecycle.Options(park=choice, connection=connection, clients=park.PARKS[choice].client_count)
        lifecycle.up(layout, options, say)
        ended_well = play(layout)
        show_requests(layout)
        good = judge(ended_well, layout, options)
    except (lifecycle.LabError, DomainError, WitnessError, OSError) as error:
        say(f"The demonstration could not be run: {error}")
    finally:
        lifecycle.down(layout, say)
    say(f"demo: {'PASS' if good else 'FAIL'}")
    return 0 if good else 1


def play(layout: Layout) -> bool:
    """Run the scenario in the output that a person would choose; returns whether it ended well."""
    say(f"\nANSIBLE_STDOUT_CALLBACK={CALLBACK} ansible-playbook {PLAYBOOK}\n")
    environment = {**os.environ, **lab_environment(layout.root), "ANSIBLE_STDOUT_CALLBACK": CALLBACK}
    command = ["ansible-playbook", "--inventory", str(layout.inventory), PLAYBOOK]
    return subprocess.run(command, env=environment, check=False).returncode == 0


def say(text: str) -> None:
    """One line for the person who watches."""
    print(text, flush=True)


def show_requests(layout: Layout) -> None:
    """What went over the wire."""
    entries = [json.loads(line) for line in layout.requests.read_text(encoding="utf-8").splitlines()]
    sent, received = (sum(entry.get(name) or 0 for entry in entries) for name in ("bytes_in", "bytes_out"))
    hosts = len({entry["host"] for entry in entries})
    shells = sum(entry["action"].startswith("Shell") for entry in entries)
    say(
        f"\nWS-Management: {len(entries)} requests to {hosts} hosts, {sent / 1024:.0f} KB there, {received / 1024:.0f} KB back, {shells} shells opened"
    )


def judge(ended_well: bool, layout: Layout, options: lifecycle.Options) -> bool:
    """What independent witnesses say: dig, samba-tool, and the hosts' own state."""
    witness = Witness(Domain(layout, options.dc_address))
    control = Control(layout)
    hosts = [machine for machine in options.machines if machine.role == "kms"]
    clients = [machine for machine in options.machines if machine.role != "kms"]
    members = witness.group_members()
    sid = witness.sid(names.KMS_GROUP)
    licensed = sum(control.host(machine.label)["license_status"] == 1 for machine in clients)
    checks = {
        f"dig: _vlmcs._tcp.{names.ZONE} names both KMS hosts": witness.srv() == [Srv(0, 0, 1688, machine.fqdn) for machine in hosts],
        f"samba-tool: {names.KMS_GROUP} has both members": members == [machine.account for machine in hosts],
        "samba-tool: the group has an entry in the record's DACL": any(ace.endswith(f"{sid})") for ace in witness.aces()),
        f"the hosts' own state: {licensed} of {len(clients)} clients are licensed": licensed == len(clients),
        "ansible-playbook ended well": ended_well,
    }
    say("")
    for text, holds in checks.items():
        say(f"{'yes' if holds else 'NO '}  {text}")
    return all(checks.values())


if __name__ == "__main__":
    sys.exit(main())
