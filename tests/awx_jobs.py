# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX makes of extensions/awx: the objects that the playbook there creates, and what a credential gives to a job.

Needs ansible-core, and no AWX: the modules of awx.awx are stood in for by one that writes its options down.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import awx_templates
import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment

MODULES: dict[str, dict[str, Any]] = awx_templates.read(Path(__file__).parent / "unit/awx_modules.yml")
"""The modules of awx.awx with their options."""
LISTS = {
    "credential_type": "controller_credential_types",
    "job_template": "controller_templates",
    "workflow_job_template": "controller_workflows",
    "schedule": "controller_schedules",
}
"""By module the variable of infra.aap_configuration with what it creates."""

_STAND_IN = """\
import json
import os

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        name = self._task.action.rpartition(".")[2]
        with open(os.environ["AWX_WRITTEN"], "a", encoding="utf-8") as file:
            file.write(json.dumps([name, self._task.args]) + "\\n")
        return {"changed": True}
"""


def data() -> dict[str, Any]:
    """The variables of all files of extensions/awx that the playbook reads, as they are written."""
    found: dict[str, Any] = {}
    for name in ("settings", "credential_types", "templates", "workflows", "schedules"):
        found |= awx_templates.read(awx_templates.FOLDER / f"{name}.yml")
    return found


def created(folder: Path, **settings: Any) -> dict[str, list[dict[str, Any]]]:
    """Run the playbook that configures AWX; by module the options of each task, in order.

    Args:
        folder: A place for the stand-ins.
        settings: In place of those of settings.yml.
    """
    actions = folder / "ansible_collections/awx/awx/plugins/action"
    actions.mkdir(parents=True)
    for module in MODULES:
        (actions / f"{module}.py").write_text(_STAND_IN, encoding="utf-8")
    written = folder / "written.jsonl"
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(folder), "ANSIBLE_HOME": str(folder / "home"), "AWX_WRITTEN": str(written)}
    command = [Path(sys.executable).parent / "ansible-playbook", awx_templates.FOLDER / "configure.yml", "-e", json.dumps(settings)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, list[dict[str, Any]]] = {module: [] for module in MODULES}
    for line in written.read_text(encoding="utf-8").splitlines():
        module, options = json.loads(line)
        found[module].append(options)
    return found


def types_by_key() -> dict[str, dict[str, Any]]:
    """The credential types by what settings.yml calls their credentials."""
    found = data()
    _machine, *keys = found["awx_credentials"]
    return dict(zip(keys, found["controller_credential_types"], strict=True))


@dataclass
class Job:
    """What AWX starts a job with.

    Attributes:
        environment: Environment variables.
        variables: Extra variables with templates, which are those of the job template itself.
        texts: Extra variables in which a template stays a text: answers of the survey, and what credentials give.
    """

    environment: dict[str, str] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def attach(self, kind: Mapping[str, Any], inputs: Mapping[str, str], folder: Path) -> None:
        """Add a credential. A field that nobody filled in is empty; a file is there for the job alone.

        Args:
            kind: The credential type.
            inputs: The fields that are filled in.
            folder: Where its files are written.
        """
        names: dict[str, Any] = {entry["id"]: "" for entry in kind["inputs"]["fields"]} | dict(inputs)
        assert inputs.keys() <= {entry["id"] for entry in kind["inputs"]["fields"]} and inputs.keys() >= set(
            kind["inputs"].get("required", ())
        )
        places = {}
        for name, text in kind["injectors"].get("file", {}).items():
            path = folder / f"{len(list(folder.iterdir()))}.{name}"
            path.touch(mode=0o600)
            path.write_text(_rendered(text, names), encoding="utf-8")
            places[name.partition(".")[2]] = str(path)
        names["tower"] = {"filename": places}
        self.environment |= {name: _rendered(text, names) for name, text in kind["injectors"].get("env", {}).items()}
        self.texts |= {name: _rendered(text, names) for name, text in kind["injectors"].get("extra_vars", {}).items()}

    def write(self, path: Path) -> None:
        """Write the extra variables down as AWX does, for C(-e @FILE)."""
        path.touch(mode=0o600)
        text = yaml.safe_dump(self.variables) if self.variables else ""
        path.write_text(text + "".join(f"{name}: !unsafe {json.dumps(value)}\n" for name, value in self.texts.items()), encoding="utf-8")


def _rendered(text: str, names: Mapping[str, Any]) -> str:
    return ImmutableSandboxedEnvironment(keep_trailing_newline=True).from_string(text).render(names)


def slice_of(inventory: Mapping[str, Any], number: int, count: int) -> dict[str, Any]:
    """The inventory of a slice as AWX makes it: of all hosts by name every so many, the others in no group; the groups and variables stay.

    Args:
        inventory: As a file of YAML has it.
        number: Which slice, from 1.
        count: How many there are.
    """
    chosen = frozenset(sorted(_hosts_in(inventory))[number - 1 :: count])
    return {name: _with_hosts(group, chosen) for name, group in inventory.items()}


def variables_of_slice(template: str) -> dict[str, str]:
    """What AWX tells a slice of itself: a workflow job made of the job template, and nothing of slices.

    Args:
        template: The name of the job template.
    """
    told = {
        "workflow_job_name": template,
        "job_template_name": template,
        "job_launch_type": "workflow",
        "workflow_job_launch_type": "manual",
    }
    return {f"{prefix}_{name}": value for prefix in ("awx", "tower") for name, value in told.items()}


def _hosts_in(groups: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    for group in groups.values():
        found |= (group or {}).get("hosts", {}).keys() | _hosts_in((group or {}).get("children", {}))
    return found


def _with_hosts(group: Mapping[str, Any] | None, chosen: Collection[str]) -> dict[str, Any]:
    found = dict(group or {})
    if "hosts" in found:
        found["hosts"] = {name: own for name, own in found["hosts"].items() if name in chosen}
    if "children" in found:
        found["children"] = {name: _with_hosts(child, chosen) for name, child in found["children"].items()}
    return found


def answers(template: Mapping[str, Any]) -> dict[str, str]:
    """What the survey of a job template sends where nobody filled in anything."""
    return {question["variable"]: "" for question in template["survey_spec"]["spec"]}


def nodes(workflow: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, list[str]]]]:
    """The nodes of a workflow, each with the identifiers of what comes after it, by the condition."""
    for node in workflow["workflow_nodes"]:
        yield node, {after: [entry["identifier"] for entry in entries] for after, entries in node.get("related", {}).items()}
