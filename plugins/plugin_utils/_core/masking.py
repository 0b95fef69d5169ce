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
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

MASK = "********"

# Shorter ones would blank out unrelated text, and are no secrets.
SHORTEST_SECRET = 4
# Of a piece of Base64 that the neighbours of a secret do not change, less than this much would be found by chance.
_SHORTEST_BASE64 = 8

# A hyphen, and what word processors and web pages make of it.
_HYPHEN = "[-\u00ad\u2010-\u2015\u2212\ufe58\ufe63\uff0d]"
# What mail and spreadsheets put beside it: marks of a direction, joiners and spaces without a width.
_UNSEEN = "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]{0,2}"
# The 24 characters of all product keys, and N.
_CHARACTER = "[BCDFGHJKMNPQRTVWXY2-9]"
# With hyphens, which says enough; with blanks or with nothing between, where only the characters of keys count, and where
# five groups of digits are something else. One pattern for both, so that what it has masked is not looked at again.
# The look for a letter goes as far as a key does: without a bound, a text of digits and blanks takes the square of its length.
_KEY_LENGTH = 25
_KEY = re.compile(
    rf"(?<![A-Z0-9])(?:(?:[A-Z0-9]{{5}}{_UNSEEN}{_HYPHEN}{_UNSEEN}){{4}}([A-Z0-9]{{5}})"
    rf"|(?=[0-9 ]{{0,{_KEY_LENGTH + 3}}}[A-Z])(?:{_CHARACTER}{{5}} ?){{4}}({_CHARACTER}{{5}}))(?![A-Z0-9])",
    re.IGNORECASE,
)
LONGEST_KEY = _KEY_LENGTH + 4 * 5
"""How many characters a key has at most with what stands between its groups."""
# Eight groups of six digits.
_CONFIRMATION_ID_LENGTH = 48
_CONFIRMATION_ID_LABELS = "ABCDEFGH"
_NO_DIGITS = dict.fromkeys(map(ord, "0123456789"))
_ENTITIES = {"<": "lt", ">": "gt", '"': "quot", "'": "apos"}
# The key in the computer's firmware, named so by SoftwareLicensingService; it may have any shape.
_FIRMWARE_KEY = "oa3xoriginalproductkey"
# What may follow the name up to its value: a quote, then in a tag attributes. None of the pieces gives back what it has taken
# (possessive quantifiers), and none goes beyond a tag or the next such name, so that no character is checked twice.
_FIRMWARE_NAME = re.compile(rf"{_FIRMWARE_KEY}[\"']?+", re.IGNORECASE)
_OF_ELEMENT = re.compile(r"<(/?)(?:[\w.-]{1,32}:)?\Z")
_LONGEST_PREFIX = 35
_REST_OF_TAG = re.compile(r"(?:\s[^<>]*+)?+>([^\s<>,;]++)")
_CONTENT = re.compile(r"(?:\s[^<>]*+)?+(?<!/)>([^<>]++)")
_ASSIGNED = re.compile(r"\s*+[=:]\s*+([^\s<>,;]++)")
_ASSIGNED_LATER = re.compile(r"[=:]\s*+([^\s<>,;=:][^\s<>,;]*+)")


def without_keys(text: str) -> str:
    """The text with every product key in it cut down to its last five characters, which Windows shows as well."""
    return _KEY.sub(lambda found: f"XXXXX-XXXXX-XXXXX-XXXXX-{found[1] or found[2]}", text)


def without_named_keys(text: str) -> str:
    """The same, and without the key in the firmware, which goes by its name."""
    return without_keys(_without_firmware_keys(text))


def _without_firmware_keys(text: str) -> str:
    """The text without what is said to be the key in the firmware: behind C(=) or C(:), or in the tag's place."""
    names = list(_FIRMWARE_NAME.finditer(text))
    parts, done = [], 0
    for place, name in enumerate(names, start=1):
        end = names[place].start() if place < len(names) else len(text)
        if name.end() < done:
            # It was part of a value.
            continue
        for start, stop in _firmware_values(text, name, end):
            parts += [text[done:start], MASK]
            done = stop
    return "".join([*parts, text[done:]])


def _firmware_values(text: str, name: re.Match[str], end: int) -> Iterator[tuple[int, int]]:
    """Where the values stand that belong to a name; C(end) is where the next such name begins."""
    start = name.end()
    if element := _OF_ELEMENT.search(text[max(0, name.start() - _LONGEST_PREFIX) : name.start()]):
        # Its value is what it holds, and never an attribute such as xsi:nil.
        content = None if element[1] else _CONTENT.match(text, start, end)
        yield from [content.span(1)] if content and content[1].strip() else []
    elif found := _ASSIGNED.match(text, start, end) or _REST_OF_TAG.match(text, start, end):
        yield found.span(1)
    elif text[start : start + 1].isspace():
        # Somewhere behind it, as in Name="..." Value="...": which of the values it is nobody knows, so that none stays.
        brackets = (place for place in (text.find("<", start, end), text.find(">", start, end)) if place >= 0)
        yield from (later.span(1) for later in _ASSIGNED_LATER.finditer(text, start, min(brackets, default=end)))


class Secrets:
    """Values that must not be seen, and the means to take them out of anything."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self._written: set[str] = set()
        self._compiled: re.Pattern[str] | None = None
        self.add(values)

    def add(self, values: Iterable[Any]) -> None:
        """Add secrets, and all that a list or dictionary among them holds."""
        for text in strings(list(values)):
            if len(text) >= SHORTEST_SECRET:
                self._written.update(_patterns(text))
        self._compiled = None

    @property
    def _pattern(self) -> re.Pattern[str] | None:
        """Finds any of them; made when it is needed, because that takes milliseconds and secrets come in several portions."""
        if self._compiled is None and self._written:
            # The alphabet besides the length, so that the same secrets make the same pattern, which re has in its cache.
            longest_first = sorted(self._written, key=lambda text: (-len(text), text))
            self._compiled = re.compile("|".join(longest_first), re.IGNORECASE)
        return self._compiled

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
    """Regular expressions for all the ways in which a secret may stand in a message, a traceback or a header.

    A run of backslashes is taken whole or not at all (possessive quantifiers), and looked at from its first one only: a text of
    backslashes would take the square of its length otherwise.
    """
    texts = {secret, secret.strip()}
    # Of letters and digits that are as wide as Chinese ones, those of ASCII are made before they are sent.
    characters = "".join(character for character in unicodedata.normalize("NFKC", secret) if character.isalnum())
    if len(characters) == _KEY_LENGTH:
        # As Windows writes it, and with nothing between.
        texts |= {characters, "-".join(characters[start : start + 5] for start in range(0, _KEY_LENGTH, 5))}
    digits = "".join(filter(str.isdecimal, characters))
    if len(digits) >= _CONFIRMATION_ID_LENGTH and characters.translate(_NO_DIGITS).upper() in ("", _CONFIRMATION_ID_LABELS):
        # It is typed in groups, with a letter in front of each or not, and sent without.
        texts |= {digits, "-".join(digits[start : start + 6] for start in range(0, len(digits), 6))}
    for text in texts:
        if len(text) >= SHORTEST_SECRET:
            yield _written(text)
    for encoding in ("utf-8", "utf-16-le"):
        encoded = secret.encode(encoding, "surrogatepass")
        yield re.escape(encoded.decode("latin-1"))
        # Each time that a text is quoted, its backslashes double.
        yield _from_run_start(_BACKSLASHES.sub(_at_least, re.escape(repr(encoded)[2:-1])))
        yield from map(re.escape, _in_base64(encoded))


# One or more backslashes of a text, each as a regular expression has it, or as it is.
_BACKSLASHES = re.compile(r"(?:\\\\)+")
_RUNS = re.compile(r"(\\*)([^\\]?)", re.DOTALL)


def _at_least(run: re.Match[str]) -> str:
    """As many backslashes as a run of escaped ones has, or more."""
    return rf"\\{{{len(run[0]) // 2},}}+"


def _from_run_start(pattern: str) -> str:
    """The pattern, which does not begin within a run of backslashes if it begins with one."""
    return rf"(?<!\\){pattern}" if pattern.startswith((r"\\", r"(?:\\")) else pattern


def _written(secret: str) -> str:
    """A regular expression for a text as it is, or as Python, JSON, XML or a URL write it, one inside the other as well."""
    pattern = ""
    for run in _RUNS.finditer(secret):
        backslashes, character = len(run[1]), run[2]
        if not backslashes and not character:
            continue
        # Backslashes of the secret and those that quote the character behind them are one run.
        whole = _character(character, backslashes)
        if backslashes:
            apart = _character(character, 0)
            whole = rf"(?:{whole}|(?:\\++u005c|\\++U0000005c|\\++x5c|&(?:amp;)*#(?:92|x5c);|%5C){{{backslashes}}}{apart})"
        pattern += whole if pattern or not whole.startswith((r"\\", r"(?:\\", r"(?:(?:\\")) else rf"(?<!\\){whole}"
    return pattern


def _character(character: str, backslashes: int) -> str:
    """A regular expression for one character behind so many backslashes, or more where they quote it; empty for none."""
    run, quoting = rf"\\{{{backslashes},}}+", rf"\\{{{backslashes + 1},}}+"
    if not character:
        return run if backslashes else ""
    if character.isascii() and character.isalnum():
        return (run if backslashes else "") + character
    code = ord(character)
    utf_8 = character.encode("utf-8", "surrogatepass")
    plain = [re.escape(character), f"&(?:amp;)*#(?:{code}|x{code:x});", "".join(f"%{byte:02X}" for byte in utf_8)]
    quoted = [f"u{code:04x}", f"U{code:08x}", r"\\++".join(f"x{byte:02x}" for byte in utf_8)]
    if code < 256:
        quoted.append(f"x{code:02x}")
    if code > 0xFFFF:
        pair = character.encode("utf-16-be")
        quoted.append(rf"u{pair[:2].hex()}\\++u{pair[2:].hex()}")
    if character in _ENTITIES:
        plain.append(f"&(?:amp;)*{_ENTITIES[character]};")
    if character == " ":
        plain.append(r"\+")
    if character == "&":
        plain[0] = "&(?:amp;)*"
    return f"(?:{run}(?:{'|'.join(plain)})|{quoting}(?:{'|'.join(quoted)}))"


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
