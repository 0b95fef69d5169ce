# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses of a host."""

from __future__ import annotations

import ipaddress
import math
import socket
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

try:
    import dns.exception
    import dns.rcode
except ImportError:
    # C(srv.ask) says so to the user.
    pass

from .._core.address import split_address
from .._core.errors import ActivationError
from .srv import DEFAULT_TIMEOUT, DNS_PORT, Server, ask, server_of

_AT_ONCE = 64
_ROUNDS = 4


def literal(host: str) -> str:
    """The address that a host is written as, without brackets; empty where it is a name."""
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return ""


def read_addresses(
    servers: Sequence[Server], host: str, *, timeout: float = DEFAULT_TIMEOUT, every_kind: bool = False, deadline: float = math.inf
) -> tuple[str, ...]:
    """The addresses of a host from the first of the servers that knows any.

    Args:
        servers: Whom to ask, one after the other.
        host: An absolute name.
        timeout: Seconds for each question.
        every_kind: Ask for IPv6 addresses even where there are IPv4 ones: clients can take either.
        deadline: When no further question begins, by C(time.monotonic).

    Returns:
        The addresses, sorted; empty where no server knows one or none answered.
    """
    for server in servers:
        found: set[str] = set()
        for kind in ("A", "AAAA"):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            try:
                message = ask(server, host, kind, timeout=min(timeout, left))
                rrset = message.resolve_chaining().answer
            except (ActivationError, dns.exception.DNSException):
                break
            found.update(rdata.address for rdata in rrset or ())
            if message.rcode() == dns.rcode.NXDOMAIN or (found and not every_kind):
                break
        if found:
            return tuple(sorted(found))
    return ()


def read_all_addresses(servers: Sequence[Server], hosts: Iterable[str], *, timeout: float = DEFAULT_TIMEOUT) -> dict[str, tuple[str, ...]]:
    """C(read_addresses) of every kind for several hosts at the same time, whoever decides how many they are.

    Args:
        servers: Whom to ask.
        hosts: Absolute names.
        timeout: Seconds for each question. All of them together take no more than four times as long.

    Returns:
        By host its addresses; a host that could not be asked for in time is not in it.
    """
    names = list(dict.fromkeys(hosts))
    deadline = time.monotonic() + _ROUNDS * timeout

    def one(host: str) -> tuple[str, ...] | None:
        left = deadline - time.monotonic()
        return read_addresses(servers, host, timeout=min(timeout, left), every_kind=True, deadline=deadline) if left > 0 else None

    if not names:
        return {}
    with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(names))) as pool:
        return {host: found for host, found in zip(names, pool.map(one, names), strict=True) if found is not None}


def server_at(text: str, servers: Sequence[Server], *, timeout: float = DEFAULT_TIMEOUT) -> Server:
    """A DNS server from its address or name, with or without a port; C(servers) are asked for its address, where there are any.

    Raises:
        ActivationError: The text names no host.
    """
    host, port = split_address(text, DNS_PORT)
    if literal(host) or not servers:
        return server_of(text)
    found = read_addresses(servers, host, timeout=timeout)
    asked = ", ".join(map(str, servers))
    return Server(text, found[0] if found else "", port, "" if found else f"{asked} gave none for {host}")


def system_addresses(host: str, port: int) -> tuple[str, ...]:
    """The addresses of a host as the control node itself finds them, with its search list and hosts file; empty where it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
