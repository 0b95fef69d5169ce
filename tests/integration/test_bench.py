# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small forms of make bench, each of one round: what it counts, and that its parts run. Nothing is judged by time."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bench import directory

pytestmark = pytest.mark.tier("soak")

CONNECTIONS = ("basic", "psrp")


@pytest.fixture
def bench(project: Path, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Runs it with such arguments; what C(bench.json) holds then."""
    commands = project / "build/venv-peers/bin"
    if not (commands / "ansible-playbook").exists():
        pytest.skip("there is no environment with the peers: make setup-peers")
    (tmp_path / "collections").symlink_to(project / "build/collections")

    def run(*arguments: str) -> dict[str, Any]:
        done = subprocess.run(
            [commands / "python", "-m", "bench", "--build", tmp_path, "--rounds", "1", *arguments],
            cwd=project / "tests",
            env={**os.environ, "PATH": f"{commands}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        # At this size what Ansible costs without hosts outweighs them, so that goals are missed.
        assert done.returncode in (0, 1), done.stderr[-3000:]
        told: dict[str, Any] = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
        return told

    return run


def medians(told: dict[str, Any], part: str) -> dict[str, dict[str, float]]:
    """By cell and measure."""
    cells = told["parts"][part]["cells"]
    return {key: {name: spread["median"] for name, spread in cell.items()} for key, cell in cells.items()}


def test_one_round_over_two_hosts(bench: Callable[..., dict[str, Any]], tmp_path: Path):
    told = bench("--only", "licensing", "--hosts", "2", "--connections", *CONNECTIONS)
    found = medians(told, "licensing")
    for connection, logon, of_module in (("basic", 0, 7), ("psrp", 3, 6)):
        ours, theirs = found[f"license_info/{connection}/2"], found[f"win_powershell/{connection}/2"]
        assert (ours["messages"], ours["requests"], ours["logons"]) == (2 * 3, 2 * (3 + logon), 2)
        assert (theirs["messages"], theirs["requests"], theirs["logons"]) == (2 * of_module, 2 * (of_module + logon), 2)
        assert ours["bytes"] < theirs["bytes"] / 20
        assert found[f"nothing/{connection}/2"]["requests"] == 0
    assert told["goals"]["license_info_basic_messages_beside_win_powershell"]["met"]
    assert "``win_powershell``" in (tmp_path / "bench.rst").read_text(encoding="utf-8")


def test_clients_and_hosts_with_all_due_and_nothing_due(bench: Callable[..., dict[str, Any]]):
    found = medians(bench("--only", "clients", "--hosts", "2"), "clients")
    # A run that does not change what it should, or changes more, ends the bench.
    assert set(found) == {
        f"{case}/{kind}_{due}/2"
        for kind, cases in (("client", ("kms_client", "client_tasks")), ("host", ("kms_host", "host_tasks")))
        for case in cases
        for due in ("due", "not_due")
    }
    logons = {key: cell["logons"] / 2 for key, cell in found.items()}
    assert {logons[key] for key in logons if key.startswith("kms_")} == {1}
    assert (logons["client_tasks/client_due/2"], logons["host_tasks/host_due/2"], logons["host_tasks/host_not_due/2"]) == (3, 4, 3)
    for case, beside, kind in (("kms_client", "client_tasks", "client"), ("kms_host", "host_tasks", "host")):
        assert found[f"{case}/{kind}_not_due/2"]["messages"] < found[f"{case}/{kind}_due/2"]["messages"]
        assert found[f"{case}/{kind}_due/2"]["bytes"] < found[f"{beside}/{kind}_due/2"]["bytes"] / 8


def test_the_main_job_over_three_clients(bench: Callable[..., dict[str, Any]], tmp_path: Path):
    told = bench("--only", "main_job", "--clients", "3")
    found = medians(told, "main_job")
    ours, theirs = ({due: found[f"{case}/{due}_run/3"] for due in ("first", "second")} for case in ("kms_single_site", "win_powershell"))
    assert [ours[due]["logons"] for due in ("first", "second")] == [2 * 3, 3]
    assert [theirs[due]["logons"] for due in ("first", "second")] == [4 * 3, 3]
    assert ours["first"]["bytes"] < theirs["first"]["bytes"] / 15
    assert "kms_single_site_second_run_marginal_cpu_beside_nothing" in told["goals"]
    assert "Clients: 3 of 3 licensed" in (tmp_path / "bench/kms_single_site-first_run-3.log").read_text(encoding="utf-8")


def test_a_grant_takes_more_messages_than_seeing_that_it_is_there(bench: Callable[..., dict[str, Any]]):
    if reason := directory.lacking():
        pytest.skip(reason)
    found = medians(bench("--only", "rights"), "rights")
    due, not_due = (found[f"dns_record_acl/grant_{state}/1"] for state in ("due", "not_due"))
    assert 0 < not_due["messages"] < due["messages"] < 40
    assert (due["connections"], not_due["connections"]) == (1, 1)
