# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are included by a loop keep its order.

Ansible runs them in the order in which the first hosts ask for them (ansible-core, C(IncludedFile.process_include_results)): where a
condition lets hosts ask for some of them only, a later one can come first.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.tier("quick")

TREE = Path(__file__).resolve().parents[2]
FILES = [path for part in ("roles", "playbooks") for path in sorted((TREE / part).rglob("*.yml")) if "meta" not in path.parts]
INCLUDES = ("ansible.builtin.include_tasks", "ansible.builtin.include_role")
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_tasks: one.yml
      loop: [[late], [early]]
      loop_control: {loop_var: turn}
      @CONDITION@
"""


def tasks(found: Any) -> Iterator[dict[str, Any]]:
    """Every task, however deep in blocks and plays."""
    if isinstance(found, list):
        for entry in found:
            yield from tasks(entry)
    elif isinstance(found, dict):
        yield found
        for part in ("tasks", "pre_tasks", "post_tasks", "block", "rescue", "always"):
            yield from tasks(found.get(part))


def test_no_loop_of_included_files_leaves_out_some_hosts():
    looped = [
        (path, task)
        for path in FILES
        for task in tasks(yaml.safe_load(path.read_text(encoding="utf-8")))
        if task.keys() & {"loop"} and task.keys() & {*INCLUDES}
    ]
    assert len(looped) >= 3
    assert [f"{path.relative_to(TREE)}: {task['name']}" for path, task in looped if "inventory_hostname" in str(task.get("when"))] == []


@pytest.mark.tier("test")
@pytest.mark.parametrize(
    ("condition", "inside", "order"),
    [
        ("when: inventory_hostname in turn", "", ["early", "late"]),
        ("", "when: inventory_hostname in turn", ["late", "early"]),
    ],
)
def test_what_ansible_makes_of_such_a_loop(tmp_path: Path, condition: str, inside: str, order: list[str]):
    """The reason for the test above; it may go when this shows that Ansible has changed."""
    (tmp_path / "play.yml").write_text(PLAY.replace("@CONDITION@", condition), encoding="utf-8")
    (tmp_path / "one.yml").write_text(
        f"- ansible.builtin.debug: {{msg: 'in turn: {{{{ inventory_hostname }}}}'}}\n  {inside}\n", encoding="utf-8"
    )
    command = [sys.executable, "-m", "ansible", "playbook", "-i", "early,late,", "-c", "local", "-f", "1", str(tmp_path / "play.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert [line.split()[-1].strip('"') for line in done.stdout.splitlines() if "in turn: " in line] == order
