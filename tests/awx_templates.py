# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the job templates of AWX with their surveys.

Run it after a change to job_templates.yml, to the argument spec of a role or to the page about variables, with what test_awx_templates.py
compares:

    python3 tests/awx_templates.py

A question that is not required is of a type that takes an empty answer. The types integer and float take none, and multiplechoice only
one of its choices, so that numbers are texts and choices have an empty one among them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

TREE = Path(__file__).resolve().parents[1]
FOLDER = TREE / "extensions/awx"
WRITTEN = FOLDER / "templates.yml"
PREFIX = "Volume activation: "

_HEADER = """\
# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
---
# Made by tests/awx_templates.py from job_templates.yml, the argument specs of the roles and docs/docsite/rst/variables.rst.
"""
_ROW = re.compile(r"^   \* - ``(volume_activation_\w+)``\n     - (.*)\n     -(.*)\n     - .*\n", re.MULTILINE)
_MARKUP = re.compile(r"\b[BCEILMOPUV]\(([^)]*)\)")
_ROLE_OF_PLUGIN = re.compile(r"winops\.volume_activation\.(\w+)(?:#\w+)?")
_REFERENCE = re.compile(r":ref:`([^<`]*?) *<[^`]*>`")
_TRUTH = ["", "true", "false"]


def read(path: Path) -> Any:
    """A file of YAML, in which a text that is marked as unsafe is a text."""
    return yaml.load(path.read_text(encoding="utf-8"), _Loader)


_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):  # type: ignore[misc]
    pass


_Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists are indented, as ansible-lint has them."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


@functools.cache
def role_options() -> dict[str, dict[str, Any]]:
    """The options of all roles and entry points, by name."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((TREE / "roles").glob("*/meta/argument_specs.yml")):
        for spec in read(path)["argument_specs"].values():
            found |= spec.get("options", {})
    return found


@functools.cache
def shared_variables() -> dict[str, tuple[str, str]]:
    """What the page about variables says of each: the meaning, and the default as it is written there."""
    text = (TREE / "docs/docsite/rst/variables.rst").read_text(encoding="utf-8")
    return {name: (_plain_of_page(meaning), _plain_of_page(default)) for name, meaning, default in _ROW.findall(text)}


def _plain_of_page(text: str) -> str:
    return _REFERENCE.sub(r"\1", text).replace("``", "").strip()


def _plain(text: str) -> str:
    """A sentence of an argument spec without markup."""
    return _ROLE_OF_PLUGIN.sub(r"\1", _MARKUP.sub(r"\1", text))


def question(variable: str) -> dict[str, Any]:
    """The question of a survey that asks for a variable. It has no default, which would come before the inventory."""
    options = role_options()
    if variable in options:
        name, more, kind, choices = _of_option(options[variable])
    else:
        name, default = shared_variables()[variable]
        more = f"Left empty, it is {default}." if default else ""
        kind, choices = ("multiplechoice", _TRUTH) if default in _TRUTH[1:] else ("text", [])
    found = {"question_name": name, "question_description": more, "variable": variable, "type": kind, "required": False}
    return found | ({"choices": choices} if choices else {})


def _of_option(option: dict[str, Any]) -> tuple[str, str, str, list[str]]:
    """The name of a question, its description, its type and its choices."""
    paragraphs = [option["description"]] if isinstance(option["description"], str) else option["description"]
    first, stop, rest = _plain(paragraphs[0]).partition(". ")
    default = option.get("default")
    sentences = [rest] * bool(stop) + [_plain(paragraph) for paragraph in paragraphs[1:]]
    if default not in ("", None, [], {}):
        sentences.append(f"Left empty, it is {str(default).lower() if isinstance(default, bool) else default}.")
    kind, choices = "text", []
    if option.get("no_log"):
        kind = "password"
    elif isinstance(default, bool):
        kind, choices = "multiplechoice", _TRUTH
    elif option.get("choices"):
        kind, choices = "multiplechoice", sorted(option["choices"], key=bool)
    elif isinstance(default, dict):
        kind = "textarea"
    return first.removesuffix("."), " ".join(sentences), kind, choices


def on_control_node(playbook: str) -> bool:
    """Whether a playbook does its work on the control node, which a limit leaves out."""
    return bool(read(FOLDER.parents[1] / "playbooks" / f"{playbook}.yml")[-1].get("hosts") == "localhost")


def template(playbook: str, declared: dict[str, Any]) -> dict[str, Any]:
    """The job template of a playbook, with the names that infra.aap_configuration and awx.awx have for its fields."""
    credentials = declared["credentials"]
    variables = ["awx_extra_vars"]
    if not on_control_node(playbook):
        variables.append("{'volume_activation_min_hosts': awx_min_hosts} if awx_min_hosts else {}")
    variables += [
        f"awx_variables_of_credentials.{name} if awx_credentials.{name} else {{}}"
        for name in credentials
        if name in read(FOLDER / "credential_types.yml")["awx_variables_of_credentials"]
    ]
    found = {
        "name": PREFIX + declared["name"],
        "description": declared["description"],
        "organization": "{{ awx_organization }}",
        "inventory": "{{ awx_inventory }}",
        "project": "{{ awx_project }}",
        "execution_environment": "{{ awx_execution_environment }}",
        "playbook": f"playbooks/{playbook}.yml",
        "job_type": "run",
        "credentials": f"{{{{ [{', '.join(f'awx_credentials.{name}' for name in credentials)}] | select | list }}}}",
        "extra_vars": f"{{{{ {variables[0]}{''.join(f' | combine({more})' for more in variables[1:])} }}}}",
        "allow_simultaneous": False,
        "job_slice_count": 1,
        "ask_job_slice_count_on_launch": declared["slices"]["allowed"],
        "ask_job_type_on_launch": True,
        "ask_diff_mode_on_launch": True,
        "ask_limit_on_launch": not on_control_node(playbook),
        "ask_verbosity_on_launch": True,
        "survey_enabled": True,
        "survey_spec": {
            "name": PREFIX + declared["name"],
            "description": "An empty answer is no answer.",
            "spec": [question(variable) for variable in declared["asked"]],
        },
    }
    if "place" in declared:
        found["instance_groups"] = f"{{{{ awx_instance_groups.{declared['place']} }}}}"
    return found


def templates() -> Iterator[dict[str, Any]]:
    """All job templates, in the order of job_templates.yml."""
    for playbook, declared in read(FOLDER / "job_templates.yml").items():
        yield template(playbook, declared)


def written() -> str:
    """The file of the job templates."""
    text = yaml.dump(
        {"controller_templates": list(templates())},
        Dumper=_Dumper,
        sort_keys=False,
        width=110,
        allow_unicode=True,
        default_flow_style=False,
    )
    return _HEADER + text


if __name__ == "__main__":
    WRITTEN.write_text(written(), encoding="utf-8")
    print(WRITTEN)
