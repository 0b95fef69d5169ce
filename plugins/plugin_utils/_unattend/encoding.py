# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bytes of an answer file as text and back, without a byte of difference.

Pure.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from .._core.errors import ActivationError

_UTF_32 = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
# Byte order mark to codec; the marks of UTF-32 were looked for before.
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# How "<" begins a file in UTF-16 that has no mark: XML 1.0, appendix F.
_UNMARKED = {b"<\x00": "utf-16-le", b"\x00<": "utf-16-be"}
# What may stand in the declaration of a file that is no UTF-16, to the codec. These are all that Windows' own editors write.
_DECLARED = {"utf-8": "utf-8", "us-ascii": "ascii", "iso-8859-1": "iso-8859-1", "windows-1252": "windows-1252"}
_DECLARED_UTF_16 = ("utf-16", "utf-16le", "utf-16be", "unicode", "ucs-2", "iso-10646-ucs-2")
_DECLARATION = re.compile(r"<\?xml\s[^>]*?encoding\s*=\s*[\"']([A-Za-z][A-Za-z0-9._-]*)[\"']")
_LONGEST_DECLARATION = 200


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file is encoded.

    Attributes:
        codec: What Python calls it.
        mark: The byte order mark; empty where there is none.
    """

    codec: str
    mark: bytes

    def __str__(self) -> str:
        name = self.codec.upper().replace("UTF-16-", "UTF-16")
        return f"{name} with a byte order mark" if self.mark else name

    def encode(self, text: str) -> bytes:
        """The text as the file holds it."""
        return self.mark + text.encode(self.codec)


def decode(content: bytes, path: str) -> tuple[str, Encoding]:
    """The text of a file, and how to get its bytes back.

    Args:
        content: The file.
        path: Its name, for errors.

    Raises:
        ActivationError: The encoding is none that an answer file has, is not what the file says of itself, or the bytes are not valid in it.
    """
    encoding = _detected(content)
    if encoding is None:
        raise ActivationError(f"{path} is in UTF-32, which Windows Setup does not read; save it in UTF-8.", source="options")
    declared = _DECLARATION.match(content[len(encoding.mark) :].decode(encoding.codec, "replace")[:_LONGEST_DECLARATION])
    named = declared[1].lower() if declared else ""
    if encoding.codec.startswith("utf-16"):
        fits = not named or named in _DECLARED_UTF_16
    else:
        fits = not named or (named in _DECLARED if not encoding.mark else named == "utf-8")
    if not fits:
        raise ActivationError(
            f"{path} is written in {encoding}, but its first line says {named}, so that no parser takes it; save it in the encoding that it names,"
            " or let the first line name the one that it has.",
            source="options",
        )
    encoding = Encoding(encoding.codec if encoding.codec.startswith("utf-16") else _DECLARED.get(named, "utf-8"), encoding.mark)
    try:
        return content[len(encoding.mark) :].decode(encoding.codec), encoding
    except UnicodeDecodeError as error:
        place = len(encoding.mark) + error.start
        raise ActivationError(
            f"{path} is not valid in {encoding}, its encoding: the byte at place {place} is wrong.", source="options"
        ) from error


def _detected(content: bytes) -> Encoding | None:
    """What the first bytes say; what is not UTF-16 is UTF-8 until the declaration says otherwise."""
    if content.startswith(_UTF_32):
        return None
    for mark, codec in _MARKS.items():
        if content.startswith(mark):
            return Encoding(codec, mark)
    return Encoding(_UNMARKED.get(content[:2], "utf-8"), b"")
