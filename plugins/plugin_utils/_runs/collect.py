# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what the tasks of a role registered: the only reader of C(hostvars) in a run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .._errors import ActivationError
from .._fleet.variables import HostVariables
from .registered import Registered, Result, absent


def collect(
    variables: HostVariables,
    hosts: Sequence[str],
    names: Mapping[str, str],
    optional: Collection[str] = (),
    inventory: Collection[str] = (),
) -> Registered:
    """Read each host once.

    Args:
        variables: Reads them.
        hosts: The hosts of the play.
        names: The names that a run knows results by, and the variables that tasks registered them in.
        optional: Which of these may be there on no host at all.
        inventory: Variables of the inventory that are wanted as well.

    Raises:
        ActivationError: A result is there on no host, or is none.
    """
    results: dict[str, dict[str, Result]] = {name: {} for name in names}
    given: dict[str, dict[str, Any]] = {name: {} for name in inventory}
    for host in hosts:
        found = variables.of(host)
        for name, variable in names.items():
            if variable in found:
                results[name][host] = _result(found[variable], variable, host)
        for name in inventory:
            value = variables.template(found.get(name))
            if value is not None:
                given[name][host] = value
    for name, variable in names.items():
        if hosts and not results[name] and name not in optional:
            raise absent(variable, name)
    return Registered(hosts, results, given)


def _result(value: Any, variable: str, host: str) -> Result:
    if not isinstance(value, Mapping):
        raise ActivationError(f"{variable} of {host} is no task result but {type(value).__name__}.", source="options")
    return value
