# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs playbooks of the collection against the lab as AWX does, with ansible-runner, and reads its job events."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ansible_runner

from .layout import TESTS

RESULT_EVENTS = ("runner_on_ok", "runner_on_failed", "runner_on_unreachable", "runner_item_on_ok", "runner_item_on_failed")


@dataclass(frozen=True)
class TaskResult:
    """What one task gave on one host."""

    task: str
    host: str
    result: dict[str, Any]
    event: str


@dataclass
class Run:
    """A finished run of a playbook.

    Attributes:
        status: What ansible-runner says: ``successful``, ``failed``, ``canceled`` …
        rc: The exit code of ansible-playbook.
        results: Every result of a task, in order.
        stats: The recap: counter to host to number.
        custom_stats: What set_stats left.
        output: What ansible-playbook printed.
    """

    status: str
    rc: int
    results: list[TaskResult] = field(default_factory=list)
    stats: dict[str, dict[str, int]] = field(default_factory=dict)
    custom_stats: dict[str, Any] = field(default_factory=dict)
    output: str = ""

    def of_task(self, name: str) -> list[TaskResult]:
        """The results of the task with that name, with or without the name of its role."""
        return [entry for entry in self.results if entry.task == name]

    def steps(self) -> list[dict[str, Any]]:
        """Every step that was made, or in check mode is due: those of results that say changed."""
        return [step for entry in self.results if entry.result.get("changed") for step in entry.result.get("steps") or []]

    def failures(self) -> list[str]:
        """The messages of what failed or was not reached."""
        bad = ("runner_on_failed", "runner_on_unreachable")
        return [str(entry.result.get("msg")) for entry in self.results if entry.event in bad]

    def changed(self) -> int:
        """The number of changed tasks over all hosts."""
        return sum(self.stats.get("changed", {}).values())


def run_playbook(
    lab_root: Path,
    playbook: str = "winops.volume_activation.kms_single_site",
    *,
    inventory: Path | None = None,
    arguments: str = "",
    variables: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    on_event: Callable[[dict[str, Any]], None] | None = None,
    keep: Path | None = None,
) -> Run:
    """Run a playbook against the lab and wait for its end.

    Args:
        lab_root: The folder of the running lab, with its inventory and environment.
        playbook: By FQCN, or a path.
        inventory: Another one than the lab's own.
        arguments: Further arguments of ansible-playbook.
        variables: Extra variables.
        environment: Further environment variables.
        on_event: Called with each job event as it arrives.
        keep: The folder of the job, which is kept with its events; what it is given as variables is not written there, as AWX has it.
    """
    run = Run("", -1)

    def handle(event: dict[str, Any]) -> bool:
        data = event.get("event_data") or {}
        if event["event"] in RESULT_EVENTS:
            run.results.append(TaskResult(data.get("task", ""), data.get("host", ""), data.get("res") or {}, event["event"]))
        elif event["event"] == "playbook_on_stats":
            run.stats = {name: data.get(name) or {} for name in ("ok", "changed", "failures", "dark", "skipped", "ignored", "rescued")}
            run.custom_stats = data.get("artifact_data") or {}
        if on_event:
            on_event(event)
        # True has ansible-runner write the event into the folder of the job, where tests look for all that AWX would show of it.
        return keep is not None

    with contextlib.ExitStack() as stack:
        private = keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="lab-run-"))
        done = ansible_runner.run(
            private_data_dir=str(private),
            suppress_env_files=keep is not None,
            playbook=playbook,
            inventory=str(inventory or lab_root / "inventory.yml"),
            cmdline=arguments or None,
            extravars=dict(variables or {}),
            envvars={**lab_environment(lab_root), **(environment or {})},
            event_handler=handle,
            quiet=True,
        )
        run.status, run.rc = done.status, done.rc
        run.output = done.stdout.read()
    return run


def lab_environment(lab_root: Path) -> dict[str, str]:
    """The environment that a play needs: the lab's own variables and the place of the collection."""
    build = TESTS.parent / "build"
    found = {
        "ANSIBLE_COLLECTIONS_PATH": str(build / "collections"),
        "ANSIBLE_HOME": str(build / "home" / ".ansible"),
        "LC_ALL": "C.UTF-8",
        # The commands of the environment that runs us, whether it is activated or not.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }
    found.update(_exports((lab_root / "env").read_text(encoding="utf-8")))
    return found


def _exports(text: str) -> Iterator[tuple[str, str]]:
    """The variables of a file of ``export NAME='value'`` lines."""
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith("#"):
            yield name, value.strip().strip("'\"")
