# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift of computers with a MAK: what somebody might do to their keys and licences."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import names
from .domain.editor import NothingToChange
from .windows import data
from .windows.host import Host
from .windows.licences import Licence

Change = Callable[[names.Machine], str]


class MakDrift:
    """Changes to computers that are no KMS hosts; ``hosts`` are by label. All methods raise NothingToChange."""

    def __init__(self, hosts: Mapping[str, Host]) -> None:
        self._hosts = hosts

    def of_clients(self) -> dict[str, Change]:
        """The drifts, by name."""
        return {
            "mak_replaced": self._mak_replaced,
            "setup_key_back": self._setup_key_back,
            "key_removed": self._key_removed,
            "add_on_key_removed": self._add_on_key_removed,
            "licence_lost": self._licence_lost,
            "winrm_by_hand": self._winrm_by_hand,
        }

    def _winrm_by_hand(self, machine: names.Machine) -> str:
        """The start mode of WinRM is Manual. That the lab's machines answer after a start all the same is the lab's own choice."""
        services = self._hosts[machine.label].services
        if services.find("WinRM").start_mode == "Manual":
            raise NothingToChange(f"WinRM of {machine.fqdn} is started by hand")
        services.change_start_mode("WinRM", "Manual")
        return f"had WinRM of {machine.fqdn} started by hand"

    def _base(self, machine: names.Machine) -> Licence:
        licence = self._hosts[machine.label].licensing.base()
        if licence is None:
            raise NothingToChange(f"{machine.fqdn} has no key")
        return licence

    def _install(self, machine: names.Machine, key: data.LabKey) -> str:
        self._hosts[machine.label].licensing.install_key(key.key)
        return f"installed the key that ends in {key.partial} on {machine.fqdn}"

    def _mak_replaced(self, machine: names.Machine) -> str:
        """Another MAK of the same product."""
        licence = self._base(machine)
        same = [key for key in data.keys().values() if key.kind == "mak" and key.product_id == licence.product.id and key != licence.key]
        other = next((key for key in same if key.microsoft.get("remaining") and "state" not in key.microsoft), None)
        if licence.key is None or licence.key.kind != "mak" or other is None:
            raise NothingToChange(f"{machine.fqdn} has no MAK that another one could replace")
        return self._install(machine, other)

    def _setup_key_back(self, machine: names.Machine) -> str:
        """The client setup key, as somebody installs it who expects KMS."""
        setup = data.setup_key_of(self._hosts[machine.label].spec.windows)
        licence = self._base(machine)
        if not setup or (licence.key is not None and licence.key.key == setup):
            raise NothingToChange(f"{machine.fqdn} has its setup key, or there is none")
        return self._install(machine, data.keys()[setup])

    def _key_removed(self, machine: names.Machine) -> str:
        self._hosts[machine.label].licensing.uninstall_key(self._base(machine))
        return f"removed the key of {machine.fqdn}"

    def _add_on_key_removed(self, machine: names.Machine) -> str:
        licensing = self._hosts[machine.label].licensing
        add_on = next((item for item in licensing.licences.values() if item.key is not None and item.product.is_addon), None)
        if add_on is None:
            raise NothingToChange(f"{machine.fqdn} has no key of an add-on")
        licensing.uninstall_key(add_on)
        return f"removed the key of the add-on {add_on.product.name} from {machine.fqdn}"

    def _licence_lost(self, machine: names.Machine) -> str:
        """The key is there, and the licence is not: as after a store that was rebuilt (docs/facts/errors.md#licensing)."""
        licence = self._base(machine)
        if not licence.activated or licence.key is None:
            raise NothingToChange(f"{machine.fqdn} is not activated")
        licence.install(licence.key, None)
        return f"{machine.fqdn} has lost the licence of its key that ends in {licence.key.partial}"
