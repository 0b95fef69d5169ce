# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts a play is over, and which of its groups a limit has cut.

Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Fleet:
    """The hosts that a run decides over.

    Attributes:
        hosts: All of the play, in the order of the inventory, those that have failed among them.
        batch: Those of the batch under way; all of them in a play without C(serial).
        groups: By name, those of them that are in a group which the run knows.
        cut: By name, how many hosts of such a group are not in the play, because of a limit or its pattern; without groups that are whole.
        members: By name, all of such a group in the inventory.
        part: Whether there is a limit, and the inventory may be a part of a larger one.
    """

    hosts: Sequence[str]
    batch: Sequence[str]
    groups: Mapping[str, Sequence[str]]
    cut: Mapping[str, int]
    members: Mapping[str, Sequence[str]] = field(default_factory=dict)
    part: bool = False


def fleet_of(
    hosts: Sequence[str], batch: Sequence[str], groups: Mapping[str, Sequence[str]], known: Collection[str], part: bool = False
) -> Fleet:
    """Put it together.

    Args:
        hosts: The magic variable C(ansible_play_hosts_all).
        batch: The magic variable C(ansible_play_batch).
        groups: The magic variable C(groups).
        known: Which groups the run knows.
        part: Whether there is a limit, and the inventory may be a part of a larger one.
    """
    members = {name: frozenset(groups.get(name) or ()) for name in known}
    found = {name: [host for host in hosts if host in members[name]] for name in known}
    cut = {name: len(members[name]) - len(found[name]) for name in known}
    every = {name: list(groups.get(name) or ()) for name in known}
    return Fleet(hosts, batch, found, {name: number for name, number in cut.items() if number}, every, part)
