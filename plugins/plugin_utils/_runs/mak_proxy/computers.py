# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run knows of each computer, from what the tasks registered and the inventory gives.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..._core.given import names_of_each
from ..mak.by_rule import KEYS
from ..registered import Registered, Result

ADDRESS = "ansible_host"
"""The variable of the inventory that says where a computer is reached."""


@dataclass(frozen=True, slots=True)
class HostRun:
    """One computer in a run.

    Attributes:
        host: Its inventory name.
        keys: The names of the keys that it gets.
        address: Where it is reached.
        license: The result of C(license_info).
        plan: The results of C(mak_client) in check mode, by key.
        made: Those of the real ones, by key, or by activation ID where a confirmation ID was applied.
    """

    host: str
    keys: Sequence[str] = ()
    address: str = ""
    license: Result = field(default_factory=dict)
    plan: Mapping[str, Result] = field(default_factory=dict)
    made: Mapping[str, Result] = field(default_factory=dict)

    @property
    def was_read(self) -> bool:
        """Whether its licensing state is known."""
        return "operating_system" in self.license

    @property
    def not_reached(self) -> bool:
        """Whether it did not answer."""
        return any(result.get("unreachable") for result in (self.license, *self.plan.values(), *self.made.values()))


def assigned_keys(found: Registered) -> dict[str, list[str]]:
    """The names of the keys that each computer gets, by its variable or by the rules of the ring."""
    given = names_of_each(found.variables[KEYS], found.hosts, KEYS)
    return {host: list(_chosen(found, host).get("assigned", {}).get(host, keys)) for host, keys in given.items()}


def unassigned(found: Registered) -> dict[str, Result]:
    """By computer for which the rules of the ring have something to say C(kind) and C(reason)."""
    said = {host: _chosen(found, host).get("unassigned", {}).get(host) for host in found.hosts}
    return {host: one for host, one in said.items() if one}


def ruled(found: Registered) -> set[str]:
    """The computers that get their keys by the rules of the ring."""
    return {host for host in found.hosts if host in _chosen(found, host).get("by_rule", {})}


def _chosen(found: Registered, host: str) -> Result:
    """What the step C(to_read) gave the computer, or C(assign_by_rule) after it. Only those that were read have the latter."""
    return found.of("chosen", host) if "chosen" in found.results else {}


def host_runs(found: Registered, keys: Mapping[str, Sequence[str]]) -> list[HostRun]:
    """The computers of a play, or of its batch, in their order; what no task of this step has looked at is empty.

    Args:
        found: What was registered.
        keys: The names of the keys that each gets.
    """
    addresses, known = found.variables.get(ADDRESS, {}), found.results.keys()
    return [
        HostRun(
            host,
            keys.get(host, ()),
            str(addresses.get(host) or host),
            found.of("license", host) if "license" in known else {},
            found.items("plan", host) if "plan" in known else {},
            found.items("made", host) if "made" in known else {},
        )
        for host in found.hosts
    ]
