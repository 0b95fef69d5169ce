# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Up and down by the command line: nothing is left behind, whatever happened in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from lab import lifecycle, names, processes
from lab.control import Control
from lab.layout import TESTS, Layout
from lab.witness import Witness

pytestmark = pytest.mark.tier("soak")

# Beside the lab that other tests of the session have: another address, other ports, hosts that open no port of their own.
OPTIONS = lifecycle.Options(clients=2, servers=1, dc_address="127.0.0.32", http_port=17985, https_port=17986)


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    layout = Layout.at(tmp_path_factory.mktemp("lifecycle") / "lab")
    yield layout
    lifecycle.down(layout, print)


def run_lab(command: str, layout: Layout, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "lab", command, "--root", str(layout.root), *arguments]
    return subprocess.run(argv, cwd=TESTS, text=True, capture_output=True, check=False)


def open_ports() -> set[str]:
    """What listens on this machine, as the kernel lists it, by address and port."""
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return {line.split()[1] for line in lines if line.split()[3] == "0A"}


def test_a_lab_comes_up_and_goes_down_and_leaves_nothing(layout: Layout) -> None:
    before = open_ports()
    lifecycle.up(layout, OPTIONS, print)
    assert len(processes.members(layout.root)) == 2

    status = run_lab("status", layout)
    assert status.returncode == 0
    assert json.loads(status.stdout)["hosts"] == {"running": 5, "stopped": []}

    with pytest.raises(lifecycle.LabError, match="other options"):
        lifecycle.up(layout, replace(OPTIONS, clients=3), print)

    # Whoever has sourced the environment is a user of the lab, not a part of it.
    shell = subprocess.Popen(["/bin/sh", "-c", f". {layout.env}; read line"], stdin=subprocess.PIPE)
    try:
        down = run_lab("down", layout)
        assert down.returncode == 0, down.stderr
        assert shell.poll() is None
    finally:
        shell.communicate(b"\n")
    assert processes.members(layout.root) == []
    assert open_ports() <= before
    assert {path.name for path in layout.root.iterdir()} <= {"lock", "log", "requests.jsonl", "microsoft.jsonl"}
    assert run_lab("status", layout).returncode == 1


@pytest.mark.parametrize("daemon", ["simulator_pid", "domain_pid"])
def test_what_a_crash_leaves_is_removed_by_the_next_up(layout: Layout, daemon: str) -> None:
    lifecycle.up(layout, OPTIONS, print)
    pid = processes.alive(getattr(layout, daemon))
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    # The other daemon's pid file is lost as well.
    for path in (layout.domain_pid, layout.simulator_pid):
        path.unlink()
    assert len(processes.members(layout.root)) >= 1
    lifecycle.up(layout, OPTIONS, print)
    assert Control(layout).ping()
    assert len(processes.members(layout.root)) == 2
    lifecycle.down(layout, print)
    assert processes.members(layout.root) == []


def test_down_where_there_is_no_lab(layout: Layout) -> None:
    layout.root.mkdir(parents=True, exist_ok=True)
    assert "No lab was running" in run_lab("down", layout).stdout
    assert "There is no lab" in run_lab("down", Layout.at(layout.root / "nowhere")).stdout


def test_a_lab_with_bind_finds_its_zones_through_the_domain_and_the_domain_through_it(layout: Layout) -> None:
    options = replace(OPTIONS, bind=True, bind_address="127.0.0.33")
    lifecycle.up(layout, options, print)
    assert len(processes.members(layout.root)) == 3
    exports = layout.env.read_text(encoding="utf-8")
    for variable in ("LAB_BIND=127.0.0.33", f"LAB_TSIG_NAME={names.TSIG_NAME}", f"LAB_TSIG_SECRET={names.TSIG_SECRET}"):
        assert f"export {variable}\n" in exports
    witness = Witness(options.domain(layout))
    assert witness.dig(names.BIND_ZONE, "NS") == [f"ns.{names.BIND_ZONE}."]
    assert witness.dig(names.DC_FQDN, "A", server="127.0.0.33") == [options.dc_address]
    lifecycle.down(layout, print)
    assert processes.members(layout.root) == []
    assert {path.name for path in layout.root.iterdir()} <= {"lock", "log", "requests.jsonl", "microsoft.jsonl"}


def test_the_inventory_is_one_that_a_company_could_have(layout: Layout) -> None:
    lifecycle.up(layout, OPTIONS, print)
    written = yaml.safe_load(layout.inventory.read_text(encoding="utf-8"))["all"]
    assert list(written["children"]["kms_hosts"]["hosts"]) == ["kms-1.contoso.com", "kms-2.contoso.com"]
    assert list(written["children"]["kms_clients"]["hosts"]) == ["pc-001.contoso.com", "pc-002.contoso.com", "srv-01.contoso.com"]
    text = layout.inventory.read_text(encoding="utf-8")
    for secret in (names.WINRM_PASSWORD, names.OPERATOR_PASSWORD, names.LOCAL_ADMIN_PASSWORD):
        assert secret not in text
    exports = layout.env.read_text(encoding="utf-8")
    for variable in ("KRB5_CONFIG", "LAB_DNS", "LAB_REALM", "LAB_WINRM_PASSWORD", "LAB_DOMAIN_PASSWORD", "LAB_CSVLK"):
        assert f"export {variable}=" in exports
