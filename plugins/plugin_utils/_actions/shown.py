# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a task result people get to read. Pure."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from typing import Any

from .._core.masking import Secrets
from .._core.plan import Step
from .._core.text import LONGEST_LINE, escaped, visible, visible_value

# The other return values are for tasks, which need the exact value.
_READ_BY_PEOPLE = ("msg", "warnings", "steps", "error")


def traceback_of(cause: BaseException, secrets: Secrets) -> str:
    """The traceback of an exception without secrets; what its text adds as lines of its own is indented like the others."""
    said = secrets.mask("".join(traceback.format_exception(cause)))
    first, *others = said.rstrip("\n").split("\n")
    return "\n".join([escaped(first), *(f"  {escaped(line)}" for line in others)]) + "\n"


def for_people(name: str, value: Any) -> Any:
    """A return value; where people read it, every text in it as one visible line."""
    if name in _READ_BY_PEOPLE:
        return visible_value(value)
    return [_visible_difference(entry) for entry in value] if name == "diff" else value


def _visible_difference(difference: Mapping[str, Any]) -> dict[str, Any]:
    """A difference as Ansible takes it: its texts have lines, and its values are printed as JSON."""
    return {
        name: "\n".join(visible(line, LONGEST_LINE) for line in value.split("\n")) if isinstance(value, str) else visible_value(value)
        for name, value in difference.items()
    }


def difference_of(steps: Iterable[Step]) -> dict[str, Any]:
    """The steps as Ansible's diff mode takes them."""
    before: dict[str, dict[str, object]] = {}
    after: dict[str, dict[str, object]] = {}
    for step in steps:
        before.setdefault(step.object, {})[step.attribute] = step.before
        after.setdefault(step.object, {})[step.attribute] = step.after
    return {"before": before, "after": after, "before_header": "now", "after_header": "wanted"}
