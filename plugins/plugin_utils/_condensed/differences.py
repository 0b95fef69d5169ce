# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The differences that Ansible's diff mode shows, as few lines that are equal for many hosts. Pure."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._core.text import LONGEST, visible
from .texts import Block, block, without_name

_NOTHING = "(none)"
# Values below so many names are shown as a whole.
_DEEPEST = 4
# The notes that Ansible's own callback has instead of a difference.
_NOT_SHOWN = ("src_binary", "dst_binary", "src_larger", "dst_larger")


def difference(given: Any, names: Sequence[str]) -> Block | None:
    """What a task changes on a host.

    Values by name, as all modules of this collection have them, are one line for each that differs; text is a unified diff.

    Args:
        given: The return value C(diff) of the task: a dictionary or a list of them.
        names: The names of the host.

    Returns:
        C(None) where nothing differs.
    """
    entries = given if isinstance(given, (list, tuple)) else [given]
    lines = [without_name(line, names) for entry in entries if isinstance(entry, Mapping) for line in _of_entry(entry, names)]
    return block(lines) if lines else None


def _of_entry(entry: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    if any(entry.get(note) for note in _NOT_SHOWN):
        yield "(a file that is binary or too large)"
    if "before" in entry and "after" in entry:
        before, after = entry["before"], entry["after"]
        if isinstance(before, Mapping) or isinstance(after, Mapping):
            yield from _values(before or {}, after or {}, (), names)
        else:
            yield from _text(entry, _lines(before), _lines(after))
    if "prepared" in entry:
        yield from str(entry["prepared"]).splitlines()


def _values(before: Any, after: Any, path: tuple[str, ...], names: Sequence[str]) -> Iterator[str]:
    """Each value that differs, behind the names on the way to it. The name of the host itself is not among them."""
    if before == after:
        return
    if len(path) < _DEEPEST and (before or after) and all(value is None or isinstance(value, Mapping) for value in (before, after)):
        before, after = before or {}, after or {}
        for name in [*before, *(name for name in after if name not in before)]:
            here = () if not path and name in names else (str(name),)
            yield from _values(before.get(name), after.get(name), (*path, *here), names)
        return
    where = ": ".join(path)
    change = f"{_shown(before)} -> {_shown(after)}"
    yield f"{where}: {change}" if where else change


def _shown(value: Any) -> str:
    if value is None:
        return _NOTHING
    if isinstance(value, str) and value.strip():
        return visible(value)
    return visible(json.dumps(value, ensure_ascii=False, sort_keys=True, default=str), LONGEST)


def _lines(value: Any) -> list[str]:
    return [] if value is None else str(value).splitlines()


def _text(entry: Mapping[str, Any], before: list[str], after: list[str]) -> Iterator[str]:
    old, new = (f"{side}: {entry[f'{side}_header']}" if entry.get(f"{side}_header") else side for side in ("before", "after"))
    return difflib.unified_diff(before, after, old, new, n=1, lineterm="")
