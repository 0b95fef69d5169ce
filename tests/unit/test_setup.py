# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What make says on a machine on which it cannot set up what is missing: nothing is installed, and each package is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import error_catalogue
import pytest

pytestmark = pytest.mark.tier("quick")

SETUP = error_catalogue.CATALOGUE.parent / "setup"
# A package that no machine has; the others are there or not, as the machine is.
TOOLS = ("bash", "env", "mkdir", "flock", "dirname", "sed", "sort", "xargs", "comm", "cat", "sha256sum", "python3", "basename", "rm")
USER, NO_APT, NO_PYTHON = "make without the rights of root", "make where there is no apt", "make with a Python that is not there"
NO_VENV = "make quick with a Python that has neither venv nor virtualenv"
WRITTEN = error_catalogue.paired("Setting up the machine that runs the tests", [USER, NO_APT, NO_PYTHON, NO_VENV])


def script(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/bash\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder with the programs of a machine: dpkg knows all packages as installed but one."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for tool in TOOLS:
        script(programs, tool, f'exec "$(PATH=/usr/bin:/bin:/usr/sbin command -v {tool})" "$@"')
    script(programs, "dpkg-query", 'for name in "${@:3}"; do [ "$name" = samba ] || printf "%s installed\\n" "$name"; done')
    script(programs, "id", "echo 1000")
    script(programs, "apt-get", f"touch {tmp_path}/installed")
    return programs


@pytest.mark.parametrize("case", [USER, NO_APT, NO_PYTHON])
def test_what_is_missing_is_named_and_nothing_is_done(machine: Path, tmp_path: Path, case: str):
    if case == NO_APT:
        (machine / "apt-get").unlink()
        script(machine, "id", "echo 0")
    python = "python9" if case == NO_PYTHON else "python3"
    build = tmp_path / "build"
    done = subprocess.run(
        [SETUP / "environment.sh", build, build / "venv", python], env={"PATH": str(machine)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    said = done.stderr.rstrip("\n")
    assert said == error_catalogue.said(WRITTEN[case])
    assert not (tmp_path / "installed").exists()
    assert not (build / "venv").exists()


def test_quick_installs_no_package_and_names_the_one_without_which_there_is_no_environment(machine: Path, tmp_path: Path):
    script(machine, "python3", f'[ "$1" != -m ] && exec {sys.executable} "$@"')
    build = tmp_path / "build"
    done = subprocess.run(
        [SETUP / "environment.sh", build, build / "venv", "python3", "quick.txt"],
        env={"PATH": str(machine)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.rstrip("\n") == error_catalogue.said(WRITTEN[NO_VENV], version=".".join(map(str, sys.version_info[:2])))
    assert not (tmp_path / "installed").exists()
    assert not (build / "venv").exists()


def test_the_peers_have_the_same_packages_as_the_control_node_but_for_ansible():
    pins = [
        dict(line.partition(" ;")[0].split("==") for line in (SETUP / name).read_text().splitlines() if "==" in line)
        for name in ("peers.txt", "control-node.txt")
    ]
    peers, control_node = ({name: version for name, version in found.items() if not name.startswith("ansible")} for found in pins)
    assert peers == control_node
