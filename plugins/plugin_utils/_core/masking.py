# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes secrets out of what people and logs get to see.

What was given as a secret is found however a library has written it (C(secret_forms)). What has the shape of a product key is a
secret whoever it comes from.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .secret_forms import KEY_LENGTH, SHORTEST_SECRET, clues, folded, patterns

MASK = "********"

# A hyphen, and what word processors and web pages make of it.
_HYPHEN = "[-\u00ad\u2010-\u2015\u2212\ufe58\ufe63\uff0d]"
# What mail and spreadsheets put beside it: marks of a direction, joiners and spaces without a width.
_UNSEEN = "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]{0,2}"
# The 24 characters of all product keys, and N.
_CHARACTER = "[BCDFGHJKMNPQRTVWXY2-9]"
# With hyphens, which says enough; with blanks or with nothing between, where only the characters of keys count, and where
# five groups of digits are something else. One pattern for both, so that what it has masked is not looked at again.
# The look for a letter goes as far as a key does: without a bound, a text of digits and blanks takes the square of its length.
_KEY = re.compile(
    rf"(?<![A-Z0-9])(?:(?:[A-Z0-9]{{5}}{_UNSEEN}{_HYPHEN}{_UNSEEN}){{4}}([A-Z0-9]{{5}})"
    rf"|(?=[0-9 ]{{0,{KEY_LENGTH + 3}}}[A-Z])(?:{_CHARACTER}{{5}} ?){{4}}({_CHARACTER}{{5}}))(?![A-Z0-9])",
    re.IGNORECASE,
)
LONGEST_KEY = KEY_LENGTH + 4 * 5
"""How many characters a key has at most with what stands between its groups."""
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
    if len(text) < min(KEY_LENGTH, len(_FIRMWARE_KEY)):
        return text
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
        self._given: dict[str, None] = {}
        self._clues: set[str] = set()
        self._compiled: re.Pattern[str] | None = None
        self.add(values)

    def add(self, values: Iterable[Any]) -> None:
        """Add secrets, and all that a list or dictionary among them holds."""
        for text in strings(list(values)):
            if len(text) >= SHORTEST_SECRET and text not in self._given:
                self._given[text] = None
                self._clues.update(clues(text))
                self._compiled = None

    @property
    def _pattern(self) -> re.Pattern[str]:
        """Finds any of them; made when it is needed, because that takes milliseconds, and few texts hold a secret."""
        if self._compiled is None:
            # The alphabet besides the length, so that the same secrets make the same pattern, which re has in its cache.
            written = {pattern for secret in self._given for pattern in patterns(secret)}
            longest_first = sorted(written, key=lambda text: (-len(text), text))
            self._compiled = re.compile("|".join(longest_first), re.IGNORECASE)
        return self._compiled

    def _may_be_in(self, text: str) -> bool:
        """Whether a text has a clue, without which none of the patterns finds anything."""
        bare = folded(text)
        return any(clue in bare for clue in self._clues)

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
            return MASK if self._may_be_in(str(value)) and self._pattern.fullmatch(str(value)) else value
        return value

    def _named(self, name: Any, value: Any) -> Any:
        if isinstance(value, str) and value and str(name).lower() == _FIRMWARE_KEY:
            return MASK
        return self.mask(value)

    def _text(self, text: str) -> str:
        # Keys come first: of a secret that is one, the last five characters may stay.
        text = without_named_keys(text)
        return self._pattern.sub(MASK, text) if self._may_be_in(text) else text


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
