# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WMI classes that one simulated Windows machine has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from . import machine as system
from .events import NtLogEvents
from .firewall import FirewallRules
from .licensing_classes import LicensingProducts, LicensingService
from .provider import Provider
from .schema import CIMV2, STANDARD_CIMV2, licensing_class, system_class
from .services import Services
from .stdregprov import StdRegProv
from .tcp import TcpConnections
from .token_licenses import TokenLicenses

if TYPE_CHECKING:
    from .host import Host


def providers_of(host: Host, restart_soon: Callable[[bool], None]) -> list[Provider]:
    """One for each class; ``restart_soon`` takes whether the machine comes back."""
    spec, schema = host.spec, host.spec.windows.schema
    language, name = spec.language, spec.netbios_name
    environment = {"SystemRoot": r"C:\Windows", "WinDir": r"C:\Windows", "ProgramFiles": r"C:\Program Files"}
    found: list[Provider] = [
        LicensingService(licensing_class("SoftwareLicensingService", schema), host),
        LicensingProducts(licensing_class("SoftwareLicensingProduct", schema), host),
        *_token_licenses(host),
        StdRegProv(system_class("StdRegProv", CIMV2), language, lambda: host.registry, environment),
        StdRegProv(system_class("StdRegProv", "root/default"), language, lambda: host.registry, environment),
        Services(system_class("Win32_Service", CIMV2), language, lambda: host.services, name),
        NtLogEvents(system_class("Win32_NTLogEvent", CIMV2), language, lambda: host.events, spec.dns_name, host.clock, spec.event_query),
        system.OperatingSystem(system_class("Win32_OperatingSystem", CIMV2), spec, host.clock, lambda: host.booted, restart_soon),
        system.ComputerSystem(system_class("Win32_ComputerSystem", CIMV2), spec, lambda: host.is_member),
        system.NetworkAdapters(system_class("Win32_NetworkAdapterConfiguration", CIMV2), spec, lambda: host.registry),
    ]
    # Both classes came with Windows 8 and Server 2012.
    if schema >= 2018:
        found.append(FirewallRules(system_class("MSFT_NetFirewallRule", STANDARD_CIMV2), language, lambda: host.firewall))
        found.append(TcpConnections(system_class("MSFT_NetTCPConnection", STANDARD_CIMV2), language, host.kms_port))
    return found


def _token_licenses(host: Host) -> list[Provider]:
    """The class came with Windows 7 and Server 2008 R2."""
    if host.spec.windows.schema < 2009:
        return []
    cim_class = licensing_class("SoftwareLicensingTokenActivationLicense", host.spec.windows.schema)
    return [TokenLicenses(cim_class, host.spec.language, host.demand_licensing, lambda: host.licensing.token_licenses)]
