# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run says that it has done, compared with what witnesses see of the same thing."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from lab.play import Run

from .world import Seen

TREE = Path(__file__).resolve().parents[2]
Host = Mapping[str, Any]


def _registry(host: Host, name: str) -> Any:
    return next((value for path, value in host["registry"].items() if path.endswith(f"\\{name}")), None)


def _spoken(value: object) -> str:
    return "enabled" if value else "disabled"


TRUTH: dict[str, Callable[[Host], Any]] = {
    "product key": lambda host: [product["partial_key"] for product in host["products"]],
    "license status": lambda host: ["licensed"] if any(product["license_status"] == 1 for product in host["products"]) else [],
    "KeyManagementServiceVersion": lambda host: [_registry(host, "KeyManagementServiceVersion")],
    "listening port": lambda host: [None if (port := _registry(host, "KeyManagementServiceListeningPort")) is None else int(port)],
    "KMS host": lambda host: [_registry(host, "KeyManagementServiceName")],
    "KMS port": lambda host: [_registry(host, "KeyManagementServicePort")],
    "image state": lambda host: [host["image_state"]],
}
"""Of a host, what an attribute of a step may be afterwards."""


def claims(runs: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The steps that results say are done, also those of a task that failed; the last word on each attribute."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for result in runs:
        for step in result.get("steps") or []:
            found[step["object"], step["attribute"]] = step
    yield from found.values()


def results(run: Run) -> list[dict[str, Any]]:
    """What each task of a run gave; items of a loop have results of their own."""
    return [entry.result for entry in run.results if not entry.result.get("results") and not _planned(entry.task)]


def _planned(task: str) -> bool:
    """A task that roles run in check mode alone names steps that nobody has made."""
    return task.rpartition(" : ")[2] in _in_check_mode()


@functools.cache
def _in_check_mode() -> frozenset[str]:
    """The names of such tasks."""
    files = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in TREE.glob("roles/*/tasks/*.yml"))
    return frozenset(str(task["name"]) for tasks in files for task in _flat(tasks or ()) if task.get("check_mode") is True)


def _flat(tasks: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for task in tasks:
        yield task
        for part in ("block", "rescue", "always"):
            yield from _flat(task.get(part) or ())


def untrue(run: Run, seen: Seen) -> list[str]:
    """The steps that a run says it has made and that nobody sees."""
    wrong = []
    for step in claims(results(run)):
        told = _told(step, seen)
        if step["attribute"] == "license status" and step["after"] != "licensed":
            continue  # a client that was only counted
        if told is not None and step["after"] not in told:
            wrong.append(f"{step['object']}: {step['attribute']} is said to be {step['after']!r}, and is {told!r}")
    return wrong


def _told(step: Mapping[str, Any], seen: Seen) -> list[Any] | None:
    """What witnesses say; C(None) where they are not asked about such a thing."""
    host = next(
        (state for state in seen.hosts.values() if state["host"] == step["object"] or str(step["object"]).startswith(f"{state['host']} ")),
        None,
    )
    attribute = re.sub(r"HKLM.*\\", "", str(step["attribute"]))
    if host is not None:
        if attribute.startswith("firewall rule "):
            return [_spoken(host["firewall"].get(attribute.removeprefix("firewall rule ")))]
        return TRUTH[attribute](host) if attribute in TRUTH else None
    kind, _space, name = str(step["object"]).partition(" ")
    if kind == "SRV" and attribute.startswith("value "):
        values = next((values for zone, values in seen.records.items() if name.endswith(f".{zone}")), None)
        return None if values is None else ["present" if attribute.removeprefix("value ") in values else "absent"]
    if attribute.startswith("member "):
        known = next((members for group, members in seen.members.items() if group in str(step["object"])), None)
        return None if known is None else ["present" if attribute.removeprefix("member ") in known else "absent"]
    return None
