# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tasks of a role registered for the hosts of a play.

Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from .._core.errors import ActivationError

Result = Mapping[str, Any]


class Ran(Enum):
    """What became of a task on a host."""

    YES = "yes"
    SKIPPED = "skipped"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Registered:
    """The results of tasks by the names that a run knows them by, and variables of hosts.

    Attributes:
        hosts: The hosts that were read, in the order of the play.
        results: By name and host what was registered; a host is not in it where the task did not get to it.
        variables: By name and host the values that the host sees; a host is not in it where it sees none.
        of_play: The names of those variables that the play gives, and not the inventory.
        names: By name the variable that the tasks registered it in.
    """

    hosts: Sequence[str]
    results: Mapping[str, Mapping[str, Result]] = field(default_factory=dict)
    variables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    of_play: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)

    def demand(self, name: str, hosts: Collection[str]) -> None:
        """See that a task has run, or was skipped, on one host at least.

        Args:
            name: The name of its result.
            hosts: Those on which it should have; none where it was not needed.

        Raises:
            ActivationError: It is there on none of them, as where a task registers it by another name.
        """
        if hosts and not any(host in self.results[name] for host in hosts):
            raise ActivationError(
                f"No host has the result {self.names.get(name, name)}, which this task reads as {name}. Run the task that registers it in the"
                " same play or before, or correct the name.",
                source="options",
            )

    def ran(self, name: str, host: str) -> Ran:
        """What became of the task on the host."""
        result = self.results[name].get(host)
        if result is None:
            return Ran.NEVER
        return Ran.SKIPPED if result.get("skipped") else Ran.YES

    def of(self, name: str, host: str) -> Result:
        """What the task registered for the host; empty unless it ran there."""
        return self.results[name][host] if self.ran(name, host) is Ran.YES else {}

    def all_of(self, name: str) -> dict[str, Result]:
        """The same for all hosts on which it ran."""
        return {host: result for host, result in self.results[name].items() if not result.get("skipped")}

    def once(self, name: str) -> Result:
        """What a task that ran once registered; empty where it was skipped or did not run."""
        return next(iter(self.all_of(name).values()), {})

    def loop(self, name: str) -> list[Result]:
        """The results of a loop that ran once, each with its C(item), without those that were skipped."""
        return _ran(self.once(name))

    def items(self, name: str, host: str) -> dict[str, Result]:
        """The results of a loop over names on a host, by name, without those that were skipped."""
        return {str(result["item"]): result for result in _ran(self.of(name, host))}


def _ran(loop: Result) -> list[Result]:
    return [result for result in loop.get("results") or () if not result.get("skipped")]
