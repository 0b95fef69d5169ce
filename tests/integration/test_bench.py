# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small form of make bench: one host beside the empty action and a PowerShell module, over Basic and by psrp."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.tier("soak")

CONNECTIONS = ("basic", "psrp")


def test_one_round_over_two_hosts(project: Path, tmp_path: Path):
    commands = project / "build/venv-peers/bin"
    if not (commands / "ansible-playbook").exists():
        pytest.skip("there is no environment with the peers: make setup-peers")
    (tmp_path / "collections").symlink_to(project / "build/collections")
    arguments = ["--only", "licensing", "--rounds", "1", "--hosts", "2", "--connections", *CONNECTIONS]
    done = subprocess.run(
        [commands / "python", "-m", "bench", "--build", tmp_path, *arguments],
        cwd=project / "tests",
        env={**os.environ, "PATH": f"{commands}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    # At this size what Ansible costs without hosts outweighs them, so that goals are missed.
    assert done.returncode in (0, 1), done.stderr[-3000:]
    told = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    cells = told["parts"]["licensing"]["cells"]
    medians = {key: {name: spread["median"] for name, spread in cell.items()} for key, cell in cells.items()}
    for connection, logon, of_module in (("basic", 0, 7), ("psrp", 3, 6)):
        ours, theirs = medians[f"license_info/{connection}/2"], medians[f"win_powershell/{connection}/2"]
        assert (ours["messages"], ours["requests"], ours["logons"]) == (2 * 3, 2 * (3 + logon), 2)
        assert (theirs["messages"], theirs["requests"], theirs["logons"]) == (2 * of_module, 2 * (of_module + logon), 2)
        assert ours["bytes"] < theirs["bytes"] / 20
        assert medians[f"nothing/{connection}/2"]["requests"] == 0
    assert told["goals"]["license_info_basic_messages_beside_win_powershell"]["met"]
    assert "``win_powershell``" in (tmp_path / "bench.rst").read_text(encoding="utf-8")
