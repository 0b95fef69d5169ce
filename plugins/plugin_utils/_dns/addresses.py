# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses of a host. Private to the collection: it may change in any release."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence

try:
    import dns.exception
    import dns.rcode
except ImportError:
    # C(srv.ask) says so to the user.
    pass

from .._errors import ActivationError
from .srv import DEFAULT_TIMEOUT, Server, ask


def literal(host: str) -> str:
    """The address that a host is written as, without brackets; empty where it is a name."""
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return ""


def read_addresses(servers: Sequence[Server], host: str, *, timeout: float = DEFAULT_TIMEOUT) -> tuple[str, ...]:
    """The addresses of a host from the first of the servers that knows any; IPv6 is asked for only where there is no IPv4.

    Args:
        servers: Whom to ask, one after the other.
        host: An absolute name.
        timeout: Seconds for each question.

    Returns:
        The addresses, sorted; empty where no server knows one or none answered.
    """
    for server in servers:
        for kind in ("A", "AAAA"):
            try:
                message = ask(server, host, kind, timeout=timeout)
                rrset = message.resolve_chaining().answer
            except (ActivationError, dns.exception.DNSException):
                break
            if rrset is not None:
                return tuple(sorted(rdata.address for rdata in rrset))
            if message.rcode() == dns.rcode.NXDOMAIN:
                break
    return ()


def system_addresses(host: str, port: int) -> tuple[str, ...]:
    """The addresses of a host as the control node itself finds them, with its search list and hosts file; empty where it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
