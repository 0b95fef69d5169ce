# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job whose hosts are out of reach fails, with how many there are, which, and the variable that says how many may be missing.

There is no laboratory: nobody listens where the inventory says that the hosts are.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

TREE = Path(__file__).resolve().parents[2]
GATE, SOAK = pytest.mark.tier("test"), pytest.mark.tier("soak")
CLIENTS = [f"pc-{number}" for number in range(4)]
KEY = "BBBBB-BBBBB-BBBBB-BBBBB-BBBBB"
NONE = "None of the 4 hosts was reached: pc-0, pc-1, pc-2, pc-3."
LIMIT = "4 of 4 hosts were not reached: pc-0, pc-1, pc-2, pc-3. volume_activation_max_unreachable is 50%, which is 2 of 4."


def play(folder: Path, playbook: str, **given: str) -> subprocess.CompletedProcess[str]:
    """A playbook of the collection over the clients."""
    host = {"ansible_connection": "winrm", "ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_user": "u", "ansible_password": "p"}
    hosts = {name: {**host, "volume_activation_mak": "win"} for name in CLIENTS}
    groups = {name: {"hosts": hosts} for name in ("kms_clients", "mak_clients")}
    groups["kms_hosts"] = {"hosts": {"kms-1.contoso.test": host}}
    shared = {
        "volume_activation_domain": "contoso.test",
        "volume_activation_dns_servers": ["127.0.0.1"],
        "volume_activation_mak_ring": {"win": {"key": KEY}},
        "volume_activation_state_directory": str(folder / "state"),
    }
    inventory = folder / "inventory.yml"
    inventory.write_text(yaml.safe_dump({"all": {"vars": shared, "children": groups}}), encoding="utf-8")
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(TREE / "build/collections"),
        "ANSIBLE_HOME": str(TREE / "build/home/.ansible"),
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }
    variables = [f"--extra-vars={name}={value}" for name, value in given.items()]
    command = ["ansible-playbook", "-i", str(inventory), f"winops.volume_activation.{playbook}", *variables, "--limit", "kms_clients"]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(
    ("playbook", "stopped"),
    [
        pytest.param("survey", False, marks=SOAK),
        pytest.param("kms_single_site", True, marks=GATE),
        pytest.param("mak_independent", True, marks=SOAK),
        pytest.param("kms_to_mak", True, marks=SOAK),
        pytest.param("mak_to_kms", False, marks=SOAK),
        pytest.param("mak_proxy_collect", True, marks=SOAK),
    ],
)
def test_a_job_that_reaches_nobody_fails_unless_that_is_allowed(tmp_path: Path, playbook: str, stopped: bool) -> None:
    for given, said in (({}, NONE), ({"volume_activation_max_unreachable": "50%"}, LIMIT)):
        done = play(tmp_path, playbook, **given)
        shown = " ".join(done.stdout.split())
        assert done.returncode == 2, done.stdout[-3000:] + done.stderr[-2000:]
        assert said in shown, done.stdout[-3000:]
        assert ("Nothing was changed." in shown) is stopped
        if playbook == "mak_to_kms":
            # It reads no computer before it begins, unless there is a limit to check.
            assert ("Install the client setup key" in done.stdout) is (not given)
        # One host fails for all.
        ends = re.findall(r"unreachable=(\d+) +failed=(\d+)", done.stdout)
        assert sorted(ends)[-1:] + sorted(ends)[:-1] == [("0", "1"), *[("0", "0")] * (len(ends) - 1)]
    allowed = play(tmp_path, playbook, volume_activation_max_unreachable="100%")
    # Where nobody was read, there is nothing to write out.
    assert allowed.returncode == (2 if playbook == "mak_proxy_collect" else 0), allowed.stdout[-3000:] + allowed.stderr[-2000:]


@GATE
def test_a_limit_that_is_none_is_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    done = play(tmp_path, "mak_independent", volume_activation_max_unreachable="few")
    assert done.returncode == 2
    assert "volume_activation_max_unreachable is few. Give a number of hosts such as 5, or a share of them such as 10%." in " ".join(
        done.stdout.split()
    )
    assert "Read the licensing state" not in done.stdout
