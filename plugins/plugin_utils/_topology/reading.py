# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared values, read one by one; what is wrong is gathered, so that a person sees every wrong line at once. Pure."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .._core.address import PORTS
from .._core.errors import ActivationError
from .._core.given import names_of
from .._core.text import LONGEST_NAME, visible
from .._srv.value import NUMBERS, is_plain_name, plain_name

# Python reads no more than 4300 digits, and no number here has more than ten.
_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,40}\s*", re.ASCII)
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def meant(name: str, known: Collection[str]) -> str:
    """The question after the name that was probably meant, to be put behind a sentence; empty where none is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {near[0]}?" if near else ""


def either(words: Sequence[str]) -> str:
    """Words as a sentence lists them: C(a, b or c)."""
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def is_unset(value: Any) -> bool:
    """Whether a value counts as not given. The survey of an AWX job template hands over an empty text for what nobody filled in."""
    return value is None or (isinstance(value, str) and not value.strip())


class Section:
    """One mapping of the declaration.

    What is wrong goes to C(problems), as one sentence that begins with the path of the line; the value read is then the default,
    so that reading goes on.

    Args:
        problems: Where the sentences are gathered.
        path: Where the mapping stands, such as C(volume_activation_sites.east); empty where each key is a variable of its own.
        raw: The mapping as it was handed over.
        known: The keys that it may have.

    Attributes:
        path: The path.
        readable: Whether it is a mapping at all.
    """

    def __init__(self, problems: list[str], path: str, raw: Any, known: Collection[str]) -> None:
        self.path = path
        self.readable = isinstance(raw, Mapping)
        self._problems = problems
        self._values: dict[str, Any] = {}
        if not isinstance(raw, Mapping):
            self.wrong("", f"{shown(raw)} is no dictionary.")
            return
        for key, value in raw.items():
            if key in known:
                self._values[str(key)] = value
            else:
                self.wrong("", f"there is no key {shown(key)}.{meant(str(key), known)}")

    def wrong(self, key: str, what: str) -> None:
        """Gather what is wrong with a key, or with the whole where the key is empty."""
        self._problems.append(f"{visible('.'.join(filter(None, (self.path, key))), LONGEST_NAME)}: {what}")

    def has(self, key: str) -> bool:
        """Whether a key was given a value."""
        return not is_unset(self._values.get(key))

    def raw(self, key: str) -> Any:
        """A value as it was handed over; C(None) where it is not given."""
        return self._values[key] if self.has(key) else None

    def text(self, key: str, default: str = "") -> str:
        """A text without spaces around it."""
        value = self.raw(key)
        if value is None:
            return default
        if isinstance(value, str):
            # Without the tags that ansible-core puts on what comes from a playbook.
            return "".join(value).strip()
        self.wrong(key, f"{shown(value)} is no text.")
        return default

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """One of several words."""
        value = self.text(key, default)
        if value not in choices:
            self.wrong(key, f"{shown(value)} is not {either(choices)}.{meant(value, choices)}")
            return default
        return value

    def name(self, key: str, default: str = "", required: bool = False) -> str:
        """A full DNS name, in lower case and without the final dot."""
        if not self.has(key):
            if required:
                self.wrong(key, "it is missing.")
            return default
        return self._checked_name(key, self.text(key)) or default

    def names(self, key: str, default: Sequence[str] = (), required: bool = False) -> tuple[str, ...]:
        """Servers by full DNS name or address, also as a text; with C(:port) where it is not the usual one."""
        items = self._items(key)
        if required and not self.has(key):
            self.wrong(key, "it is missing.")
        elif required and items == []:
            self.wrong(key, "the list is empty; name at least one.")
        return tuple(name for place, item in items or () if (name := self._server(place, item))) or tuple(default)

    def domains(self, key: str) -> tuple[str, ...]:
        """Full DNS names, also as a text."""
        return tuple(name for place, item in self._items(key) or () if (name := self._checked_name(place, item)))

    def networks(self, key: str) -> tuple[str, ...]:
        """IP networks."""
        found = []
        for place, item in self._items(key) or ():
            try:
                found.append(str(ipaddress.ip_network(item)))
            except ValueError:
                self.wrong(place, f"{shown(item)} is no IP network, such as 10.1.0.0/16, or has bits set behind its prefix.")
        return tuple(found)

    def address(self, key: str) -> str:
        """An IP address; empty where none is given."""
        value = self.text(key)
        try:
            return str(ipaddress.ip_address(value)) if value else ""
        except ValueError:
            self.wrong(key, f"{shown(value)} is no IP address.")
            return ""

    def number(self, key: str, default: int, allowed: range = NUMBERS) -> int:
        """A whole number in a range, also as text."""
        value = self.raw(key)
        if value is None:
            return default
        number = whole(value)
        if number is None:
            self.wrong(key, f"{shown(value)} is no whole number.")
        elif number not in allowed:
            self.wrong(key, f"{shown(number)} is not in {allowed.start} to {allowed.stop - 1}.")
        else:
            return number
        return default

    def port(self, key: str, default: int) -> int:
        """A TCP port."""
        return self.number(key, default, PORTS)

    def flag(self, key: str, default: bool) -> bool:
        """Yes or no, also as text."""
        value = self.raw(key)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        word = str(value).strip().lower()
        if word not in _TRUE + _FALSE:
            self.wrong(key, f"{shown(value)} is neither true nor false.")
            return default
        return word in _TRUE

    def _items(self, key: str) -> list[tuple[str, Any]] | None:
        """Each item of a list with its place; a text is read as surveys and extra variables have lists. C(None) where it is none."""
        value = self.raw(key)
        if isinstance(value, str):
            try:
                value = names_of(value, "it")
            except ActivationError as refusal:
                self.wrong(key, refusal.message)
                return None
        if value is not None and not isinstance(value, Sequence):
            self.wrong(key, f"{shown(value)} is no list.")
            return None
        return [(f"{key}[{number}]", item) for number, item in enumerate(value or ())]

    def _server(self, place: str, item: Any) -> str:
        text = "".join(item).strip() if isinstance(item, str) else ""
        host, colon, port = text.rpartition(":")
        number = whole(port) if colon and ":" not in host and port.isdigit() else None
        if number in PORTS:
            bare, suffix = host, f":{number}"
        else:
            bare, suffix = text, ""
        try:
            return f"{ipaddress.ip_address(bare)}{suffix}"
        except ValueError:
            name = self._checked_name(place, bare if text else item)
            return f"{name}{suffix}" if name else ""

    def _checked_name(self, place: str, value: Any) -> str:
        name = plain_name("".join(value)) if isinstance(value, str) else ""
        if "." not in name or not is_plain_name(name):
            self.wrong(place, f"{shown(value)} is no full DNS name, such as kms-1.contoso.com.")
            return ""
        return name


def whole(value: Any) -> int | None:
    """A whole number, also as text; C(None) where it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    return None


def shown(value: Any) -> str:
    """A wrong value as a sentence shows it: short, whatever was handed over."""
    text = str(value) if isinstance(value, (str, int, float)) else f"{type(value).__name__}"
    if value is None or text == "":
        return "nothing"
    return text if len(text) <= 80 else f"{text[:77]}..."
