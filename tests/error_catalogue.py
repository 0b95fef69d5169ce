# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads C(errors.yml), what the collection says when something is wrong, and runs those of its cases that need no host."""

from __future__ import annotations

import functools
import importlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import yaml
from handmade import task_of

CATALOGUE = Path(__file__).parent / "errors.yml"
COLLECTION = "ansible_collections.winops.volume_activation.plugins"
HOST = "kms-1.contoso.com"


@functools.cache
def sections() -> dict[str, list[dict[str, Any]]]:
    """The cases by section."""
    found: dict[str, list[dict[str, Any]]] = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    return found


def cases(section: str) -> dict[str, dict[str, Any]]:
    """The cases of a section by their names, for a test that brings each about and compares."""
    return {case["case"]: case for case in sections()[section]}


def paired(section: str, brought_about: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The cases of a section for the one test that brings them about, which has to know each of them and no others."""
    found, known = cases(section), set(brought_about)
    if found.keys() != known:
        raise LookupError(f"{section}: no test brings about {sorted(found.keys() - known)}, not in the file {sorted(known - found.keys())}")
    return found


def shown(error: Any) -> dict[str, str]:
    """An ActivationError as the file writes a case down."""
    return {"says": error.message, "source": error.source, "code": str(error.code or ""), "name": error.name}


def said(case: dict[str, Any], **known: object) -> str:
    """What a case that is no error says (a warning, a finding, a line of a summary), with the values of `known` in place of names in braces."""
    says: str = case["says"].format(**known)
    return says


def expected(case: dict[str, Any], error: Any, **known: object) -> dict[str, str]:
    """What `shown` has to give for the error of a case, with the values of `known` in place of names in braces.

    Where the sentence has C(…), the text of the error stands in for it if all the rest is as written.
    """
    says = said(case, **known)
    pattern = ".+".join(re.escape(text) for text in says.split("…"))
    if "…" in says and re.fullmatch(pattern, error.message, re.DOTALL):
        says = error.message
    return {"says": says, "code": "", "name": "", **case["error"]}


def without_hosts() -> Iterator[dict[str, Any]]:
    """The cases that name a module and its options, which is all that they need."""
    for found in sections().values():
        yield from (case for case in found if "module" in case)


def result_of(case: dict[str, Any]) -> dict[str, Any]:
    """What the module of a case returns. Libraries of C(without) must not have been imported before."""
    for library in case.get("without", ()):
        sys.modules[library] = None  # type: ignore[assignment]
    task = task_of(case.get("options", {}))
    connection = SimpleNamespace(
        ansible_name=case.get("connection", "ansible.builtin.winrm"),
        _shell=SimpleNamespace(tmpdir="x"),
        option_definitions={},
        allow_extras=False,
    )
    templar = SimpleNamespace(template=lambda value: value)
    action = importlib.import_module(f"{COLLECTION}.action.{case['module']}").ActionModule(task, connection, None, None, templar, None)
    action._play_context = SimpleNamespace(become=False)
    # Of a connection only its kind is checked here; whatever is wrong has to be seen before anything is sent.
    opened = (
        nullcontext()
        if case.keys() & {"connection", "without"}
        else patch(f"{COLLECTION}.plugin_utils._actions.windows.opened", lambda *_, **_more: nullcontext())
    )
    with opened:
        result: dict[str, Any] = action.run(task_vars={"inventory_hostname": HOST})
    return result


if __name__ == "__main__":
    # A process of its own for each of the cases, in which libraries are missing.
    importlib.import_module("ansible.plugins.action")
    for given in json.loads(sys.argv[1]):
        if not os.fork():
            print(json.dumps([given["case"], result_of(given)]), flush=True)
            os._exit(0)
        os.wait()
