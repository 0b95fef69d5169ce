# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deviations of an audit for people: those that say the same of several objects are one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .._core.text import some

_FIRST_NAMES = 3
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DeviationGroup:
    """Deviations that say the same.

    Attributes:
        severity: As the audit has it.
        who: The first of the objects, and how many more there are.
        text: The sentence, that of the first.
    """

    severity: str
    who: str
    text: str


def grouped(deviations: Iterable[Mapping[str, Any]]) -> list[DeviationGroup]:
    """Deviations whose sentences differ in nothing but the name of the object as one, in their order.

    Args:
        deviations: Those of the report of an audit.
    """
    alike: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for entry in deviations:
        about, text = str(entry["object"]), str(entry["text"])
        said = text.replace(about, "") if about else text
        alike.setdefault((str(entry["severity"]), str(entry["attribute"]), said), []).append(entry)
    return [
        DeviationGroup(severity, some([str(entry["object"]) for entry in entries], _FIRST_NAMES), str(entries[0]["text"]))
        for (severity, _attribute, _said), entries in alike.items()
    ]


def numbers(counts: Mapping[str, int]) -> str:
    """How many there are by severity, for people."""
    return ", ".join(f"{count} {name}{'' if count == 1 or name == _UNKNOWN else 's'}" for name, count in counts.items())
