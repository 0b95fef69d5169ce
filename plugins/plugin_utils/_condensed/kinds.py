# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Equal answers once, with how many hosts gave them. What it remembers grows with the kinds of answers, not with the hosts. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from .._core.text import LONGEST_NAME, visible

MOST_REMEMBERED = 200
"""How many kinds of answers of one task are told apart."""

Answer = TypeVar("Answer", bound=Hashable)


@dataclass(slots=True)
class Hosts:
    """How many hosts, and the names of the first ones."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, name: str, most: int | None) -> None:
        """One more. Only so many names are kept; all of them without a number."""
        self.count += 1
        if most is None or len(self.first) < most:
            self.first.append(name)

    def join(self, other: Hosts, most: int | None) -> None:
        """Those of another one as well."""
        self.count += other.count
        self.first = [*self.first, *other.first][:most]

    def __str__(self) -> str:
        names = ", ".join(visible(name, LONGEST_NAME) for name in self.first)
        if self.count == 1 and names:
            return names
        counted = "1 host" if self.count == 1 else f"{self.count} hosts"
        if not names:
            return counted
        more = self.count - len(self.first)
        return f"{counted} ({names} and {more} more)" if more else f"{counted} ({names})"


class Kinds(Generic[Answer]):
    """The answers of hosts to one task.

    Args:
        names: How many names are kept for each kind; all of them without a number.
    """

    def __init__(self, names: int | None) -> None:
        self._names = names
        self._found: dict[Answer, Hosts] = {}
        self._others = Hosts()

    def add(self, answers: Iterable[Answer], host: str) -> None:
        """A host gives these answers."""
        for answer in answers:
            hosts = self._found.get(answer)
            if hosts is None:
                hosts = self._others if len(self._found) == MOST_REMEMBERED else self._found.setdefault(answer, Hosts())
            hosts.add(host, self._names)

    def shown(self, most: int) -> tuple[list[tuple[Answer, Hosts]], Hosts]:
        """So many kinds, those of most hosts first, and the hosts that gave another answer."""
        ordered = sorted(self._found.items(), key=lambda entry: -entry[1].count)
        if len(ordered) == most + 1:
            # The line that counts one kind is no shorter than that kind.
            most += 1
        others = Hosts()
        for _answer, hosts in ordered[most:]:
            others.join(hosts, self._names)
        others.join(self._others, self._names)
        return ordered[:most], others
