# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults by rule, whatever sort of request the rules are about."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

_Request_contra = TypeVar("_Request_contra", contravariant=True)


@dataclass(kw_only=True)
class CountedRule:
    """The first ``skip`` matching requests pass, the ``times`` after them are hit (0 = all)."""

    skip: int = 0
    times: int = 1
    seen: int = 0
    hits: int = 0

    def hit(self) -> bool:
        """Count a matching request; whether it is to be hit."""
        self.seen += 1
        if self.seen <= self.skip or (self.times and self.seen > self.skip + self.times) or not self.by_chance():
            return False
        self.hits += 1
        return True

    def by_chance(self) -> bool:
        """Whether a request is hit whose turn it is."""
        return True


class Rule(Protocol[_Request_contra]):
    """What the rules need of one."""

    hits: int

    def matches(self, request: _Request_contra, /) -> bool:
        """Whether the rule is about such a request."""

    def hit(self) -> bool:
        """Count a matching request; whether it is to be hit."""


_Rule = TypeVar("_Rule", bound=Rule[Any])


class FaultRules(Generic[_Rule]):
    """Rules in the order in which they were added, made by ``make`` of their fields. Safe to use from several threads."""

    def __init__(self, make: Callable[..., _Rule]) -> None:
        self._make = make
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._rules)

    def add(self, rule: dict[str, Any]) -> None:
        """Add a rule. Raises TypeError for an unknown field, ValueError for an unknown fault."""
        with self._lock:
            self._rules.append(self._make(**rule))

    def clear(self) -> None:
        """Remove every rule."""
        with self._lock:
            self._rules.clear()

    def hits(self) -> list[int]:
        """How many requests each rule has hit, in the order in which they were added."""
        with self._lock:
            return [rule.hits for rule in self._rules]

    def rules(self) -> list[_Rule]:
        """All of them."""
        with self._lock:
            return list(self._rules)

    def first(self, request: object) -> _Rule | None:
        """The first rule that hits a request."""
        with self._lock:
            return next((rule for rule in self._rules if rule.matches(request) and rule.hit()), None)
