# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KMS hosts. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ..registered import Result
from .computer import SurveyedComputer
from .deviation import NOT_ASKED, Deviation, has_step, not_looked_at, not_made, of_steps, was_made

# Steps that say once more what the record or the license shows.
_SEEN_ELSEWHERE = ("SRV ", "license status")


def host_deviations(
    topology: Mapping[str, Any],
    seen: Mapping[str, SurveyedComputer],
    checked: Mapping[str, Result],
    required_count: int,
    left_out: Collection[str],
) -> Iterator[Deviation]:
    """What differs on the KMS hosts.

    Args:
        topology: The derived topology.
        seen: The hosts of the run by their names in the inventory, as the survey has read them.
        checked: By the same names the results of C(kms_host) in check mode.
        required_count: How many clients each should have counted.
        left_out: The names in the inventory of those that the run is not over.
    """
    for host in topology["hosts"].values():
        if host["inventory_hostname"] in left_out:
            continue
        found, settings = seen.get(host["inventory_hostname"]), checked.get(host["inventory_hostname"])
        unread = found.unread if found else NOT_ASKED
        if found and not unread:
            yield from _license(host["name"], found, settings, required_count)
        else:
            yield not_looked_at(host["name"], "license", unread, found.unread_kind if found else "")
        if was_made(settings):
            yield from of_steps(settings, _SEEN_ELSEWHERE)
        elif not (found and unread) or settings:
            yield not_made(host["name"], "settings", settings)


def _license(name: str, computer: SurveyedComputer, checked: Result | None, required: int) -> Iterator[Deviation]:
    found = computer.license
    if found.channel != "csvlk":
        if not has_step(checked, "product key"):
            text = f"Its key is {found.channel or 'missing'}, no KMS host key (CSVLK); it answers no client."
            yield Deviation(name, "key", "csvlk", found.channel, text)
        return
    if found.status != "licensed":
        reason = f" ({found.reason})" if found.reason else ""
        text = f"It is {found.status}{reason}; a KMS host activates nobody until it is licensed."
        yield Deviation(name, "license status", "licensed", found.status, text)
    if found.count < required:
        text = f"It has counted {found.count} clients and activates from {required} on; more clients have to ask it."
        together = f"They have counted fewer than {required} clients, from which on they activate; more clients have to ask them."
        yield Deviation(name, "client count", required, found.count, text, alike="too few", together=together)
