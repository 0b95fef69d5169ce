# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what the tasks of a role registered: the only reader of C(hostvars) in a run."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._core.errors import ActivationError
from .._fleet.variables import HostVariables
from .registered import Registered, Result


@dataclass(frozen=True, slots=True)
class WantedVariables:
    """Which variables of hosts are wanted.

    Attributes:
        names: Their names.
        shared: Those that are templated once for all hosts that have the same.
        above: Values that the play gives in the place of those of the inventory.
        beneath: Variables of the play that the inventory does not have, for templates.
        only: By name the hosts that have the variable, where not all do.
    """

    names: Collection[str] = ()
    shared: frozenset[str] = frozenset()
    above: Mapping[str, Any] = field(default_factory=dict)
    beneath: Mapping[str, Any] = field(default_factory=dict)
    only: Mapping[str, Collection[str]] = field(default_factory=dict)


_NOTHING = WantedVariables()
_NONE = object()


def collect(
    variables: HostVariables,
    hosts: Sequence[str],
    names: Mapping[str, str],
    optional: Collection[str] = (),
    wanted: WantedVariables = _NOTHING,
) -> Registered:
    """Read each host once.

    Args:
        variables: Reads them.
        hosts: The hosts of the play.
        names: The names that a run knows results by, and the variables that tasks registered them in.
        optional: Which of these may be there on no host at all.
        wanted: Variables of the hosts that are wanted as well.

    Raises:
        ActivationError: A result is there on no host, or is none; a variable can't be read.
    """
    results: dict[str, dict[str, Result]] = {name: {} for name in names}
    given: dict[str, dict[str, Any]] = {name: {} for name in wanted.names}
    templates = {name: _Shared(variables) if name in wanted.shared else variables for name in wanted.names}
    for host in hosts:
        found = variables.of(host)
        for name, variable in names.items():
            if variable in found:
                results[name][host] = _result(found[variable], variable, host)
        for name, templar in templates.items():
            if name in wanted.only and host not in wanted.only[name]:
                continue
            value = templar.template(wanted.above[name] if name in wanted.above else found.get(name), f"{name} of {host}")
            if value is not None:
                given[name][host] = value
    read = Registered(hosts, results, given, frozenset(wanted.above), names)
    for name in names:
        if name not in optional:
            read.demand(name, hosts)
    return read


class _Shared:
    """Templates a value once for all hosts that have the same: the very same, or one that equals one of the last few.

    Where each host has its own, comparing it with all that were seen would take the square of the number of hosts.
    """

    _LAST = 8

    def __init__(self, variables: HostVariables) -> None:
        self._variables = variables
        # By identity, each with the value itself, so that no other one gets its identity.
        self._seen: dict[int, tuple[Any, Any]] = {}
        self._last: deque[tuple[Any, Any]] = deque(maxlen=self._LAST)

    def template(self, value: Any, name: str) -> Any:
        """See C(HostVariables)."""
        known = self._seen.get(id(value))
        if known is None:
            equal = next((made for raw, made in self._last if raw == value), _NONE)
            known = value, self._variables.template(value, name) if equal is _NONE else equal
            self._seen[id(value)] = known
            if equal is _NONE:
                self._last.append(known)
        return known[1]


def _result(value: Any, variable: str, host: str) -> Result:
    if not isinstance(value, Mapping):
        raise ActivationError(f"{variable} of {host} is no task result but {type(value).__name__}.", source="options")
    return value
