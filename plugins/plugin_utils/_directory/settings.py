# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where and as whom: the options that all directory modules share.

Associated with the documentation fragment C(_directory).
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from .._core.address import names_in
from .._core.errors import ActivationError
from .._kerberos.logon import KerberosAccount

SECRETS = frozenset({"domain_password"})
"""Options that are never shown."""

VARIABLES: Mapping[str, str] = {
    "domain_server": "volume_activation_domain_server",
    "domain_username": "volume_activation_domain_username",
    "domain_password": "volume_activation_domain_password",
    "domain_keytab": "volume_activation_domain_keytab",
    "domain_ccache": "volume_activation_domain_ccache",
    "tls_mode": "volume_activation_tls_mode",
    "ca_cert": "volume_activation_ca_cert",
    "cert_validation": "volume_activation_cert_validation",
    "connection_timeout": "volume_activation_connection_timeout",
    "dns_servers": "volume_activation_dns_servers",
    "wait_for_replication": "volume_activation_wait_for_replication",
}
"""Option to the variable that stands in where the task leaves the option out."""

READ_VARIABLES: Mapping[str, str] = {option: variable for option, variable in VARIABLES.items() if option != "wait_for_replication"}
"""The same for what writes nothing that others wait for."""


@dataclass(frozen=True, slots=True)
class DirectorySettings:
    """How to reach a domain controller.

    Attributes:
        server: Its full DNS name.
        others: Those that are tried one after the other where it does not answer.
        username: See C(KerberosAccount), as for password, keytab and ccache.
        tls_mode: C(none) for sealed Kerberos on port 389, C(ldaps) for TLS on 636.
        ca_cert: File or directory of certificates to trust; empty for the system's.
        cert_validation: C(always), C(ignore_hostname) or C(ignore).
        timeout: Seconds, for the connection and for each answer.
        dns_servers: Addresses of the servers that know C(server); empty for the system's resolver.
    """

    server: str
    username: str = ""
    password: str = field(default="", repr=False)
    tls_mode: str = "none"
    ca_cert: str = ""
    cert_validation: str = "always"
    timeout: float = 10
    dns_servers: tuple[str, ...] = ()
    keytab: str = ""
    ccache: str = ""
    others: tuple[str, ...] = ()

    @property
    def account(self) -> KerberosAccount:
        """Who logs on."""
        return KerberosAccount(self.username, self.password, self.keytab, self.ccache)

    def each(self) -> Iterator[DirectorySettings]:
        """The same for each of the controllers alone, in the order in which they are tried."""
        return (replace(self, server=name, others=()) for name in (self.server, *self.others))

    @classmethod
    def from_options(cls, options: Mapping[str, t.Any]) -> DirectorySettings:
        """The settings in checked module options.

        Raises:
            ActivationError: The account's options contradict one another, or no controller is named.
        """
        account = KerberosAccount.from_options(options)
        servers = names_in(options["domain_server"])
        if not servers:
            raise ActivationError("O(domain_server) is not set.", source="options")
        return cls(
            server=servers[0],
            others=tuple(servers[1:]),
            username=account.username,
            password=account.password,
            tls_mode=options["tls_mode"],
            ca_cert=options.get("ca_cert") or "",
            cert_validation=options["cert_validation"],
            timeout=options["connection_timeout"],
            dns_servers=tuple(options.get("dns_servers") or ()),
            keytab=account.keytab,
            ccache=account.ccache,
        )
