# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the elements of an XML document stand in its bytes, so that one place can be changed and every other byte kept.

A document type is refused: it is where entities are declared, and an answer file has none.
Pure.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from .._core.errors import ActivationError
from .._core.text import LONGEST_NAME, visible

# Of a start tag all that is not in quotes, and what is.
_TAG = re.compile(rb"<[^>\"']*(?:\"[^\"]*\"[^>\"']*|'[^']*'[^>\"']*)*>")
# Names come as namespace, local name and prefix; neither may hold a blank.
_SEPARATOR = " "


@dataclass(slots=True)
class Element:
    """An element and its place.

    Attributes:
        namespace: Its namespace; empty where it has none.
        name: Its name without prefix.
        prefix: Its prefix; empty where it has none.
        attributes: Those without a prefix by name, others as expat writes them.
        start: Where its start tag begins.
        inner: What follows its start tag begins here.
        close: Where its end tag begins; with C(inner) the place of all that it holds.
        end: Behind its end tag. Of a tag that closes itself, C(inner), C(close) and C(end) are the same.
        text: The text in it, without that of elements in it.
        pure: Whether it holds nothing but text: no element, comment or processing instruction.
    """

    namespace: str
    name: str
    prefix: str
    attributes: dict[str, str]
    start: int
    inner: int
    close: int = 0
    end: int = 0
    text: str = ""
    pure: bool = True
    pieces: list[str] = field(default_factory=list, repr=False)
    children: list[Element] = field(default_factory=list)

    @property
    def closes_itself(self) -> bool:
        """Whether it is one tag alone, and so holds nothing."""
        return self.close == self.end

    def named(self, name: str) -> Iterator[Element]:
        """The elements in it, one level below, with its namespace and this name."""
        return (child for child in self.children if (child.namespace, child.name) == (self.namespace, name))


def parse(body: bytes, path: str) -> Element:
    """The root element of a document.

    Args:
        body: The document in UTF-8 without a byte order mark, whatever encoding it names.
        path: The file's name, for errors.

    Raises:
        ActivationError: It is not well-formed XML 1.0, or has a document type.
    """
    reader = _Reader(body, path)
    try:
        return reader.read()
    except expat.ExpatError as error:
        what = expat.errors.messages[error.code]
        raise ActivationError(
            f"{path} is not well-formed XML: {what}, at line {error.lineno}, column {error.offset + 1}; correct it there, or name another file.",
            source="options",
        ) from error


class _Reader:
    """One parse."""

    def __init__(self, body: bytes, path: str) -> None:
        self._body = body
        self._path = path
        self._open: list[Element] = []
        self._root: Element | None = None
        self._parser = expat.ParserCreate("utf-8", _SEPARATOR)
        self._parser.namespace_prefixes = True
        # Without it each line is a call of its own, and the text in an element is put together anew for every one.
        self._parser.buffer_text = True
        self._parser.XmlDeclHandler = self._declaration
        self._parser.StartDoctypeDeclHandler = self._document_type
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.CommentHandler = self._markup
        self._parser.ProcessingInstructionHandler = self._markup

    def read(self) -> Element:
        self._parser.Parse(self._body, True)
        # A document without a root is not well-formed, which the parser has refused.
        return t.cast("Element", self._root)

    def _declaration(self, version: str, _encoding: str | None, _standalone: int) -> None:
        # expat takes any text.
        if version != "1.0":
            raise ActivationError(
                f"{self._path} says in its first line that it is XML {visible(version, LONGEST_NAME)}, and Windows Setup reads XML 1.0; correct that line.",
                source="options",
            )

    def _document_type(self, *_declared: object) -> None:
        raise ActivationError(
            f"{self._path} has a document type (DOCTYPE), which no answer file has: it could declare entities that grow without bound"
            " or read other files. Nothing of it was read; take it out.",
            source="options",
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, local, prefix = _parts(name)
        start = self._parser.CurrentByteIndex
        # expat has found a start tag here.
        tag = t.cast("re.Match[bytes]", _TAG.match(self._body, start))
        element = Element(namespace, local, prefix, attributes, start, tag.end())
        if self._open:
            self._open[-1].children.append(element)
            self._open[-1].pure = False
        else:
            self._root = element
        self._open.append(element)

    def _end(self, _name: str) -> None:
        element = self._open.pop()
        element.text = "".join(element.pieces)
        if self._body[element.inner - 2 : element.inner] == b"/>":
            element.close = element.end = element.inner
        else:
            element.close = self._parser.CurrentByteIndex
            element.end = self._body.index(b">", element.close) + 1

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].pieces.append(text)

    def _markup(self, *_content: str) -> None:
        if self._open:
            self._open[-1].pure = False


def _parts(name: str) -> tuple[str, str, str]:
    namespace, separator, rest = name.partition(_SEPARATOR)
    if not separator:
        return "", name, ""
    local, _separator, prefix = rest.partition(_SEPARATOR)
    return namespace, local, prefix
