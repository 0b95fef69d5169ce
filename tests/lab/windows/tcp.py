# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MSFT_NetTCPConnection: the ports on which a machine listens, whatever its firewall lets through."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..wsman.backend import CimClass
from .provider import Instance, Provider

_LISTEN = 2
_WINRM_PORT = 5985


class TcpConnections(Provider):
    """Listeners only; ``kms_port`` is that of a KMS host whose service runs, or 0."""

    kind = "mi"

    def __init__(self, cim_class: CimClass, language: str, kms_port: Callable[[], int]) -> None:
        super().__init__(cim_class, language)
        self._kms_port = kms_port

    def instances(self, equal: Mapping[str, object] | None = None) -> Sequence[Instance]:
        """One row for each port."""
        ports = [_WINRM_PORT, self._kms_port()]
        return [
            self.complete(
                {
                    "InstanceID": f"::++{port}++::++0",
                    "LocalAddress": "::",
                    "LocalPort": port,
                    "RemoteAddress": "::",
                    "RemotePort": 0,
                    "State": _LISTEN,
                    "OwningProcess": 4,
                }
            )
            for port in ports
            if port
        ]
