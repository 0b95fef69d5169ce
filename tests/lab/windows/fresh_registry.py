# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of a machine as it leaves setup."""

from __future__ import annotations

from datetime import UTC, datetime

from . import machine as system
from . import sysprep
from .processes import ASR_RULES, NO_PROCESSES_OVER_WMI
from .registry import Registry, ValueType
from .spec import HostSpec


def fresh_registry(spec: HostSpec) -> Registry:
    """What the simulated classes and programs read there."""
    registry, windows = Registry(), spec.windows
    current = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"
    for name, text in (
        ("EditionID", spec.edition_id or windows.edition),
        ("ProductName", windows.caption.removeprefix("Microsoft ").strip()),
        ("CurrentBuild", windows.build),
        ("CurrentBuildNumber", windows.build),
        ("InstallationType", "Server" if windows.is_server else "Client"),
    ):
        registry.set(current, name, ValueType.SZ, text)
    registry.set(current, "SystemRoot", ValueType.SZ, r"C:\Windows")
    registry.set(current, "InstallTime", ValueType.QWORD, int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()))
    sysprep.fresh(registry, spec)
    if spec.blocks_process_creation:
        registry.set(ASR_RULES, NO_PROCESSES_OVER_WMI, ValueType.SZ, "1")
    # The primary DNS suffix, which need not be the domain that the machine is a member of (disjoint namespace).
    registry.set(system.TCPIP_PARAMETERS, "Domain", ValueType.SZ, spec.suffix)
    registry.set(system.TCPIP_PARAMETERS, "NV Domain", ValueType.SZ, spec.suffix)
    registry.set(system.TCPIP_PARAMETERS, "SearchList", ValueType.SZ, "")
    registry.set(system.TCPIP_PARAMETERS, "DataBasePath", ValueType.EXPAND_SZ, r"%SystemRoot%\System32\drivers\etc")
    return registry
