# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the result of a task on one host tells people. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .._core.text import LONGEST_LINE, LONGEST_NAME, visible
from .texts import Block, block, sentence

HIDDEN = "The result is hidden by no_log."
NO_MESSAGE = "The task failed without a message."

_DEBUG = ("debug", "ansible.builtin.debug", "ansible.legacy.debug")
# What is beside the variable in a result of debug.
_BESIDE = frozenset(
    [
        "changed",
        "failed",
        "skipped",
        "invocation",
        "item",
        "ansible_loop_var",
        "ansible_index_var",
        "ansible_loop",
        "warnings",
        "deprecations",
        "exception",
    ]
)


class TaskOutcome(Enum):
    """What became of a task on a host; the value is how a count calls it."""

    OK = "ok"
    CHANGED = "changed"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    FAILED_IGNORED = "failed (ignored)"
    UNREACHABLE_IGNORED = "unreachable (ignored)"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class TaskAnswer:
    """What a result or the items of its loop tell beyond the outcome; each of them once for a host.

    Attributes:
        differences: What changes.
        failures: Why it failed, as sentences.
        said: What C(debug) shows at once.
        summary: The lines that C(debug) shows as a list, which come at the end of the run.
        warnings: Sentences.
    """

    differences: tuple[Block, ...] = ()
    failures: tuple[str, ...] = ()
    said: tuple[str | Block, ...] = ()
    summary: tuple[tuple[str, ...], ...] = ()
    warnings: tuple[str, ...] = ()

    def and_also(self, other: TaskAnswer) -> TaskAnswer:
        """Those of another one as well, without what is equal."""
        joined = {name: tuple(dict.fromkeys((*getattr(self, name), *getattr(other, name)))) for name in TaskAnswer.__slots__}
        return TaskAnswer(**joined)


def answer_of(
    result: Mapping[str, Any],
    names: Sequence[str],
    action: str,
    *,
    failed: bool,
    item: Any = None,
    of_loop: bool = False,
    emptied: bool = False,
) -> TaskAnswer:
    """What a result tells, or that of one item of a loop.

    Args:
        result: The return values, as callbacks get them.
        names: The names of the host, which differ from one host to the next.
        action: The module of the task.
        failed: The task failed, or did not reach the host.
        item: The label of the item, where the result is that of one.
        of_loop: The result is that of all items, which told what they have before.
        emptied: The action hides its result because of its size, and not the task because of a secret. Its warnings are to be read.
    """
    hidden = "censored" in result or bool(result.get("_ansible_no_log"))
    warnings = tuple(sentence(str(warning), names) for warning in result.get("warnings") or () if emptied or not hidden)
    if hidden:
        return TaskAnswer(failures=(HIDDEN,) if failed else (), warnings=warnings)
    if failed:
        return TaskAnswer(failures=(_failure(result, names, item),), warnings=warnings)
    if action not in _DEBUG or of_loop:
        return TaskAnswer(warnings=warnings)
    said = result["msg"] if "msg" in result else _variable(result)
    if isinstance(said, list) and said and all(isinstance(line, str) for line in said):
        return TaskAnswer(summary=(tuple(said),), warnings=warnings)
    return TaskAnswer(said=(_as_said(said),), warnings=warnings)


def _failure(result: Mapping[str, Any], names: Sequence[str], item: Any) -> str:
    """Why a task failed, as one sentence."""
    said = result.get("msg")
    text = " ".join(map(str, said)) if isinstance(said, (list, tuple)) else str(said or "")
    # A command that fails says what is wrong there.
    if errors := str(result.get("stderr") or result.get("module_stderr") or "").strip():
        text = f"{text}: {errors}" if text else errors
    return sentence(text.strip() or NO_MESSAGE, names).followed_by("" if item is None else f" (item {_label(item)})")


def _variable(result: Mapping[str, Any]) -> dict[str, Any]:
    """The variable that debug shows, by its name."""
    return {name: value for name, value in result.items() if not name.startswith("_ansible_") and name not in _BESIDE}


def _as_said(value: Any) -> str | Block:
    """Text as one line, all else as lines of JSON."""
    if isinstance(value, str) and "\n" not in value:
        return visible(value, LONGEST_LINE)
    lines = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return block(lines.splitlines())


def _label(item: Any) -> str:
    """The item of a loop, short."""
    return visible(item if isinstance(item, str) else json.dumps(item, ensure_ascii=False, default=str), LONGEST_NAME // 4)
