# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of hosts: where aliases lead, and which full name an address has.

What a reverse zone says counts only where the name leads back to the address, because others may write that zone.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import typing as t
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from .._core.errors import ActivationError
from .._srv.value import is_full_name, plain_name
from .addresses import literal, read_all_addresses, system_addresses
from .srv import DEFAULT_TIMEOUT, Server, ask

with contextlib.suppress(ImportError):  # C(srv.ask) says so to the user
    import dns.exception

Made = t.TypeVar("Made")

_AT_ONCE = 16
_MOST_NAMES = 16
"""Names of one address that are checked."""


class Names:
    """Looks names up, each once.

    Args:
        servers: Name servers that know the hosts; without any, the control node's own way of finding addresses is taken.
        timeout: Seconds for each question.
    """

    def __init__(self, servers: Sequence[Server], timeout: float = DEFAULT_TIMEOUT) -> None:
        self._servers = servers
        self._timeout = timeout
        self._addresses: dict[str, frozenset[str]] = {}

    def addresses(self, names: Iterable[str]) -> dict[str, frozenset[str]]:
        """By name its addresses in their shortest form; none where nobody knows any. An address is its own."""
        wanted = list(dict.fromkeys(names))
        unknown = [name for name in wanted if name not in self._addresses]
        found: dict[str, tuple[str, ...]] = {name: (literal(name),) for name in unknown if literal(name)}
        asked = [name for name in unknown if name not in found]
        if self._servers:
            found |= read_all_addresses(self._servers, asked, timeout=self._timeout)
        else:
            found |= dict(zip(asked, _at_once(lambda name: system_addresses(name, 0), asked), strict=True))
        self._addresses |= {name: frozenset(map(shortest, found.get(name, ()))) for name in unknown}
        return {name: self._addresses[name] for name in wanted}

    def followed(self, names: Iterable[str]) -> dict[str, str]:
        """By full name the one that its aliases lead to, or itself."""
        wanted = list(dict.fromkeys(names))
        return dict(zip(wanted, _at_once(self._canonical, wanted), strict=True))

    def full_name(self, host: str) -> str:
        """The full name of a host that the connection goes to by a name or an address; empty where there is not just one.

        A name has to have an address of the host, so that whoever finds the name gets to the host.
        """
        there = self.addresses([host])[host] or frozenset(map(shortest, system_addresses(host, 0)))
        names = (
            self._reverse(host) if literal(host) else {self._canonical(name) for name in (host, _system_name(host)) if is_full_name(name)}
        )
        leading = [name for name, found in self.addresses(sorted(names)[:_MOST_NAMES]).items() if found & there]
        return leading[0] if len(leading) == 1 else ""

    def _canonical(self, name: str) -> str:
        for server in self._servers:
            try:
                chain = ask(server, name, "A", timeout=self._timeout).resolve_chaining()
                return plain_name(chain.canonical_name.to_text())
            except (ActivationError, dns.exception.DNSException):
                continue
        return name if self._servers else _system_name(name) or name

    def _reverse(self, address: str) -> set[str]:
        if not self._servers:
            try:
                found = [socket.gethostbyaddr(literal(address))[0]]
            except OSError:
                found = []
            return {plain_name(name) for name in found if is_full_name(name)}
        name = ipaddress.ip_address(literal(address)).reverse_pointer
        for server in self._servers:
            try:
                answer = ask(server, name, "PTR", timeout=self._timeout).resolve_chaining().answer
            except (ActivationError, dns.exception.DNSException):
                continue
            if answer is not None:
                return {plain_name(entry.target.to_text()) for entry in answer if is_full_name(entry.target.to_text())}
        return set()


def shortest(address: str) -> str:
    """An address as all who mean it write it; a text that is none as it is."""
    try:
        return ipaddress.ip_address(address.partition("%")[0].strip("[]")).compressed
    except ValueError:
        return address


def _system_name(host: str) -> str:
    """The full name that the control node itself finds, with its search list; empty where it has none."""
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_CANONNAME)
    except (OSError, UnicodeError):
        return ""
    name = plain_name(str(found[0][3]))
    return name if is_full_name(name) else ""


def _at_once(work: Callable[[str], Made], wanted: Sequence[str]) -> list[Made]:
    if not wanted:
        return []
    with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(wanted))) as pool:
        return list(pool.map(work, wanted))
