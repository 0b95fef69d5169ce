# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Enumerations under way: paging, contexts, expiry (docs/facts/wire.md#enumeration)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .envelope import new_id
from .variants import variant

# What an envelope takes besides its items; pages are filled up to the limit minus this.
ENVELOPE_OVERHEAD = 1600


class ItemTooLarge(Exception):
    """A single item that does not fit into the largest envelope allowed."""


@dataclass
class Enumeration:
    """Items still to be sent, as XML, for one client of one host."""

    address: str
    user: str
    label: str
    items: list[str]
    expires: float
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, max_elements: int, max_characters: int) -> list[str]:
        """The next page: at most that many items and characters. Raises :class:`ItemTooLarge`."""
        page: list[str] = []
        room = max_characters
        while self.items and len(page) < max_elements:
            size = len(self.items[0].encode("utf-8"))
            if size > room:
                if not page:
                    raise ItemTooLarge
                break
            room -= size
            page.append(self.items.pop(0))
        return page


class EnumerationTable:
    """The enumeration contexts of all hosts of a server; safe for threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._contexts: dict[str, Enumeration] = {}

    def start(self, address: str, user: str, label: str, items: list[str], lifetime: float) -> Enumeration:
        """A new enumeration; it has no context until :meth:`keep`. ``label`` is for the log."""
        return Enumeration(address, user, label, items, self._clock() + lifetime)

    def count(self, address: str, user: str) -> int:
        """How many of a user's enumerations a host keeps: neither ended nor released nor expired."""
        now = self._clock()
        with self._lock:
            return sum((item.address, item.user) == (address, user) and item.expires > now for item in self._contexts.values())

    def keep(self, enumeration: Enumeration, lifetime: float, context: str = "", seed: int = 0) -> str:
        """Store an enumeration and return its context: on half of the hosts a new one for each page."""
        if not context or variant(seed, "context") == "new for each page":
            context = new_id()
        enumeration.expires = self._clock() + lifetime
        with self._lock:
            self._contexts[context.lower()] = enumeration
            if len(self._contexts) > 1000:
                self._drop_expired()
        return context

    def claim(self, address: str, context: str) -> Enumeration | None:
        """Take an enumeration out of the table; None if it is unknown, expired or of another host."""
        with self._lock:
            found = self._contexts.get(context.lower())
            if found is None or found.address != address:
                return None
            del self._contexts[context.lower()]
        return found if found.expires > self._clock() else None

    def label(self, context: str) -> str:
        """What an enumeration is about, for the log."""
        found = self._contexts.get(context.lower())
        return found.label if found else ""

    def forget(self, address: str | None = None) -> None:
        """Drop the contexts of one host (it restarted), or all."""
        with self._lock:
            self._contexts = {key: item for key, item in self._contexts.items() if address is not None and item.address != address}

    def _drop_expired(self) -> None:
        now = self._clock()
        self._contexts = {key: item for key, item in self._contexts.items() if item.expires > now}
