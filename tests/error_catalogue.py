# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads C(errors.yml), what the collection says when something is wrong, and runs those of its cases that need no host."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import yaml

CATALOGUE = Path(__file__).parent / "errors.yml"
COLLECTION = "ansible_collections.winops.volume_activation.plugins"
HOST = "kms-1.contoso.com"


def sections() -> dict[str, list[dict[str, Any]]]:
    """The cases by section."""
    found: dict[str, list[dict[str, Any]]] = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    return found


def cases(section: str) -> dict[str, dict[str, Any]]:
    """The cases of a section by their names, for a test that brings each about and compares."""
    return {case["case"]: case for case in sections()[section]}


def without_hosts() -> Iterator[dict[str, Any]]:
    """The cases that name a module and its options, which is all that they need."""
    for found in sections().values():
        yield from (case for case in found if "module" in case)


def result_of(case: dict[str, Any]) -> dict[str, Any]:
    """What the module of a case returns. Libraries of C(without) must not have been imported before."""
    for library in case.get("without", ()):
        sys.modules[library] = None  # type: ignore[assignment]
    task = SimpleNamespace(
        args=case.get("options", {}), check_mode=False, diff=False, async_val=0, action="x", delegate_to=None, environment=None
    )
    connection = SimpleNamespace(
        ansible_name=case.get("connection", "ansible.builtin.winrm"),
        _shell=SimpleNamespace(tmpdir="x"),
        option_definitions={},
        allow_extras=False,
    )
    templar = SimpleNamespace(template=lambda value: value)
    action = importlib.import_module(f"{COLLECTION}.action.{case['module']}").ActionModule(task, connection, None, None, templar, None)
    action._play_context = SimpleNamespace(become=False)
    base = sys.modules[f"{COLLECTION}.plugin_utils._action"]
    # Of a connection only its kind is looked at here; whatever is wrong has to be seen before anything is sent.
    opened = nullcontext() if case.keys() & {"connection", "without"} else patch.object(base, "open_session", lambda *_: nullcontext())
    with opened:
        result: dict[str, Any] = action.run(task_vars={"inventory_hostname": HOST})
    return result


if __name__ == "__main__":
    # A process of its own for cases in which libraries are missing.
    print(json.dumps(result_of(json.loads(sys.argv[1]))))
