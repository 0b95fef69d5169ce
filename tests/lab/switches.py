# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts of a running lab are switched on, and what takes them down and brings them back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from . import names
from .control import Handler
from .windows.host import Host
from .windows.ports import SystemClock
from .wsman.backend import Directory


class Switches:
    """Puts hosts into the directory of the WS-Management server while they are up, and takes them out before they go.

    ``hosts`` are by label. ``disconnect`` closes the connections to an address, to all with None. ``lock`` is held while
    hosts come and go.
    """

    def __init__(
        self,
        machines: Sequence[names.Machine],
        hosts: Mapping[str, Host],
        directory: Directory,
        disconnect: Callable[[str | None], None],
    ) -> None:
        self.lock = threading.RLock()
        self._machines = machines
        self._hosts = hosts
        self._directory = directory
        self._disconnect = disconnect

    def commands(self) -> dict[str, Handler]:
        """What the control channel offers, see :class:`lab.control.Control`."""
        return {
            "stop_host": self.stop_host,
            "start_host": self.start_host,
            "clone": self.clone,
            "reimage": self.reimage,
            "disconnect": self.disconnect,
        }

    def boot_all(self) -> None:
        """Start every host; each answers as soon as it is up."""
        for machine in self._machines:
            self._hosts[machine.label].start()
            self._directory.hosts[machine.address] = self._hosts[machine.label]

    def shut_down_all(self) -> None:
        """Turn every host off."""
        self._directory.hosts.clear()
        self._disconnect(None)
        for host in self._hosts.values():
            host.stop()

    def reset_all(self) -> None:
        """Every host as on its first day, and switched on."""
        for machine in self._machines:
            clock = self._hosts[machine.label].clock
            if isinstance(clock, SystemClock):
                clock.skew = timedelta()
            self._hosts[machine.label].reset()
            self._directory.hosts[machine.address] = self._hosts[machine.label]

    def find(self, host: str) -> names.Machine:
        """The machine of that label or DNS name. Raises ValueError."""
        try:
            return names.find(host, self._machines)
        except KeyError as error:
            raise ValueError(f"the lab has no host {host}") from error

    def host_of(self, host: str) -> Host:
        """The host of that label or DNS name. Raises ValueError."""
        return self._hosts[self.find(host).label]

    def is_on(self, machine: names.Machine) -> bool:
        """Whether a host answers."""
        return machine.address in self._directory.hosts

    def power_changed(self, host: Host, up: bool) -> None:
        """A host went away, or came back, by itself (a restart over WMI)."""
        with self.lock:
            if host.is_up != up:
                return  # a reset overtook it
            if up:
                self._directory.hosts[host.spec.address] = host
            else:
                self._directory.hosts.pop(host.spec.address, None)
                self._disconnect(host.spec.address)

    def reimage(self, host: str, same_hardware: bool = True, with_key: bool = True) -> None:
        """Set a host up anew; it runs afterwards."""
        machine = self.find(host)
        with self.lock:
            self._directory.hosts.pop(machine.address, None)
            self._disconnect(machine.address)
            self._hosts[machine.label].reimage(same_hardware, with_key)
            self._directory.hosts[machine.address] = self._hosts[machine.label]

    def stop_host(self, host: str) -> None:
        """Turn a host off."""
        machine = self.find(host)
        with self.lock:
            if self._directory.hosts.pop(machine.address, None) is not None:
                self._disconnect(machine.address)
                self._hosts[machine.label].stop()

    def clone(self, source: str, hosts: list[str]) -> None:
        """Make hosts copies of another one, which may be switched off, and start them; each keeps its name, address and domain."""
        image = self._hosts[self.find(source).label]
        for name in hosts:
            self.stop_host(name)
            machine = self.find(name)
            with self.lock:
                self._hosts[machine.label].become_copy(image)
                self._directory.hosts[machine.address] = self._hosts[machine.label]

    def start_host(self, host: str) -> None:
        """Turn a host on."""
        machine = self.find(host)
        with self.lock:
            if not self.is_on(machine):
                self._hosts[machine.label].start()
                self._directory.hosts[machine.address] = self._hosts[machine.label]

    def disconnect(self, host: str) -> None:
        """Close a host's connections, as for those that were idle for too long."""
        self._disconnect(self.find(host).address)
