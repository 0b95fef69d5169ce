# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The limits of a host's WinRM service and the resource that shows them (wsman-wire §5, Limits)."""

from __future__ import annotations

from dataclasses import dataclass

from . import namespaces as ns
from .variants import is_before_windows8


@dataclass(frozen=True)
class Limits:
    """What one WinRM service allows. Sizes in bytes, times in seconds."""

    max_envelope: int = 500 * 1024
    min_envelope: int = 8192
    max_timeout: float = 60.0
    max_batch_items: int = 32000
    enumeration_timeout: float = 240.0

    @classmethod
    def of(cls, os_version: str, max_timeout: float = 60.0) -> Limits:
        """The defaults of a Windows version."""
        size = 150 if is_before_windows8(os_version) else 500
        return cls(max_envelope=size * 1024, max_timeout=max_timeout)


def config_xml(limits: Limits, allows_unencrypted: bool, old: bool) -> str:
    """The part of ``winrm/config`` that clients look at."""
    unencrypted = "true" if allows_unencrypted else "false"
    authentication = "".join(
        f"<cfg:{name}>{value}</cfg:{name}>"
        for name, value in (
            ("Basic", "true"),
            ("Kerberos", "true"),
            ("Negotiate", "true"),
            ("Certificate", "false"),
            ("CredSSP", "false"),
            ("CbtHardeningLevel", "Relaxed"),
        )
    )
    service = (
        f"<cfg:MaxConcurrentOperationsPerUser>{15 if old else 1500}</cfg:MaxConcurrentOperationsPerUser>"
        f"<cfg:EnumerationTimeoutms>{int(limits.enumeration_timeout * 1000)}</cfg:EnumerationTimeoutms>"
        f"<cfg:MaxConnections>{25 if old else 300}</cfg:MaxConnections>"
        f"<cfg:MaxPacketRetrievalTimeSeconds>120</cfg:MaxPacketRetrievalTimeSeconds>"
        f"<cfg:AllowUnencrypted>{unencrypted}</cfg:AllowUnencrypted><cfg:Auth>{authentication}</cfg:Auth>"
        f"<cfg:DefaultPorts><cfg:HTTP>5985</cfg:HTTP><cfg:HTTPS>5986</cfg:HTTPS></cfg:DefaultPorts>"
        f"<cfg:AllowRemoteAccess>true</cfg:AllowRemoteAccess>"
    )
    return (
        f'<cfg:Config xmlns:cfg="{ns.URI_CONFIG}"><cfg:MaxEnvelopeSizekb>{limits.max_envelope // 1024}</cfg:MaxEnvelopeSizekb>'
        f"<cfg:MaxTimeoutms>{int(limits.max_timeout * 1000)}</cfg:MaxTimeoutms>"
        f"<cfg:MaxBatchItems>{limits.max_batch_items}</cfg:MaxBatchItems><cfg:MaxProviderRequests>4294967295</cfg:MaxProviderRequests>"
        f"<cfg:Service>{service}</cfg:Service><cfg:Winrs><cfg:AllowRemoteShellAccess>false</cfg:AllowRemoteShellAccess></cfg:Winrs>"
        f"</cfg:Config>"
    )
