# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The limits of a host's WinRM service and the resource that shows them (docs/facts/wire.md#limits)."""

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
    max_operations_per_user: int = 1500
    max_connections: int = 300

    @classmethod
    def of(cls, os_version: str, max_timeout: float = 60.0) -> Limits:
        """The defaults of a Windows version."""
        if is_before_windows8(os_version):
            return cls(max_envelope=150 * 1024, max_timeout=max_timeout, max_operations_per_user=15, max_connections=25)
        return cls(max_timeout=max_timeout)


Settings = dict[str, "str | Settings"]

_UNLIMITED = "4294967295"
_METHODS: Settings = {"Basic": "true", "Kerberos": "true", "Negotiate": "true"}
_PORTS: Settings = {"DefaultPorts": {"HTTP": "5985", "HTTPS": "5986"}}
_MOST = "2147483647"


def config_xml(limits: Limits, allows_unencrypted: bool) -> str:
    """C(winrm/config) with the elements that a Server 2016 has; what the lab does not limit is as by default there."""
    client: Settings = {
        "NetworkDelayms": "5000",
        "URLPrefix": "wsman",
        "AllowUnencrypted": "false",
        "Auth": {"Basic": "true", "Digest": "true", "Kerberos": "true", "Negotiate": "true", "Certificate": "true", "CredSSP": "false"},
        **_PORTS,
        "TrustedHosts": "",
    }
    service: Settings = {
        "RootSDDL": "O:NSG:BAD:P(A;;GA;;;BA)(A;;GR;;;IU)S:P(AU;FA;GA;;;WD)(AU;SA;GXGW;;;WD)",
        "MaxConcurrentOperations": _UNLIMITED,
        "MaxConcurrentOperationsPerUser": str(limits.max_operations_per_user),
        "EnumerationTimeoutms": str(int(limits.enumeration_timeout * 1000)),
        "MaxConnections": str(limits.max_connections),
        "MaxPacketRetrievalTimeSeconds": "120",
        "AllowUnencrypted": "true" if allows_unencrypted else "false",
        "Auth": {**_METHODS, "Certificate": "false", "CredSSP": "false", "CbtHardeningLevel": "Relaxed"},
        **_PORTS,
        "IPv4Filter": "*",
        "IPv6Filter": "*",
        "EnableCompatibilityHttpListener": "false",
        "EnableCompatibilityHttpsListener": "false",
        "CertificateThumbprint": "",
        "AllowRemoteAccess": "true",
    }
    shells: Settings = {
        "AllowRemoteShellAccess": "false",
        "IdleTimeout": "7200000",
        "MaxConcurrentUsers": _MOST,
        "MaxShellRunTime": _MOST,
        "MaxProcessesPerShell": _MOST,
        "MaxMemoryPerShellMB": _MOST,
        "MaxShellsPerUser": _MOST,
    }
    config: Settings = {
        "MaxEnvelopeSizekb": str(limits.max_envelope // 1024),
        "MaxTimeoutms": str(int(limits.max_timeout * 1000)),
        "MaxBatchItems": str(limits.max_batch_items),
        "MaxProviderRequests": _UNLIMITED,
        "Client": client,
        "Service": service,
        "Winrs": shells,
    }
    return f'<cfg:Config xmlns:cfg="{ns.URI_CONFIG}">{_elements(config)}</cfg:Config>'


def _elements(settings: Settings) -> str:
    return "".join(f"<cfg:{name}>{value if isinstance(value, str) else _elements(value)}</cfg:{name}>" for name, value in settings.items())
