# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a topology may say by mistake, although it can work: priorities that are swapped, and a weight that is missing at one host. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._core.text import some

Value = Mapping[str, Any]


def doubts(topology: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What its owner should look at, each with the record that it is about.

    Args:
        topology: The result of C(derived).
    """
    for zone in topology["zones"].values():
        own = [value for value in zone["values"] if topology["hosts"][value["target"]]["site"] == zone["site"]]
        others = [value for value in zone["values"] if value not in own]
        for said in (_swapped(own, others), *_weightless(own)):
            if said:
                yield zone["record"], said


def _swapped(own: Sequence[Value], others: Sequence[Value]) -> str:
    at_home, elsewhere = (min((value["priority"] for value in values), default=None) for values in (own, others))
    if at_home is None or elsewhere is None or at_home <= elsewhere:
        return ""
    return (
        f"Clients ask the KMS hosts of other sites (priority {elsewhere}) before those of their own ({at_home}), because lower priorities come"
        " first. If that is not meant, set volume_activation_local_priority below volume_activation_remote_priority, or correct the host."
    )


def _weightless(own: Sequence[Value]) -> Iterator[str]:
    for priority in sorted({value["priority"] for value in own}):
        alike = [value for value in own if value["priority"] == priority]
        without = [value["target"] for value in alike if not value["weight"]]
        if without and len(without) < len(alike):
            yield (
                f"{some(without)} has weight 0 beside hosts with a weight, so clients hardly ever ask it. Give it a weight in"
                " volume_activation_sites, or leave the weight of all hosts of the site out."
            )
