# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CONTRIBUTING.md is true: its commands, targets, variables, files and links are there, and its first tests are green."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import guides
import pytest

pytestmark = pytest.mark.tier("quick")

PAGE = guides.TREE / "CONTRIBUTING.md"
TEXT = PAGE.read_text(encoding="utf-8")
COMMANDS = guides.commands(TEXT) + guides.inline_commands(TEXT)
# What needs neither root nor a package that is compiled, and ends after seconds.
GREEN = [command for command in dict.fromkeys(COMMANDS) if command.startswith("build/venv-quick/bin/pytest ")]
# The first is what everybody tries first; all of them would take too long for each commit.
LATER = [pytest.param(command, marks=pytest.mark.tier("soak")) for command in GREEN[1:]]


@pytest.mark.parametrize("command", dict.fromkeys(COMMANDS))
def test_a_command_names_only_what_there_is(command: str):
    assert guides.wrong_command(command) == []


@pytest.mark.parametrize("command", [*GREEN[:1], *LATER])
def test_a_command_that_needs_only_python_is_green(command: str):
    _program, *arguments = shlex.split(command)
    assert not any("test_contributing" in argument for argument in arguments), "that would go on for ever"
    # Whatever xdist tells its workers is not for this pytest.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], cwd=guides.TREE, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert re.search(r"\b[1-9]\d* passed", done.stdout)


def test_it_begins_with_two_commands_that_need_no_root():
    assert len(GREEN) >= 2
    clone, quick = COMMANDS[:2]
    assert clone.startswith("git clone ")
    assert quick == f"make -C {clone.split()[-1]} quick"


def test_files_and_links_are_there():
    assert len(list(guides.named_files(TEXT))) > 20
    assert guides.wrong_files(PAGE) == []


def test_it_says_that_each_tier_is_declared_as_the_tests_do():
    assert set(re.findall(r"\.tier\(\"(\w+)\"\)", TEXT)) <= {"quick", "test", "soak"}
    for tier in ("quick", "test", "soak"):
        assert f"`make {tier}`" in TEXT


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("make tset", "no target tset"),
        ("make -C somewhere tset", "no target tset"),
        ("make play PLAY=kms_no_site", "no playbook kms_no_site"),
        ('make sanity ARGZ="--test import"', "no variable ARGZ"),
        ("build/venv/bin/pytest tests/unit/test_nothing.py", "no tests/unit/test_nothing.py"),
        ("build/venv/bin/pytest tests/unit/test_nothing.py::test_it", "no tests/unit/test_nothing.py"),
        ("build/venv/bin/pytset tests/unit", "has no pytset"),
        ("build/venv-oldest/bin/pytest tests/unit", "nothing makes build/venv-oldest"),
        ("build/ven/bin/pytest tests/unit", "nothing makes build/ven"),
        ("python3 tests/architektur.py", "no tests/architektur.py"),
        ("A=b ansible-builder build", "ansible-builder is no command"),
        (". build/lab/environment", "nothing makes build/lab/environment"),
        ("git push", "only a clone"),
    ],
)
def test_a_wrong_command_is_found(command: str, why: str):
    (found,) = guides.wrong_command(command)
    assert why in found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("See `plugins/action/kms_hots.py`.", "names plugins/action/kms_hots.py"),
        ("See `plugins/NAMES.yml` and `galaxy.yml`.", "names plugins/NAMES.yml"),
        ("See `tests/lap/`.", "names tests/lap/"),
        ("See [this](docs/no.md#there).", "links to docs/no.md"),
    ],
)
def test_a_wrong_name_is_found(tmp_path: Path, text: str, why: str):
    page = tmp_path / "PAGE.md"
    page.write_text(text, encoding="utf-8")
    (found,) = guides.wrong_files(page)
    assert why in found


def test_blocks_are_read_without_their_comments():
    text = "```console\nmake quick    # a minute\n\n. build/lab/env\n```\n\n```yaml\nmake: nothing\n```\nRun `make test` or `make`.\n"
    assert guides.commands(text) == ["make quick", ". build/lab/env"]
    assert guides.inline_commands(text) == ["make test"]
