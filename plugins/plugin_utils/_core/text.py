# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text for people: one visible line of whatever comes from outside, columns, and lists of names that are cut. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .masking import LONGEST_KEY, without_keys

LONGEST = 400
"""Length in characters of what one foreign text may add to a sentence."""

LONGEST_NAME = 255
"""The same of a name, an identifier or a code."""

LONGEST_LINE = 16_000
"""The same of a whole sentence or line, which quotes many."""

_ELLIPSIS = "..."
# A cut goes back to the last space where it is as near as this, so that no half of a word is left.
_LONGEST_WORD = 40
# No key that begins in what is kept ends behind this.
_KEY_LENGTH = LONGEST_KEY
# Letters and marks to Unicode that show nothing: the rest of Default_Ignorable_Code_Point (DerivedCoreProperties.txt), and the
# blank Braille pattern.
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def visible(text: str, limit: int = LONGEST) -> str:
    """A text from outside as one visible line of bounded length.

    Everything that a terminal obeys or that nobody sees is written as its escape (C(\\x9b), C(\\u202e), C(\\U000e0001)): control
    and format characters, line and paragraph separators, surrogates, private and unassigned code points. Letters of all
    languages, accents and spaces stay. A product key is cut down to its last five characters first, so that no half of one
    is left where the text is cut. The same text given again stays as it is.

    Args:
        text: What a host, a server, a file or an exception of a library says.
        limit: Length in characters of the result at most, an ellipsis at the cut included.
    """
    # What lies behind this does not get into the result: no character becomes shorter, and no key.
    text = without_keys(text[: limit + _KEY_LENGTH + 1])
    if len(text) <= limit and _is_visible(text):
        return text
    shown = [_shown(character) for character in text]
    if sum(map(len, shown)) <= limit:
        return "".join(shown)
    room, kept = limit - len(_ELLIPSIS), 0
    while kept < len(shown) and len(shown[kept]) <= room:
        room -= len(shown[kept])
        kept += 1
    for end in range(kept, max(1, kept - _LONGEST_WORD), -1):
        if shown[end] == " ":
            kept = end
            break
    return "".join(shown[:kept]) + _ELLIPSIS


def escaped(text: str) -> str:
    """The same without a bound, for a sentence whose parts have theirs."""
    return text if _is_visible(text) else "".join(map(_shown, text))


def visible_lines(lines: Iterable[str]) -> list[str]:
    """The lines of a summary, each as one visible line."""
    return [visible(line, LONGEST_LINE) for line in lines]


def visible_value(value: Any, limit: int = LONGEST_LINE) -> Any:
    """The same for every text in a list or dictionary, with its names."""
    if isinstance(value, str):
        return visible(value, limit)
    if isinstance(value, Mapping):
        return {visible_value(name, limit): visible_value(entry, limit) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [visible_value(entry, limit) for entry in value]
    return value


def one_line(text: str, limit: int = LONGEST) -> str:
    """The same of a text that has lines of its own, such as the message of a library: one space stands for each line break."""
    return visible(" ".join(text[: 4 * limit].split()), limit)


def columns(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Rows as lines whose columns stand below one another, two spaces apart and without spaces at the end.

    Args:
        rows: Rows of equal length, a heading among them.
        right: The numbers of the columns that stand at their right edge.
    """
    rows = [[visible(cell, LONGEST_LINE) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_padded(cell, widths[place], place in right) for place, cell in enumerate(row)).rstrip() for row in rows]


def some(names: Sequence[str], most: int = 5) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(visible(name, LONGEST_NAME) for name in names[:most]) + more


def failure_line(host: str, reason: str) -> str:
    """A line of a summary about a computer that failed. Most errors name it already, and then it is not named twice."""
    line = f"Failed: {reason}" if reason.startswith((f"{host}:", f"{host} ")) else f"Failed: {host}: {reason}"
    return visible(line, LONGEST_LINE)


def is_ignorable(character: str) -> bool:
    """Whether a character that counts as a letter or mark shows nothing."""
    return _INVISIBLE.match(character) is not None


def _is_visible(text: str) -> bool:
    return text.isprintable() and _INVISIBLE.search(text) is None


def _shown(character: str) -> str:
    """A character as itself, or as Python would escape it."""
    # isprintable() is false for the categories Cc, Cf, Cs, Co, Cn, Zl and Zp, and for every space but U+0020.
    if (character.isprintable() or unicodedata.category(character) == "Zs") and not _INVISIBLE.match(character):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _padded(cell: str, width: int, right: bool) -> str:
    return cell.rjust(width) if right else cell.ljust(width)
