# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tasks of a role registered, for filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._errors import ActivationError


class Results:
    """The registered results of one role.

    Args:
        hostvars: The variable C(hostvars).
        prefix: What the role's private names begin with, such as C(__kms_single_site_).
    """

    def __init__(self, hostvars: Any, prefix: str) -> None:
        self._hostvars = hostvars
        self._prefix = prefix

    def of(self, host: str, name: str) -> Mapping[str, Any]:
        """What a task registered for a host; empty where it did not run there.

        Raises:
            ActivationError: The variable holds something else.
        """
        value = self._hostvars[host].get(self._prefix + name, {})
        if not isinstance(value, Mapping):
            raise ActivationError(f"{self._prefix}{name} of {host} is no task result but {type(value).__name__}.", source="options")
        return value

    def once(self, hosts: Sequence[str], name: str) -> Mapping[str, Any]:
        """What a task that ran once registered; empty where it did not run."""
        return next((found for host in hosts if (found := self.of(host, name))), {})

    def loop(self, hosts: Sequence[str], name: str) -> list[Mapping[str, Any]]:
        """The results of a loop that ran once, each with its C(item)."""
        return [result for result in self.once(hosts, name).get("results") or [] if not result.get("skipped")]

    def each(self, host: str, name: str) -> dict[str, Mapping[str, Any]]:
        """The results of a loop over names that ran on a host, by name; without those that were skipped."""
        return {str(result["item"]): result for result in self.of(host, name).get("results") or [] if not result.get("skipped")}

    def names(self, host: str, name: str) -> list[str]:
        """A list of names that was set for a host; empty where it was not.

        Raises:
            ActivationError: The variable holds something else.
        """
        value = self._hostvars[host].get(self._prefix + name, [])
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise ActivationError(f"{self._prefix}{name} of {host} is no list but {type(value).__name__}.", source="options")
        return [str(entry) for entry in value]

    def clients(self, clients: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Of each client the results C(license) and C(client); a limit may have left some of them out."""
        found = {host: {"license": self.of(host, "license"), "client": self.of(host, "client")} for host in clients}
        return {host: results for host, results in found.items() if results["license"]}

    def accounts(self, hosts: Sequence[str]) -> dict[str, str]:
        """The machine accounts of hosts whose result C(license) tells it: the NetBIOS name with a dollar sign."""
        systems = {host: self.of(host, "license").get("operating_system") for host in hosts}
        return {host: f"{system['computer_name']}$" for host, system in systems.items() if system}
