# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes secrets out of what people and logs get to see.

What was given as a secret is found however a library has written it: as Python, JSON, XML or a URL write it, one inside the
other as well, as UTF-16, and inside Base64. What has the shape of a product key is a secret whoever it comes from.

Pure.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

MASK = "********"

# Shorter ones would blank out unrelated text, and are no secrets.
SHORTEST_SECRET = 4
# Of a piece of Base64 that the neighbours of a secret do not change, less than this much would be found by chance.
_SHORTEST_BASE64 = 8

# A hyphen, and what word processors and web pages make of it.
_HYPHEN = "[-\u00ad\u2010-\u2015\u2212\ufe58\ufe63\uff0d]"
# The 24 characters of all product keys, and N.
_CHARACTER = "[BCDFGHJKMNPQRTVWXY2-9]"
# With hyphens, which says enough; with blanks or with nothing between, where only the characters of keys count, and where
# five groups of digits are something else. One pattern for both, so that what it has masked is not looked at again.
_KEY = re.compile(
    rf"(?<![A-Z0-9])(?:(?:[A-Z0-9]{{5}}{_HYPHEN}){{4}}([A-Z0-9]{{5}})"
    rf"|(?=[0-9 ]*[A-Z])(?:{_CHARACTER}{{5}} ?){{4}}({_CHARACTER}{{5}}))(?![A-Z0-9])",
    re.IGNORECASE,
)
_KEY_LENGTH = 25
_ENTITIES = {"<": "lt", ">": "gt", '"': "quot", "'": "apos"}
# The key in the computer's firmware, named so by SoftwareLicensingService; it may have any shape.
_FIRMWARE_KEY = "oa3xoriginalproductkey"
_NAMED_FIRMWARE_KEY = re.compile(rf"({_FIRMWARE_KEY}[\"']?(?:\s[^<>]*)?(?:>|\s*[=:]\s*))([^\s<>,;]+)", re.IGNORECASE)


def without_keys(text: str) -> str:
    """The text with every product key in it cut down to its last five characters, which Windows shows as well."""
    return _KEY.sub(lambda found: f"XXXXX-XXXXX-XXXXX-XXXXX-{found[1] or found[2]}", text)


def without_named_keys(text: str) -> str:
    """The same, and without the key in the firmware, which goes by its name."""
    return without_keys(_NAMED_FIRMWARE_KEY.sub(rf"\g<1>{MASK}", text))


class Secrets:
    """Values that must not be seen, and the means to take them out of anything."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self._written: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.add(values)

    def add(self, values: Iterable[Any]) -> None:
        """Add secrets, and all that a list or dictionary among them holds."""
        for text in strings(list(values)):
            if len(text) >= SHORTEST_SECRET:
                self._written.update(_patterns(text))
        longest_first = sorted(self._written, key=len, reverse=True)
        self._pattern = re.compile("|".join(longest_first), re.IGNORECASE) if longest_first else None

    def in_value(self, value: Any) -> bool:
        """Whether a text, or anything in a list or dictionary, holds a secret."""
        return any(self.mask(text) != text for text in strings(value))

    def mask(self, value: Any) -> Any:
        """The same without secrets: a text, a number, or a list or dictionary with all that is in it."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return {self.mask(key): self._named(key, entry) for key, entry in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.mask(entry) for entry in value]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            # A password of digits alone comes out of YAML as a number.
            return MASK if self._pattern and self._pattern.fullmatch(str(value)) else value
        return value

    def _named(self, name: Any, value: Any) -> Any:
        if isinstance(value, str) and value and str(name).lower() == _FIRMWARE_KEY:
            return MASK
        return self.mask(value)

    def _text(self, text: str) -> str:
        # Keys come first: of a secret that is one, the last five characters may stay.
        text = without_named_keys(text)
        return self._pattern.sub(MASK, text) if self._pattern else text


def strings(value: Any) -> Iterator[str]:
    """Every text in a value, and every number as text."""
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield from strings(key)
            yield from strings(entry)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for entry in value:
            yield from strings(entry)


def _patterns(secret: str) -> Iterator[str]:
    """Regular expressions for all the ways in which a secret may stand in a message, a traceback or a header."""
    texts = {secret, secret.strip()}
    characters = "".join(character for character in secret if character.isalnum())
    if len(characters) == _KEY_LENGTH:
        # As Windows writes it, and with nothing between.
        texts |= {characters, "-".join(characters[start : start + 5] for start in range(0, _KEY_LENGTH, 5))}
    for text in texts:
        if len(text) >= SHORTEST_SECRET:
            yield "".join(map(_written, text))
    for encoding in ("utf-8", "utf-16-le"):
        encoded = secret.encode(encoding, "surrogatepass")
        yield re.escape(encoded.decode("latin-1"))
        # Each time that a text is quoted, its backslashes double.
        yield re.escape(repr(encoded)[2:-1]).replace(r"\\", r"\\+")
        yield from map(re.escape, _in_base64(encoded))


def _written(character: str) -> str:
    """A regular expression for one character as text, or as Python, JSON, XML or a URL write it, one inside the other as well."""
    if character.isascii() and character.isalnum():
        return character
    code = ord(character)
    ways = [rf"\\+u{code:04x}", rf"\\+U{code:08x}", f"&(?:amp;)*#(?:{code}|x{code:x});"]
    if code < 256:
        ways.append(rf"\\+x{code:02x}")
    utf_8 = character.encode("utf-8", "surrogatepass")
    ways += ["".join(f"%{byte:02X}" for byte in utf_8), "".join(rf"\\+x{byte:02x}" for byte in utf_8)]
    if code > 0xFFFF:
        pair = character.encode("utf-16-be")
        ways.append(rf"\\+u{pair[:2].hex()}\\+u{pair[2:].hex()}")
    if character in _ENTITIES:
        ways.append(f"&(?:amp;)*{_ENTITIES[character]};")
    if character == " ":
        ways.append(r"\+")
    # A quote has backslashes before it, and a backslash becomes several.
    ways.append({"\\": r"\\+", "&": "&(?:amp;)*"}.get(character) or rf"\\*{re.escape(character)}")
    return f"(?:{'|'.join(ways)})"


def _in_base64(encoded: bytes) -> Iterator[str]:
    """What Base64 makes of the bytes wherever they begin, without the characters that their neighbours have a part in."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + encoded).decode("ascii")
        # Three bytes are four characters; of a group that is not full the characters depend on what comes behind it.
        first = (0, 2, 3)[before]
        last = (before + len(encoded)) * 8 // 6
        if last - first >= _SHORTEST_BASE64:
            yield text[first:last]
            yield text[first:last].replace("+", "-").replace("/", "_")
