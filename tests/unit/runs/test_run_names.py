# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every name by which a run reads a result is one that a task of the same role registers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.tier("quick")

TREE = Path(__file__).resolve().parents[3]
PREFIX = "winops.volume_activation.run_"


def tasks_of(entry: Any) -> Iterator[dict[str, Any]]:
    """All tasks in what a file of a role or playbook holds, those in blocks among them."""
    if isinstance(entry, list):
        for each in entry:
            yield from tasks_of(each)
    elif isinstance(entry, dict):
        yield entry
        for name in ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers"):
            yield from tasks_of(entry.get(name))


def complaints(role: Path) -> list[str]:
    """The names that nobody registers, as C(file: run: variable)."""
    files = {path: list(tasks_of(yaml.safe_load(path.read_text(encoding="utf-8")))) for path in sorted(role.glob("tasks/*.yml"))}
    registered = {task["register"] for tasks in files.values() for task in tasks if "register" in task}
    registered |= {name for tasks in files.values() for task in tasks for name in task.get("ansible.builtin.set_fact", ())}
    found = []
    for path, tasks in files.items():
        for task in tasks:
            for action, options in task.items():
                if action.startswith(PREFIX):
                    read = options.get("results", {})
                    found += [f"{path.name}: {action}: {variable}" for variable in read.values() if variable not in registered]
                    found += [f"{path.name}: {action}: optional {name}" for name in options.get("optional", []) if name not in read]
    return found


@pytest.mark.parametrize("role", sorted(TREE.glob("roles/*")), ids=lambda path: path.name)
def test_every_name_is_registered_by_the_role(role: Path):
    assert complaints(role) == []


def test_planted_mistakes_are_found(tmp_path: Path):
    task = {"name": "Decide", f"{PREFIX}x": {"step": "s", "results": {"license": "__r_licence"}, "optional": ["target"]}}
    (tmp_path / "tasks").mkdir()
    blocks = [{"block": [{"name": "Read", "register": "__r_license"}, {"block": [task]}]}]
    (tmp_path / "tasks" / "main.yml").write_text(yaml.safe_dump(blocks), encoding="utf-8")
    assert complaints(tmp_path) == [f"main.yml: {PREFIX}x: __r_licence", f"main.yml: {PREFIX}x: optional target"]
