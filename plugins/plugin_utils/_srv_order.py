# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order a client tries the values of an SRV RRset (RFC 2782, "Usage rules"). Pure.

Windows Vista and Server 2008 ignore priority and weight; Windows 7 and later follow them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ._srv_value import SrvValue

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
        left = [value for value, _share in group.shares]
        while left:
            picked = _pick(left, draw)
            left.remove(picked)
            order.append(picked)
    return order


def _pick(left: list[SrvValue], draw: Callable[[int], int]) -> SrvValue:
    """The next value of a group: the first whose running sum of weights reaches the number drawn."""
    drawn = draw(sum(value.weight for value in left))
    light = [value for value in left if value.weight == 0]
    if drawn == 0 and light:
        # Weight 0 stands first in the running sum, so only the draw 0 picks it; among their like all have the same chance.
        return light[draw(len(light) - 1)]
    running = 0
    for value in left:
        running += value.weight
        if running >= drawn:
            return value
    raise ValueError(f"the number drawn, {drawn}, is greater than the sum of the weights, {running}")


def _shares(members: list[SrvValue]) -> tuple[tuple[SrvValue, float], ...]:
    total = sum(value.weight for value in members)
    if total == 0:
        return tuple((value, round(100 / len(members), 1)) for value in members)
    ordered = sorted(members, key=lambda value: (-value.weight, value))
    return tuple((value, round(100 * value.weight / total, 1)) for value in ordered)
