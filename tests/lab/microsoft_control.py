# Copyright (c) 2026, winops contributors
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
    """Started and stopped with the simulator; ``host_of`` finds a host by its label or DNS name.

    Without a port nobody reaches it: neither the service nor the proxy is there.
    """

    def __init__(self, layout: Layout, microsoft: Microsoft, https_port: int | None, seed: int, host_of: Callable[[str], Host]) -> None:
        self._microsoft = microsoft
        self._host_of = host_of
        self._server: BatchServer | None = None
        self._proxy: ProxyServer | None = None
        if https_port is None:
            return
        port, proxy_port = https_port + inventory.MICROSOFT_PORT_OFFSET, https_port + inventory.PROXY_PORT_OFFSET
        where: dict[str, Any] = {"address": names.MICROSOFT_ADDRESS, "port": port}
        self._server = BatchServer(layout.microsoft, microsoft, seed=seed, log=layout.microsoft_log, **where)
        self._server.journal.truncate()
        self._proxy = ProxyServer(
            names.PROXY_USER,
            names.PROXY_PASSWORD,
            address=names.MICROSOFT_ADDRESS,
            port=proxy_port,
            names={HOST_NAME: (names.MICROSOFT_ADDRESS, port)},
        )

    def start(self) -> None:
        """Open the ports. Raises OSError."""
        if self._server is not None and self._proxy is not None:
            self._server.start()
            self._proxy.start()

    def stop(self) -> None:
        """Close them."""
        if self._server is not None and self._proxy is not None:
            self._server.stop()
            self._proxy.stop()

    def reset(self) -> None:
        """Counts as on the first day, no faults, empty logs."""
        self._microsoft.reset()
        if self._server is not None and self._proxy is not None:
            self._server.reset()
            self._proxy.forget()

    def is_quiet(self) -> bool:
        """Whether nobody is asking."""
        return self._server is None or self._server.is_quiet()

    def clear_faults(self) -> None:
        """Remove every rule."""
        if self._server is not None:
            self._server.faults.clear()

    def commands(self) -> dict[str, Handler]:
        """What the control channel offers, see :class:`lab.control.Control`."""
        return {
            "microsoft": self._microsoft.snapshot,
            "set_key_state": lambda key, state: self._microsoft.set_state(_key(key), state),
            "set_remaining": lambda key, count: self._microsoft.set_remaining(_key(key), int(count)),
            **self._of_server(),
            "set_microsoft_reachable": self._set_reachable,
            "change_hardware": lambda host: self._host_of(host).change_hardware(),
            "say": lambda host, cim_class, properties: self._host_of(host).say(cim_class, properties),
        }

    def _of_server(self) -> dict[str, Handler]:
        server, proxy = self._server, self._proxy
        if server is None or proxy is None:
            return {}
        return {
            "microsoft_fault": server.faults.add,
            "microsoft_fault_hits": server.faults.hits,
            "microsoft_proxy": lambda: {"tunnels": list(proxy.tunnels), "refused": list(proxy.refused)},
        }

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
