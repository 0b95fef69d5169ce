# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One deviation, and how results of tasks become some. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard

from ..._core.text import LONGEST_LINE, visible, visible_value
from ..registered import Result

DEVIATION, UNKNOWN, NOTE = "deviation", "unknown", "note"
SEVERITIES = (DEVIATION, UNKNOWN, NOTE)
"""In the order in which they are told."""
NOT_ASKED = "it was not asked, or gave no result"
"""Why something was not checked of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """Something that is not as the topology has it, or that its owner should know.

    Attributes:
        object: The record, group, host or client that it is about.
        attribute: Which property of it.
        expected: What it should be, as JSON can hold it; C(None) where there should be nothing.
        found: What it is; C(None) where there is nothing.
        text: The same as one sentence, with what to do where that is not plain.
        severity: C(deviation); C(unknown) where it could not be checked; C(note) where nothing has to be mended.
        kind: What such objects are called where several have the same finding, such as C(clients); empty for no name.
        alike: What findings of one attribute have in common that one line can tell; empty for their C(text).
        together: The sentence for several of them; empty for the C(text) of the first.
    """

    object: str
    attribute: str
    expected: Any
    found: Any
    text: str
    severity: str = DEVIATION
    kind: str = ""
    alike: str = ""
    together: str = ""

    def as_result(self) -> dict[str, Any]:
        """The deviation as variables can hold it."""
        # The whole of it is printed as it is.
        return {
            "object": visible(self.object, LONGEST_LINE),
            "attribute": visible(self.attribute, LONGEST_LINE),
            "expected": visible_value(self.expected),
            "found": visible_value(self.found),
            "severity": self.severity,
            "text": visible(self.text, LONGEST_LINE),
        }


def was_made(result: Result | None) -> TypeGuard[Result]:
    """Whether a task ran and came to a result."""
    return result is not None and bool(result) and not any(result.get(sign) for sign in ("failed", "unreachable", "skipped", "error"))


def not_made(subject: str, check: str, result: Result | None) -> Deviation:
    """The finding that a task came to no result."""
    return not_looked_at(subject, check, str((result or {}).get("msg") or NOT_ASKED))


def not_looked_at(subject: str, check: str, reason: str, alike: str = "") -> Deviation:
    """The finding that something could not be checked: what was not seen may be wrong.

    Args:
        subject: The record, group, host or client.
        check: What should have been checked.
        reason: Why it was not.
        alike: The kind of reason, where the reasons of several differ in names only.
    """
    reason = reason.rstrip(".")
    return Deviation(
        subject,
        check,
        "checked",
        "not checked",
        f"Its {check} could not be checked: {reason}.",
        UNKNOWN,
        alike=alike,
        together=f"Their {check} could not be checked; the reason of the first: {reason}.",
    )


def changed(subject: str, attribute: str, found: Any, expected: Any) -> Deviation:
    """The finding that a module would change an attribute."""
    return Deviation(subject, attribute, expected, found, f"{attribute} is {said(found)}; it should be {said(expected)}.")


def of_steps(result: Result, passed_over: Collection[str] = ()) -> Iterator[Deviation]:
    """What a module would change, each step as a deviation.

    Args:
        result: The module's result in check mode.
        passed_over: How the attributes of those steps begin that are checked in another way.
    """
    for step in result.get("steps") or []:
        attribute, found, expected = str(step["attribute"]), step.get("before"), step.get("after")
        if not attribute.startswith(tuple(passed_over)):
            yield changed(str(step["object"]), attribute, found, expected)


def has_step(result: Result | None, attribute: str) -> bool:
    """Whether a module would change an attribute."""
    return any(step["attribute"] == attribute for step in (result or {}).get("steps") or [])


def said(value: Any) -> str:
    """A value as a sentence has it."""
    if value is None or value in ("", []):
        return "not there"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
