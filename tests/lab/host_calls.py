# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running lab does on a host itself, past its WS-Management."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from .control import Handler
from .windows.host import Host
from .windows.ports import SystemClock
from .windows.registry import HKEY_LOCAL_MACHINE
from .windows.schema import CIMV2
from .windows.wmi_face import SERVICE_STOPPING
from .wsman.backend import WmiError


class HostCalls:
    """The commands; ``host_of`` finds a host by its label or DNS name."""

    def __init__(self, host_of: Callable[[str], Host]) -> None:
        self._host_of = host_of

    def commands(self) -> dict[str, Handler]:
        """What the control channel offers."""
        return {
            "call_method": self.call_method,
            "call_service": self.call_service,
            "call_registry": self.call_registry,
            "activate": self.activate,
            "count_clients": lambda host, count: self._host_of(host).count_clients(count),
            "jump_clock": self.jump_clock,
        }

    def call_method(
        self, host: str, class_name: str, method: str, arguments: dict[str, Any], selectors: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """A method of a class in root/cimv2 of a host, called on the host itself and not over the wire."""
        found = self._awake(host) if class_name.startswith("SoftwareLicensing") else self._host_of(host)
        return dict(found.invoke(CIMV2, class_name, selectors, method, arguments))

    def _awake(self, host: str) -> Host:
        """A host whose sppsvc runs: one that is just stopping, because nobody has used it for a while, is waited for."""
        found = self._host_of(host)
        while True:
            try:
                found.demand_licensing()
            except WmiError as error:
                if error.hresult & 0xFFFFFFFF != SERVICE_STOPPING:
                    raise
                found.clock.sleep(found.spec.sppsvc_stop)
            else:
                return found

    def call_service(self, host: str, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """A method of a host's SoftwareLicensingService."""
        (service,) = self._awake(host).instances(CIMV2, "SoftwareLicensingService")
        return self.call_method(host, "SoftwareLicensingService", method, arguments, {"Version": str(service["Version"])})

    def activate(self, host: str) -> str:
        """Let a host activate its Windows, on the host itself and not over the wire; returns the HRESULT, 0x00000000 for success."""
        found = self._awake(host)
        products = found.instances(CIMV2, "SoftwareLicensingProduct")
        product = next(item for item in products if item.get("PartialProductKey") and not item.get("LicenseIsAddon"))
        try:
            found.invoke(CIMV2, "SoftwareLicensingProduct", {"ID": product["ID"]}, "Activate", {})
        except WmiError as error:
            return f"0x{error.hresult & 0xFFFFFFFF:08X}"
        return "0x00000000"

    def jump_clock(self, host: str, seconds: float) -> None:
        """Set the clock of a host forward, or with a negative number back; a reset ends that. Raises ValueError for one without a clock to set."""
        clock = self._host_of(host).clock
        if not isinstance(clock, SystemClock):
            raise ValueError(f"{host} has no clock that can be set")
        clock.skew += timedelta(seconds=seconds)

    def call_registry(self, host: str, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """A method of a host's StdRegProv on HKEY_LOCAL_MACHINE, called on the host itself and not over the wire."""
        return dict(self._host_of(host).invoke(CIMV2, "StdRegProv", None, method, {"hDefKey": HKEY_LOCAL_MACHINE, **arguments}))
