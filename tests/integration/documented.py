# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation says there is: modules with their examples and secrets, roles with their options, playbooks.

Tests that take their cases from here have those of a new module, role or playbook by themselves.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import yaml

TREE = Path(__file__).resolve().parents[2]
COLLECTION = "winops.volume_activation"
MODULES = sorted(path.stem for path in (TREE / "plugins/modules").glob("*.yml") if not path.stem.startswith("run_"))
"""Those for users; what only roles of the collection use has tests of its own."""
PLAYBOOKS = sorted(path.stem for path in (TREE / "playbooks").glob("*.yml"))
ROLES = sorted(path.parent.parent.name for path in (TREE / "roles").glob("*/meta/argument_specs.yml"))


def secrets_of(module: str) -> list[str]:
    """The options of a module that are never shown."""
    action = importlib.import_module(f"ansible_collections.winops.volume_activation.plugins.action.{module}")
    return sorted(action.ActionModule.SECRETS)


def examples_of(module: str) -> list[dict[str, Any]]:
    """The tasks of its examples."""
    text = (TREE / "plugins/modules" / f"{module}.yml").read_text(encoding="utf-8")
    tasks: list[dict[str, Any]] = yaml.safe_load(yaml.safe_load(text)["EXAMPLES"])
    return tasks


def uses_of(module: str) -> list[dict[str, Any]]:
    """The options of each task of its examples that uses the module itself."""
    name = f"{COLLECTION}.{module}"
    return [task[name] or {} for task in examples_of(module) if name in task]


def roles_of(playbook: str) -> set[str]:
    """The roles of this collection that a playbook includes."""
    plays = yaml.safe_load((TREE / "playbooks" / f"{playbook}.yml").read_text(encoding="utf-8"))
    imported = [play["ansible.builtin.import_playbook"].removesuffix(".yml") for play in plays if "ansible.builtin.import_playbook" in play]
    tasks = [task for play in plays for task in play.get("tasks", ())]
    used = [
        task[kind]["name"] for task in tasks for kind in ("ansible.builtin.include_role", "ansible.builtin.import_role") if kind in task
    ]
    return set().union(*map(roles_of, imported)) | {name.rpartition(".")[2] for name in used}


def role_options(role: str) -> dict[str, dict[str, dict[str, Any]]]:
    """The options of each entry point of a role."""
    text = (TREE / "roles" / role / "meta/argument_specs.yml").read_text(encoding="utf-8")
    specs = yaml.safe_load(text)["argument_specs"]
    return {entry: spec.get("options") or {} for entry, spec in specs.items()}


REFUSED: dict[str, dict[str, Any]] = {
    "Take serial out of the play": {"serial": 1},
    "Take the strategy out of the play": {"strategy": "free"},
}
"""By what a role says of them the keywords of plays in which it can't decide over all hosts at once."""


def own_play(folder: Path, role: str, hosts: str, *, tasks_from: str = "", **keywords: Any) -> str:
    """A play of a user with a role, under C(roles) or with another entry point.

    Args:
        folder: Where the playbook is written.
        role: The name of the role.
        hosts: The hosts of the play.
        tasks_from: The entry point; empty for the main one.
        keywords: Of the play.
    """
    name = f"{COLLECTION}.{role}"
    task = {"name": "Role", "ansible.builtin.import_role": {"name": name, "tasks_from": tasks_from}}
    does: dict[str, Any] = {"tasks": [task]} if tasks_from else {"roles": [{"role": name}]}
    path = folder / "play.yml"
    path.write_text(yaml.safe_dump([{"name": "Own", "hosts": hosts, "gather_facts": False, **does, **keywords}]), encoding="utf-8")
    return str(path)
