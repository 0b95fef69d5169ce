# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text for people: columns, and lists of names that are cut. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def columns(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Rows as lines whose columns stand below one another, two spaces apart and without spaces at the end.

    Args:
        rows: Rows of equal length, a heading among them.
        right: The numbers of the columns that stand at their right edge.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_padded(cell, widths[place], place in right) for place, cell in enumerate(row)).rstrip() for row in rows]


def some(names: Sequence[str], most: int = 5) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def one_line(text: str, longest: int) -> str:
    """What comes from outside as one visible line: white space is one blank, and what nobody sees, or what turns the direction of
    writing, is a question mark.

    Args:
        text: Any text.
        longest: Characters that stay; what is cut ends with three dots.
    """
    shown = " ".join(text.split())
    if not shown.isascii() or not shown.isprintable():
        # Cc, Cf, Cs, Co and Cn of Unicode: control, format, surrogate, private use and unassigned; Zl and Zp separate lines.
        shown = "".join("?" if unicodedata.category(letter)[0] == "C" else letter for letter in shown)
    return shown if len(shown) <= longest else f"{shown[: longest - 3]}..."


def failure_line(host: str, reason: str) -> str:
    """A line of a summary about a computer that failed. Most errors name it already, and then it is not named twice."""
    return f"Failed: {reason}" if reason.startswith((f"{host}:", f"{host} ")) else f"Failed: {host}: {reason}"


def _padded(cell: str, width: int, right: bool) -> str:
    return cell.rjust(width) if right else cell.ljust(width)
