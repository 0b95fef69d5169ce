# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service that a Kerberos ticket for WinRM is asked for, and what to do where the domain does not know it. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from urllib.parse import urlsplit

# The registered name of a computer that every domain controller knows; WSMAN is registered by the WinRM service, where it may do so.
_ALWAYS_THERE = "host"
# That of pypsrp since 0.9, where the plugin names none.
_OF_PSRP = _ALWAYS_THERE
_OF_WINRM = "HTTP"


@dataclass(frozen=True, slots=True)
class Spn:
    """The service that a ticket is asked for.

    Attributes:
        service: Such as C(WSMAN).
        host: The name or address behind the slash.
        service_variable: The variable of the host that chooses the service.
        host_variable: The one that chooses the name.
    """

    service: str
    host: str
    service_variable: str
    host_variable: str

    def unknown(self) -> str:
        """What to do where the domain does not know it."""
        start = f"the domain knows no service {self.service}/{self.host}"
        name = f"connect to the host's full DNS name ({self.host_variable})"
        if self.service.lower() in (_ALWAYS_THERE, "http") or not _is_full_name(self.host):
            return f"{start}; {name}"
        return f"{start}; set {self.service_variable}: {_ALWAYS_THERE}, which every computer of a domain has, or {name}"


def _is_full_name(host: str) -> bool:
    """Whether a text is a DNS name with a domain, and no address."""
    return "." in host and ":" not in host and not host.rpartition(".")[2].isdigit()


def of_winrm(transport: t.Any, endpoint: str) -> Spn:
    """That of a transport of pywinrm."""
    host = transport.kerberos_hostname_override or urlsplit(endpoint).hostname
    return Spn(str(transport.service or _OF_WINRM), str(host), "ansible_winrm_service", "ansible_winrm_kerberos_hostname_override")


def of_psrp(arguments: t.Mapping[str, t.Any], endpoint: str) -> Spn:
    """That of the arguments for pypsrp."""
    host = arguments.get("negotiate_hostname_override") or urlsplit(endpoint).hostname
    service = str(arguments.get("negotiate_service") or _OF_PSRP)
    return Spn(service, str(host), "ansible_psrp_negotiate_service", "ansible_psrp_negotiate_hostname_override")
