# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines as they are printed: their tone, and how they are broken at the width of the output. Pure."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum


class Tone(Enum):
    """What a line tells, from which its colour follows on a terminal."""

    PLAIN = "plain"
    OK = "ok"
    CHANGED = "changed"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    ADDED = "added"
    REMOVED = "removed"
    PROGRESS = "progress"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of output."""

    text: str
    tone: Tone = Tone.PLAIN


_GAP = re.compile(r"(?<! ) {2,}(?=\S)")
_INDENT = re.compile(r" *")


def broken(text: str, width: int, hang: int = 2) -> list[str]:
    """A line in lines of that width. A word that is longer stays whole.

    What follows stands below the last column of a table where the line has columns, and is indented otherwise.

    Args:
        text: One line.
        width: In characters.
        hang: By how much more than the line itself what follows is indented.
    """
    if len(text) <= width:
        return [text]
    indent = len(_INDENT.match(text)[0])  # type: ignore[index] # it matches any text
    columns = [gap.end() for gap in _GAP.finditer(text, indent + 1) if gap.end() <= width // 2]
    behind = " " * (columns[-1] if columns else indent + hang)
    # The spaces between columns stay: only where a line is broken they go.
    return textwrap.wrap(text, width, subsequent_indent=behind, break_long_words=False, break_on_hyphens=False, replace_whitespace=False)


def lines(texts: Iterable[str], width: int, indent: int, tone: Tone = Tone.PLAIN) -> Iterator[Line]:
    """Texts as lines, each broken at the width."""
    for text in texts:
        for part in broken(" " * indent + text, width):
            yield Line(part, tone)


def in_two_columns(left: str, right: str, width: int) -> str:
    """A line whose right part ends at the width; the left one is cut where there is no room for it."""
    room = max(width - len(right) - 2, 20)
    return f"{left if len(left) <= room else left[: room - 3] + '...':<{room}}  {right}"
