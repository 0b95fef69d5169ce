# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine as such: Win32_OperatingSystem, Win32_ComputerSystem, Win32_NetworkAdapterConfiguration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ..wsman.backend import CimClass
from .ports import Clock
from .provider import Instance, Provider
from .registry import Registry, ValueType
from .spec import HostSpec

TCPIP_PARAMETERS = r"SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
DNS_CLIENT_POLICY = r"SOFTWARE\Policies\Microsoft\Windows NT\DNSClient"

_FORCE = 4
_REBOOT = 2
_SHUTDOWN = (1, 8)


def suffix_search_list(registry: Registry) -> list[str]:
    """The list that policy sets, or else the machine's own (docs/facts/kms.md#where-a-client-looks)."""
    text = registry.data(DNS_CLIENT_POLICY, "SearchList") or registry.data(TCPIP_PARAMETERS, "SearchList") or ""
    return [part.strip() for part in str(text).replace(" ", ",").split(",") if part.strip()]


def lookup_suffixes(spec: HostSpec, registry: Registry) -> list[str]:
    """Where a KMS client looks: a domain member in its own domain first, then the list; any other in what DHCP gave.

    In a disjoint namespace its own are two: Microsoft's texts say "AD DNS domain" and mean the primary suffix
    (docs/facts/kms.md#where-a-client-looks).
    """
    listed = suffix_search_list(registry)
    found = [spec.suffix, spec.domain] if spec.domain else []
    return list(dict.fromkeys([*found, *(listed or spec.dns_suffixes)]))


class OperatingSystem(Provider):
    """Win32_OperatingSystem, a singleton for WS-Management (docs/facts/system.md#operating-system)."""

    def __init__(
        self,
        cim_class: CimClass,
        spec: HostSpec,
        clock: Clock,
        booted: Callable[[], datetime],
        restart: Callable[[bool], None],
    ) -> None:
        super().__init__(cim_class, spec.language)
        self._spec = spec
        self._clock = clock
        self._booted = booted
        self._restart = restart

    def instances(self, equal: Mapping[str, object] | None = None) -> Sequence[Instance]:
        """The one system."""
        windows, german = self._spec.windows, self._spec.language.startswith("de")
        now = self._clock.now()
        return [
            self.complete(
                {
                    "Name": rf"{windows.caption}|C:\Windows|\Device\Harddisk0\Partition2",
                    "Caption": windows.caption,
                    "Version": windows.version,
                    "BuildNumber": windows.build,
                    "BuildType": "Multiprocessor Free",
                    "CSName": self._spec.netbios_name,
                    "CSDVersion": "Service Pack 1" if windows.version == "6.1.7601" else None,
                    "CreationClassName": "Win32_OperatingSystem",
                    "Manufacturer": "Microsoft Corporation",
                    "OSArchitecture": "64-Bit" if german else "64-bit",
                    "OperatingSystemSKU": windows.sku,
                    "ProductType": windows.product_type,
                    "OSLanguage": 1031 if german else 1033,
                    "Locale": "0407" if german else "0409",
                    "MUILanguages": ["de-DE" if german else "en-US"],
                    "SerialNumber": "00000-00000-00000-AA000",
                    "Status": "OK",
                    "SystemDirectory": r"C:\Windows\system32",
                    "SystemDrive": "C:",
                    "WindowsDirectory": r"C:\Windows",
                    "NumberOfUsers": 1,
                    "OSProductSuite": 272,
                    "SuiteMask": 272,
                    "ServicePackMajorVersion": 1 if windows.version == "6.1.7601" else 0,
                    "ServicePackMinorVersion": 0,
                    "CurrentTimeZone": 0,
                    "FreePhysicalMemory": 2_097_152,
                    "TotalVisibleMemorySize": 4_193_780,
                    "InstallDate": self._booted() - timedelta(days=30),
                    "LastBootUpTime": self._booted(),
                    "LocalDateTime": now,
                }
            )
        ]

    def call(self, instance: Instance | None, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Reboot and Shutdown answer first; the machine goes down right after."""
        flags = int(arguments.get("Flags") or 0) & ~_FORCE if method == "Win32Shutdown" else None
        if method == "Reboot" or flags == _REBOOT:
            self._restart(True)
        elif method == "Shutdown" or flags in _SHUTDOWN:
            self._restart(False)
        return {"ReturnValue": 0}


class ComputerSystem(Provider):
    """Win32_ComputerSystem."""

    def __init__(self, cim_class: CimClass, spec: HostSpec, member: Callable[[], bool]) -> None:
        super().__init__(cim_class, spec.language)
        self._spec = spec
        self._member = member

    def instances(self, equal: Mapping[str, object] | None = None) -> Sequence[Instance]:
        """The one computer."""
        spec = self._spec
        member = self._member()
        server = spec.windows.is_server
        return [
            self.complete(
                {
                    "Name": spec.netbios_name,
                    "Caption": spec.netbios_name,
                    "CreationClassName": "Win32_ComputerSystem",
                    "DNSHostName": spec.label,
                    "Domain": spec.domain if member else spec.workgroup,
                    "PartOfDomain": member,
                    "Workgroup": None if member else spec.workgroup,
                    # 0/1 standalone/member workstation, 2/3 standalone/member server.
                    "DomainRole": (2 if server else 0) + int(member),
                    "HypervisorPresent": True,
                    "Manufacturer": "Contoso",
                    "Model": "Lab Machine",
                    "SystemType": "x64-based PC",
                    "Status": "OK",
                    "NumberOfProcessors": 1,
                    "NumberOfLogicalProcessors": 2,
                    "TotalPhysicalMemory": 4_294_430_720,
                    "Roles": ["LM_Workstation", "LM_Server", "NT"],
                }
            )
        ]


class NetworkAdapters(Provider):
    """Win32_NetworkAdapterConfiguration: one adapter."""

    def __init__(self, cim_class: CimClass, spec: HostSpec, registry: Callable[[], Registry]) -> None:
        super().__init__(cim_class, spec.language)
        self._spec = spec
        self._registry = registry

    def instances(self, equal: Mapping[str, object] | None = None) -> Sequence[Instance]:
        """The adapter."""
        spec = self._spec
        return [
            self.complete(
                {
                    "Index": 1,
                    "InterfaceIndex": 5,
                    "Caption": "[00000001] Lab Network Adapter",
                    "Description": "Lab Network Adapter",
                    "ServiceName": "labnet",
                    "DNSHostName": spec.label,
                    "DNSDomain": spec.suffix or next(iter(spec.dns_suffixes), None),
                    "DHCPEnabled": False,
                    "IPEnabled": True,
                    "DomainDNSRegistrationEnabled": False,
                    "FullDNSRegistrationEnabled": True,
                    "IPAddress": [spec.address],
                    "MACAddress": spec.mac_address,
                    "IPSubnet": ["255.0.0.0"],
                    "DNSServerSearchOrder": list(spec.dns_servers) or None,
                    "DNSDomainSuffixSearchOrder": suffix_search_list(self._registry()) or ([spec.suffix] if spec.suffix else None),
                }
            )
        ]

    def call(self, instance: Instance | None, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """SetDNSSuffixSearchOrder."""
        suffixes = arguments.get("DNSDomainSuffixSearchOrder") or []
        self._registry().set(TCPIP_PARAMETERS, "SearchList", ValueType.SZ, ",".join(suffixes))
        return {"ReturnValue": 0}
