# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables and groups that are named as if they were of this collection, and are none: most often they are misspelt, and do nothing.

Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from .._core.text import LONGEST_NAME, some, visible

_NEAR = 2
"""Edits up to which a name is taken for a known one that is misspelt."""
_MOST = 50
"""Names that are checked; the others are of the same kind."""


class Strange:
    """Collects them host by host.

    Args:
        known: The names of the variables of this collection.
        prefixes: What names begin with that are meant for it.
    """

    def __init__(self, known: Collection[str], prefixes: tuple[str, ...]) -> None:
        self._known = known
        self._prefixes = prefixes
        self._seen: set[str] = set()
        self._hosts: dict[str, list[str]] = {}
        self._of_play: set[str] = set()
        self._count = 0

    def see(self, host: str, names: Iterable[str]) -> None:
        """Look at the names of a host's variables. Almost all are those of the host before, so each is judged once."""
        names = set(names)
        for name in sorted(names - self._seen):
            if name.startswith(self._prefixes) and name not in self._known and len(self._hosts) < _MOST:
                self._hosts[name] = []
        self._seen |= names
        self._count += 1
        for name, hosts in self._hosts.items():
            if name in names:
                hosts.append(host)

    def see_play(self, names: Iterable[str]) -> None:
        """Look at the names of all variables of one host, with those of the play among them, which the inventory does not have."""
        for name in sorted(set(names) - self._seen):
            if name.startswith(self._prefixes) and name not in self._known and len(self._hosts) < _MOST:
                self._of_play.add(name)
                self._hosts[name] = []

    def refusals(self) -> list[str]:
        """A sentence for each name that is near a known one."""
        return [
            f"{self._named(name)} is no variable of this collection. Did you mean {near}? Correct the name, or take the variable out."
            for name, near in self._judged()
            if near
        ]

    def notes(self) -> list[str]:
        """A sentence for each of the others."""
        return [f"{self._named(name)} is no variable of this collection, and does nothing." for name, near in self._judged() if not near]

    def _judged(self) -> Iterator[tuple[str, str]]:
        for name in self._hosts:
            near = sorted((distance(name, known), known) for known in self._known if abs(len(name) - len(known)) <= _NEAR)
            yield name, near[0][1] if near and near[0][0] <= _NEAR else ""

    def _named(self, name: str) -> str:
        hosts = self._hosts[name]
        # What all hosts have is given for all of them, or as an extra variable.
        is_common = name in self._of_play or len(hosts) == self._count
        return visible(name, LONGEST_NAME) + ("" if is_common else f" of {some(hosts)}")


def misspelt_groups(groups: Collection[str], wanted: Collection[str]) -> list[str]:
    """A sentence for each group that is near one which a run looks for, and which the inventory does not have.

    Args:
        groups: Those of the inventory.
        wanted: Those that the run looks for.
    """
    return [
        f"The inventory has a group {visible(name, LONGEST_NAME)} and no {known}. Did you mean {known}? Correct its name."
        for known in wanted
        if known not in groups
        for name in groups
        if name not in wanted and abs(len(name) - len(known)) <= _NEAR and distance(name, known) <= _NEAR
    ]


def distance(one: str, other: str) -> int:
    """How many letters have to be added, taken out or replaced to make a name of another; a number above C(_NEAR) is a lower bound."""
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, 1):
        left, row[0] = row[0], number
        for place, wanted in enumerate(other, 1):
            above = row[place]
            row[place] = min(above + 1, row[place - 1] + 1, left + (letter != wanted))
            left = above
        if min(row) > _NEAR:
            return min(row)
    return row[-1]
