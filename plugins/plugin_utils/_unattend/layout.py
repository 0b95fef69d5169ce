# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts lines into an XML document, and takes an element out of it, in the layout that it has.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .elements import Element

_BLANKS = b" \t"
_LINE_FEED = 10
_REST_OF_LINE = re.compile(rb"[ \t]*\r?\n")
# Of a document whose elements do not stand on lines of their own at all.
_UNIT = b"  "


@dataclass(frozen=True, slots=True)
class Edit:
    """Bytes from C(start) to C(end) give way to others."""

    start: int
    end: int
    text: bytes


def apply(body: bytes, edits: Sequence[Edit]) -> bytes:
    """The document with all the edits, none of which overlaps another."""
    parts, done = [], 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        parts += [body[done : edit.start], edit.text]
        done = edit.end
    return b"".join([*parts, body[done:]])


class Layout:
    """How a document is laid out.

    Args:
        body: The document.
        root: Its root element.
    """

    def __init__(self, body: bytes, root: Element) -> None:
        self._body = body
        self._has_lines = b"\n" in body
        indents = [indent for child in root.children if (indent := self._indent(child.start)) is not None]
        own = self._indent(root.start) or b""
        self._unit = indents[0].removeprefix(own) if indents else _UNIT

    def insert(self, parent: Element, lines: Sequence[tuple[int, str]]) -> Edit:
        """Put lines at the end of what an element holds.

        Args:
            parent: The element.
            lines: How deep each lies below the first, and its text.
        """
        if parent.closes_itself:
            return self._into_one_tag(parent, lines)
        margin = self._margin(parent)
        if margin is None or not self._on_lines(parent):
            return Edit(parent.close, parent.close, b"".join(text.encode() for _depth, text in lines))
        # Nothing is looked for outside of the element: it may be one of very many on one line.
        line = self._body.rfind(b"\n", parent.inner, parent.close) + 1
        if line > parent.inner and not self._body[line : parent.close].strip(_BLANKS):
            # The end tag stands on a line of its own; the new lines come before that line.
            return Edit(line, line, self._lines(parent, margin, lines))
        own = self._indent(parent.start) or b""
        return Edit(parent.close, parent.close, self._break(parent.start) + self._lines(parent, margin, lines) + own)

    def remove(self, element: Element) -> Edit:
        """Take an element away, with its line where it has one to itself."""
        indent = self._indent(element.start)
        behind = _REST_OF_LINE.match(self._body, element.end)
        if behind and indent is not None and len(indent) < element.start:
            return Edit(element.start - len(indent), behind.end(), b"")
        return Edit(element.start, element.end, b"")

    def _into_one_tag(self, parent: Element, lines: Sequence[tuple[int, str]]) -> Edit:
        """The edit where a tag that closes itself becomes a start tag and an end tag."""
        tag = self._body[parent.start : parent.end]
        name = tag[1:-2].split(maxsplit=1)[0]
        opened, closed = tag[:-2].rstrip() + b">", b"</" + name + b">"
        margin = self._margin(parent)
        if margin is None:
            return Edit(parent.start, parent.end, opened + b"".join(text.encode() for _depth, text in lines) + closed)
        own = self._indent(parent.start) or b""
        inside = self._break(parent.start) + self._lines(parent, margin, lines) + own
        return Edit(parent.start, parent.end, opened + inside + closed)

    def _on_lines(self, parent: Element) -> bool:
        """Whether what an element holds stands on lines of its own; nothing can be put on some."""
        inside = self._body[parent.inner : parent.close]
        return not inside.strip() or b"\n" in inside

    def _margin(self, parent: Element) -> bytes | None:
        """How far the children of an element are indented; C(None) where lines mean nothing."""
        for child in parent.children:
            indent = self._indent(child.start)
            if indent is not None:
                return indent
        own = self._indent(parent.start)
        return None if own is None or not self._has_lines else own + self._unit

    def _lines(self, parent: Element, margin: bytes, lines: Sequence[tuple[int, str]]) -> bytes:
        ending = self._break(parent.start)
        return b"".join(margin + self._unit * depth + text.encode() + ending for depth, text in lines)

    def _break(self, place: int) -> bytes:
        """The line ending before a place, or the first in the document."""
        found = self._body.rfind(b"\n", 0, place)
        if found < 0:
            found = self._body.find(b"\n")
        return b"\r\n" if self._body[max(found - 1, 0) : found] == b"\r" else b"\n"

    def _indent(self, place: int) -> bytes | None:
        """The blanks before a place; C(None) where something else stands before it on its line."""
        start = place
        while start > 0 and self._body[start - 1] in _BLANKS:
            start -= 1
        return self._body[start:place] if start == 0 or self._body[start - 1] == _LINE_FEED else None
