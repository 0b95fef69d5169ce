# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts without the name of the host that they are from, so that the answers of many hosts are equal. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .._core.text import LONGEST_LINE, one_line, visible

HOST = "<host>"
"""What stands for the host's own name within a text."""

MOST_LINES = 20
"""How many lines of one value are shown."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines, of which only the first are kept.

    Attributes:
        lines: The first ones.
        left_out: How many more there are.
        whole: A hash of all lines, so that blocks that differ in what was left out are not equal.
    """

    lines: tuple[str, ...]
    left_out: int
    whole: int

    def shown(self) -> list[str]:
        """The lines, and how many were left out."""
        more = "1 more line" if self.left_out == 1 else f"{self.left_out} more lines"
        return [*self.lines, *([f"({more})"] if self.left_out else [])]


def block(lines: Sequence[str], most: int = MOST_LINES) -> Block:
    """Lines as a block that remembers so many of them."""
    # A line more is no longer than saying that there is one more.
    kept = len(lines) if len(lines) <= most + 1 else most
    return Block(tuple(visible(line, LONGEST_LINE) for line in lines[:kept]), len(lines) - kept, hash(tuple(lines)))


def without_name(text: str, names: Sequence[str]) -> str:
    """A text with :data:`HOST` for each of the names of a host, where they stand as words of their own."""
    folded = text.casefold()
    for name in names:
        if name and name.casefold() in folded:
            text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?!-?\w|\.\w)", HOST, text, flags=re.IGNORECASE)
    return text


class Sentence(str):
    """A message as all hosts have it that got the same, each with its own name in it.

    Attributes:
        own: As one host has it, for where it is the only one.
    """

    __slots__ = ("own",)
    own: str

    def followed_by(self, text: str) -> Sentence:
        """The sentence with a text behind it."""
        longer = Sentence(self + text)
        longer.own = self.own + text
        return longer


def sentence(text: str, names: Sequence[str]) -> Sentence:
    """A message about a host in one line; its name in front goes, because the line names the hosts."""
    line = one_line(text, LONGEST_LINE)
    bare = without_name(line, names)
    common = Sentence(bare.removeprefix(f"{HOST}: "))
    common.own = line if common == bare else line.partition(": ")[2]
    return common
