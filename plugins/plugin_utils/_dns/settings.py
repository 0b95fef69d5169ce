# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which server and by what right: the options of the modules that write DNS."""

from __future__ import annotations

import socket
import typing as t
from collections.abc import Callable, Mapping, Sequence

from .._core.address import names_in, split_address
from .._core.errors import ActivationError
from .._kerberos.logon import KerberosAccount, Logon
from .._srv.value import plain_name
from .addresses import literal, server_at
from .channel import DnsChannel
from .rrset import RrsetWish, checked_wish, owner_name
from .signing import KerberosKey, SharedKey, Signer, Unsigned
from .srv import DNS_PORT, Server, require_dnspython, servers_of
from .srv_record import Record
from .update import Zone

_PATIENCE, _STATIC_PATIENCE = 10.0, 240.0
"""Seconds. A DNS server of Windows looks into the directory every three minutes (DsPollingInterval)."""

SECRETS = frozenset({"domain_password", "key_secret"})
"""Options that are never shown."""

VARIABLES: Mapping[str, str] = {
    name: f"volume_activation_{name}"
    for name in (
        "domain_server",
        "domain_username",
        "domain_password",
        "domain_keytab",
        "domain_ccache",
        "connection_timeout",
        "dns_servers",
        "key_name",
        "key_secret",
        "key_algorithm",
    )
}
"""Option to the variable that stands in where the task leaves the option out."""


class Root(t.Protocol):
    """What a domain controller says of itself."""

    @property
    def domain(self) -> str:
        """The DNS name of its Active Directory domain."""

    @property
    def skew(self) -> float:
        """Seconds that this node's clock is ahead of its."""

    @property
    def address(self) -> str:
        """Where it was asked."""


def wished_from_options(options: Mapping[str, t.Any], root_of: Callable[[str], Root | None]) -> list[tuple[Record, RrsetWish]]:
    """The records that checked module options mean and what they shall hold, on the server that they name.

    All are of one zone; the caller closes its channel.

    Args:
        options: The options.
        root_of: Asks a domain controller by its name, when the first message is to be signed; C(None) where it can't be asked.

    Raises:
        ActivationError: They contradict one another, or a server that they name has no address.
    """
    require_dnspython()
    wishes: dict[str, RrsetWish] = {}
    if options["records"] == []:
        raise ActivationError("O(records) is empty; name at least one.", source="options")
    for entry in options["records"] or [options]:
        owner = owner_name(options["zone"], entry["record"])
        if owner in wishes:
            raise ActivationError(f"O(records) holds {owner} more than once.", source="options")
        wishes[owner] = checked_wish(entry["values"], options["state"], options["ttl"], options["match"] == "target")
    zone, patience = _zone(options, root_of)
    return [(Record(zone, owner, patience), wish) for owner, wish in wishes.items()]


def _zone(options: Mapping[str, t.Any], root_of: Callable[[str], Root | None]) -> tuple[Zone, float]:
    """The zone on its server, and how many seconds that may take to show what was written."""
    timeout = float(options["connection_timeout"])
    if timeout <= 0:
        raise ActivationError("O(connection_timeout) has to be more than 0 seconds.", source="options")
    named = names_in(options["server"]) or names_in(options["domain_server"])
    if not named:
        raise ActivationError("server is missing: name the DNS server to write to.", source="options")
    static = options["method"] == "static"
    # What is static goes into the directory, and DNS is only read.
    authentication = "none" if static else options["authentication"] or ("tsig" if options["key_name"] else "gss")
    name_servers = servers_of(options["dns_servers"] or ())
    text = next((text for text in named if _answers(text, name_servers, timeout)), named[0]) if len(named) > 1 else named[0]
    signer: Signer
    if authentication == "gss":
        host = plain_name(split_address(text, DNS_PORT)[0])
        account = KerberosAccount.from_options(options)
        _check_host(host)
        server = server_at(text, name_servers, timeout=timeout)
        controllers = names_in(options["domain_server"]) or [host]
        signer = KerberosKey(account, host, lambda: _logon(account, controllers, server, host, name_servers, timeout, root_of))
    else:
        signer = _shared_key(options) if authentication == "tsig" else Unsigned()
        server = server_at(text, name_servers, timeout=timeout)
    patience = options["visible_timeout"]
    if patience is None:
        patience = _STATIC_PATIENCE if static else _PATIENCE
    return Zone(DnsChannel(server, timeout), plain_name(options["zone"]), signer), float(patience)


def _check_host(host: str) -> None:
    if literal(host):
        raise ActivationError(
            f"server is the address {host}, and Kerberos needs the server's full name, such as dc1.contoso.com; "
            "O(dns_servers) can name a server that knows it.",
            source="options",
        )
    if "." not in host:
        raise ActivationError(f"server is {host}, and Kerberos needs the server's full name, such as dc1.contoso.com.", source="options")


def _answers(text: str, name_servers: Sequence[Server], timeout: float) -> bool:
    """Whether a DNS server takes connections."""
    server = server_at(text, name_servers, timeout=timeout)
    if server.failure is not None:
        return False
    try:
        socket.create_connection((server.address, server.port), timeout).close()
    except OSError:
        return False
    return True


def _logon(
    account: KerberosAccount,
    controllers: Sequence[str],
    server: Server,
    host: str,
    name_servers: Sequence[Server],
    timeout: float,
    root_of: Callable[[str], Root | None],
) -> Logon:
    """The logon by the first of the domain controllers that answers, as every DNS server of Active Directory is one.

    Its domain is what it says itself: the name can be in another one (disjoint namespace). Where it cannot be asked by LDAP, the name has to do.

    Raises:
        ActivationError: It has no address.
    """
    controller, root = plain_name(controllers[0]), None
    for name in map(plain_name, controllers):
        if root := root_of(name):
            controller = name
            break
    parent = controller.partition(".")[2]
    realm, skew = (root.domain, root.skew) if root else (parent, 0.0)
    beside = tuple(dict.fromkeys(name for name in (controller, host) if name.partition(".")[2] == parent))
    kdc = root.address if root else _address_of(controller, server, host, name_servers, timeout)
    return Logon(account, realm.upper(), kdc, skew, server_option="server", hosts=beside)


def _address_of(controller: str, server: Server, host: str, name_servers: Sequence[Server], timeout: float) -> str:
    found = server if controller == host else server_at(controller, name_servers, timeout=timeout)
    if found.failure is not None:
        raise found.failure
    return found.address


def _shared_key(options: Mapping[str, t.Any]) -> SharedKey:
    for name in ("key_name", "key_secret"):
        if not options[name]:
            raise ActivationError(f"O({name}) is missing, and authentication tsig needs it.", source="options")
    return SharedKey(options["key_name"], options["key_secret"], options["key_algorithm"])
