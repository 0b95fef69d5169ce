# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How one host is reached, as its connection plugin understands its variables. Pure."""

from __future__ import annotations

import copy
import typing as t
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from .spn import Spn, of_psrp, of_winrm


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """How one host is reached, as its connection plugin understands its variables. It needs the plugin no longer.

    Attributes:
        connection: C(winrm) or C(psrp).
        pattern: What the library's transports are made from.
        timeouts: Seconds that the user's variables give for connecting and for reading.
        proxy: The proxy that the host's variables name, with its account; empty for none.
        chooses: Whether they say that no other proxy is to be used either.
        managed: A ticket by C(kinit) with user and password has to be got first, as the winrm plugin does it.
    """

    connection: str
    pattern: t.Any
    timeouts: tuple[float, float]
    proxy: str = ""
    chooses: bool = False
    managed: bool = False

    def at(self, address: str, known: str) -> ConnectionSettings:
        """The same for a host at another address.

        Args:
            address: Its address or name.
            known: The one that these settings are for.
        """
        if self.connection == "psrp":
            return replace(self, pattern={**self.pattern, "server": address})
        pattern = copy.copy(self.pattern)
        # scheme://address:port/path
        pattern.endpoint = str(pattern.endpoint).replace(f"//{_authority(known)}:", f"//{_authority(address)}:", 1)
        return replace(self, pattern=pattern)

    @property
    def user(self) -> str:
        """The account as it was given."""
        return str((self.pattern["username"] if self.connection == "psrp" else self.pattern.username) or "")

    @property
    def password(self) -> str:
        """Its password."""
        return str((self.pattern["password"] if self.connection == "psrp" else self.pattern.password) or "")

    @property
    def authentication(self) -> str:
        """C(basic), C(ntlm), C(negotiate), C(kerberos), C(credssp) or C(certificate)."""
        return str(self.pattern["auth"]) if self.connection == "psrp" else _winrm_method(self.pattern)

    @property
    def host(self) -> str:
        """The name or address that requests go to, IPv6 without brackets."""
        return str(self.pattern["server"] if self.connection == "psrp" else urlsplit(str(self.pattern.endpoint)).hostname)

    @property
    def ticket(self) -> Spn | None:
        """The service that a Kerberos ticket is asked for; C(None) where the logon may be another one."""
        if self.authentication != "kerberos":
            return None
        if self.connection == "psrp":
            return of_psrp(self.pattern, f"//{_authority(self.host)}")
        return of_winrm(self.pattern, str(self.pattern.endpoint))


def _authority(address: str) -> str:
    """An address as a URL has it."""
    return f"[{address}]" if ":" in address else address


def _winrm_method(transport: t.Any) -> str:
    """The authentication of pywinrm in the words of its documentation."""
    method = str(transport.auth_method)
    if method in ("plaintext", "ssl"):
        # pywinrm's names for Basic; the second one means a client certificate where there is one.
        method = "certificate" if method == "ssl" and transport.cert_pem else "basic"
    return method
