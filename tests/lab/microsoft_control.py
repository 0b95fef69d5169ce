# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft as part of a running lab: the service that is asked for confirmation IDs, the proxy to it, and the commands about both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import inventory, names
from .control import Handler
from .layout import Layout
from .microsoft.proxy import ProxyServer
from .microsoft.server import HOST_NAME, BatchServer
from .windows import data
from .windows.host import Host
from .windows.microsoft import Microsoft


class MicrosoftControl:
    """Started and stopped with the simulator; ``host_of`` finds a host by its label or DNS name."""

    def __init__(self, layout: Layout, microsoft: Microsoft, https_port: int, seed: int, host_of: Callable[[str], Host]) -> None:
        self._microsoft = microsoft
        self._host_of = host_of
        self._server = BatchServer(
            layout.microsoft,
            microsoft,
            address=names.MICROSOFT_ADDRESS,
            port=https_port + inventory.MICROSOFT_PORT_OFFSET,
            seed=seed,
            log=layout.microsoft_log,
        )
        self._server.journal.truncate()
        self._proxy_port = https_port + inventory.PROXY_PORT_OFFSET
        self._proxy: ProxyServer | None = None

    def start(self) -> None:
        """Open the ports. Raises OSError."""
        self._server.start()
        real = (self._server.address, self._server.port)
        self._proxy = ProxyServer(
            names.PROXY_USER, names.PROXY_PASSWORD, address=names.MICROSOFT_ADDRESS, port=self._proxy_port, names={HOST_NAME: real}
        )
        self._proxy.start()

    def stop(self) -> None:
        """Close them."""
        self._server.stop()
        if self._proxy is not None:
            self._proxy.stop()

    def reset(self) -> None:
        """Counts as on the first day, no faults, empty logs."""
        self._microsoft.reset()
        self._server.reset()
        if self._proxy is not None:
            self._proxy.forget()

    def clear_faults(self) -> None:
        """Remove every rule."""
        self._server.faults.clear()

    def commands(self) -> dict[str, Handler]:
        """What the control channel offers, see :class:`lab.control.Control`."""
        return {
            "microsoft": self._microsoft.snapshot,
            "set_key_state": lambda key, state: self._microsoft.set_state(_key(key), state),
            "set_remaining": lambda key, count: self._microsoft.set_remaining(_key(key), int(count)),
            "microsoft_fault": self._add_fault,
            "microsoft_fault_hits": self._server.faults.hits,
            "microsoft_proxy": self._seen_by_proxy,
            "set_microsoft_reachable": self._set_reachable,
            "change_hardware": lambda host: self._host_of(host).change_hardware(),
        }

    def _add_fault(self, rule: dict[str, Any]) -> None:
        self._server.faults.add(rule)

    def _seen_by_proxy(self) -> dict[str, list[str]]:
        return {"tunnels": list(self._proxy.tunnels), "refused": list(self._proxy.refused)} if self._proxy else {}

    def _set_reachable(self, reachable: bool, host: str | None = None) -> None:
        if host is None:
            self._microsoft.reachable = reachable
        else:
            self._host_of(host).reaches_microsoft = reachable


def _key(name: str) -> str:
    try:
        return data.key_named(name).key
    except KeyError as error:
        raise ValueError(f"no key {name}; there are {', '.join(sorted(item.name for item in data.keys().values()))}") from error
