# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order a client tries the values of an SRV RRset (RFC 2782, "Usage rules"). Pure.

Windows Vista and Server 2008 ignore priority and weight; Windows 7 and later follow them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .value import SrvValue

NO_SERVICE = "."


@dataclass(frozen=True, slots=True)
class Group:
    """The values of one priority: a client turns to the next group only when no host of this one answers.

    Attributes:
        priority: Their priority.
        shares: Each value with the percentage of clients that try it first within the group.
    """

    priority: int
    shares: tuple[tuple[SrvValue, float], ...]


def groups(values: Iterable[SrvValue]) -> list[Group]:
    """The values by priority, with each one's share.

    A share is the weight's part of the group's sum. Beside others with a weight, the weight 0 has "a very small chance",
    shown as 0; where every weight is 0, all are alike.
    """
    by_priority: dict[int, list[SrvValue]] = {}
    for value in sorted(set(values)):
        if value.target != NO_SERVICE:
            by_priority.setdefault(value.priority, []).append(value)
    return [Group(priority, _shares(members)) for priority, members in sorted(by_priority.items())]


def selection_order(values: Iterable[SrvValue], draw: Callable[[int], int]) -> list[SrvValue]:
    """One order in which a client tries the values.

    Args:
        values: The RRset.
        draw: Gives a random whole number from 0 to its argument, both included, each with the same chance, such as
            C(lambda top: random.randint(0, top)).
    """
    order: list[SrvValue] = []
    for group in groups(values):
        left = _Left([value for value, _share in group.shares])
        order += [left.pick(draw) for _value in group.shares]
    return order


class _Left:
    """The values of a group that were not picked yet: those without a weight, and the others with sums of their weights.

    The sums are a binary indexed tree (P. M. Fenwick, 1994), so that a pick takes the logarithm of their number: whoever answers for
    a name decides how many values it has.
    """

    def __init__(self, values: list[SrvValue]) -> None:
        self._light = [value for value in values if value.weight == 0]
        self._heavy = [value for value in values if value.weight > 0]
        self._total = sum(value.weight for value in self._heavy)
        self._sums = [0] * (len(self._heavy) + 1)
        for place, value in enumerate(self._heavy):
            self._add(place, value.weight)

    def pick(self, draw: Callable[[int], int]) -> SrvValue:
        """Take the next value out: the first whose running sum of weights reaches the number drawn."""
        drawn = draw(self._total)
        if drawn > self._total:
            raise ValueError(f"the number drawn, {drawn}, is greater than the sum of the weights, {self._total}")
        if drawn == 0 and self._light:
            # Weight 0 stands first in the running sum, so only the draw 0 picks it; among their like all have the same chance.
            place = draw(len(self._light) - 1)
            self._light[place], self._light[-1] = self._light[-1], self._light[place]
            return self._light.pop()
        place = self._reaching(max(drawn, 1))
        picked = self._heavy[place]
        self._add(place, -picked.weight)
        self._total -= picked.weight
        return picked

    def _add(self, place: int, weight: int) -> None:
        place += 1
        while place < len(self._sums):
            self._sums[place] += weight
            place += place & -place

    def _reaching(self, wanted: int) -> int:
        """The first place up to which the weights come to at least so much."""
        place, step = 0, 1 << len(self._heavy).bit_length()
        while step:
            if place + step < len(self._sums) and self._sums[place + step] < wanted:
                place += step
                wanted -= self._sums[place]
            step >>= 1
        return place


def _shares(members: list[SrvValue]) -> tuple[tuple[SrvValue, float], ...]:
    total = sum(value.weight for value in members)
    if total == 0:
        return tuple((value, round(100 / len(members), 1)) for value in members)
    ordered = sorted(members, key=lambda value: (-value.weight, value))
    return tuple((value, round(100 * value.weight / total, 1)) for value in ordered)
