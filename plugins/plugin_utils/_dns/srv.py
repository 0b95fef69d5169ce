# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading SRV values and addresses from given DNS servers, one question to one server at a time.

Nothing is cached and no search list applies: the answer is what that server holds.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from .._core.codes.code import plain

try:
    import dns.exception
    import dns.flags
    import dns.message
    import dns.name
    import dns.query
    import dns.rcode
    import dns.rdataclass
    import dns.rdatatype
    import dns.resolver
except ImportError as missing:
    IMPORT_ERROR: ImportError | None = missing
else:
    IMPORT_ERROR = None

from .._core.address import split_address
from .._core.errors import ActivationError
from .._srv.value import SrvValue, plain_name

SERVICE = "_vlmcs._tcp"
DNS_PORT = 53
DEFAULT_TIMEOUT = 5.0
# One lost datagram must not make a server look dead, so a question is sent twice within the time limit.
_FIRST_TRY = 0.4
_AT_ONCE = 16

REMEDIES = {
    "REFUSED": "ask a server that holds the zone, or allow this computer to query it",
    "SERVFAIL": "check the zone and the forwarders on that server",
    "NOTIMP": "check that the address is that of a DNS server",
    "FORMERR": "check that the address is that of a DNS server",
}
"""What to do about a code that is the answer to a question."""


@dataclass(frozen=True, slots=True)
class Server:
    """A DNS server.

    Attributes:
        name: As the user wrote it.
        address: Its IP address; empty where its name has none.
        port: Its port, 53 as a rule.
        trouble: Why it has no address; empty where it has one.
    """

    name: str
    address: str
    port: int = DNS_PORT
    trouble: str = ""

    def __str__(self) -> str:
        shown = self.name if self.name == self.address or self.address in self.name else f"{self.name} ({self.address})"
        return shown if self.port == DNS_PORT or f":{self.port}" in self.name else f"{shown} port {self.port}"

    @property
    def failure(self) -> ActivationError | None:
        """What keeps it from being asked at all."""
        if self.address:
            return None
        return ActivationError(
            f"The DNS server {self} has no address: {self.trouble}. Give its IP address or correct its name.", source="dns"
        )


@dataclass(frozen=True, slots=True)
class SrvAnswer:
    """What one server holds under one name.

    Attributes:
        server: Who answered.
        name: What was asked for.
        values: The SRV values, sorted; empty where the name does not exist or has none.
        ttl: Their time to live in seconds, the smallest on the way where the name is an alias; C(None) where there are none.
        authoritative: Whether the server answered from its own zone.
        exists: Whether the name exists, with values or without.
        addresses: Addresses of targets that came along in the additional section.
    """

    server: Server
    name: str
    values: tuple[SrvValue, ...]
    ttl: int | None
    authoritative: bool
    exists: bool
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def service_name(domain: str) -> str:
    """The name under which clients of a domain look for KMS hosts: C(_vlmcs._tcp.contoso.com)."""
    return f"{SERVICE}.{plain_name(domain)}"


def require_dnspython() -> None:
    """Fail with what to install where dnspython is missing.

    Raises:
        ActivationError: It is.
    """
    if IMPORT_ERROR is not None:
        raise ActivationError(
            "The Python package dnspython, which reads DNS, is missing on the control node: pip install 'dnspython>=2.7'.", source="dns"
        ) from IMPORT_ERROR


def server_of(text: str) -> Server:
    """A DNS server from its address or name, with or without a port; a name is resolved with the system's resolver.

    A name that has no address is no error here but of each question to it, so that the other servers are asked.

    Raises:
        ActivationError: The text names no host.
    """
    host, port = split_address(text, DNS_PORT)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        return Server(text, "", port, _text(error))
    return Server(text, str(found[0][4][0]), port)


def servers_of(texts: Sequence[str]) -> list[Server]:
    """C(server_of) each, all at the same time: the resolver can take long over a name that has no address."""
    if not texts:
        return []
    with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(texts))) as pool:
        return list(pool.map(server_of, texts))


def system_servers() -> list[Server]:
    """The DNS servers that the control node itself uses.

    Raises:
        ActivationError: It has none.
    """
    require_dnspython()
    try:
        configured = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration as error:
        raise ActivationError("The control node has no DNS servers of its own: name them in the task.", source="dns") from error
    return [Server(str(address), str(address), configured.port) for address in configured.nameservers]


def ask(server: Server, name: str, kind: str, *, timeout: float = DEFAULT_TIMEOUT, recursion: bool = True) -> dns.message.QueryMessage:
    """Send one question to one server, by UDP, and by TCP where the answer was cut off.

    Args:
        server: Whom to ask.
        name: An absolute name, with or without its final dot.
        kind: The type, such as C(SRV).
        timeout: Seconds for everything together.
        recursion: Whether the server may ask others.

    Raises:
        ActivationError: The server has no address, did not answer, or answered with an error. NXDOMAIN is none.
    """
    require_dnspython()
    if server.failure is not None:
        raise server.failure
    try:
        query = dns.message.make_query(dns.name.from_text(name), kind)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ActivationError(f"'{name}' is no DNS name: {_text(error)}.", source="options") from error
    if not recursion:
        query.flags &= ~dns.flags.RD
    answer = _exchange(server, query, name, timeout)
    if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        said = dns.rcode.to_text(answer.rcode())
        remedy = REMEDIES.get(said, "check that server")
        raise ActivationError(
            f"The DNS server {server} answered {said} to the question for {name} {kind}: {remedy}.",
            code=plain(int(answer.rcode())),
            name=said,
            source="dns",
        )
    return answer


def read_srv(server: Server, name: str, *, timeout: float = DEFAULT_TIMEOUT, authoritative: bool = False) -> SrvAnswer:
    """The SRV values of a name, as one server holds them, in one message and its answer.

    Args:
        server: Whom to ask.
        name: The name, such as C(_vlmcs._tcp.contoso.com).
        timeout: Seconds.
        authoritative: Take nothing but an answer from the server's own zone, as is needed to see what an update did.

    Raises:
        ActivationError: The server did not answer, answered with an error, or has no authority where that was asked for.
    """
    message = ask(server, name, "SRV", timeout=timeout, recursion=not authoritative)
    has_authority = bool(message.flags & dns.flags.AA)
    exists = message.rcode() != dns.rcode.NXDOMAIN
    try:
        chain = message.resolve_chaining()
    except dns.exception.DNSException as error:
        raise ActivationError(f"The DNS server {server} gave an answer for {name} that leads nowhere: {error}.", source="dns") from error
    rrset = chain.answer
    refers_elsewhere = rrset is None and exists and not message.flags & dns.flags.RA
    if not has_authority and (authoritative or refers_elsewhere):
        raise ActivationError(f"The DNS server {server} does not hold the zone of {name}: name a server that does.", source="dns")
    values = sorted({SrvValue(rdata.priority, rdata.weight, rdata.port, rdata.target.to_text()) for rdata in rrset or ()})
    ttl = chain.minimum_ttl if rrset is not None else None
    return SrvAnswer(server, plain_name(name), tuple(values), ttl, has_authority, exists, _additional_addresses(message))


def read_srv_from_all(
    servers: Sequence[Server], name: str, *, timeout: float = DEFAULT_TIMEOUT, authoritative: bool = False
) -> list[SrvAnswer | ActivationError]:
    """The SRV values of a name on every server, asked at the same time; in the place of a server that failed stands its error."""

    def one(server: Server) -> SrvAnswer | ActivationError:
        try:
            return read_srv(server, name, timeout=timeout, authoritative=authoritative)
        except ActivationError as error:
            return error

    if not servers:
        return []
    with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(servers))) as pool:
        return list(pool.map(one, servers))


def _exchange(server: Server, query: dns.message.QueryMessage, name: str, timeout: float) -> dns.message.QueryMessage:
    deadline = time.monotonic() + timeout
    answer = None
    try:
        for share in (_FIRST_TRY, 1.0):
            limit = timeout * share if share < 1 else max(deadline - time.monotonic(), 0.05)
            try:
                answer = dns.query.udp(query, server.address, timeout=limit, port=server.port, ignore_unexpected=True, ignore_errors=True)
                break
            except dns.exception.Timeout:
                if share == 1:
                    raise
        if answer is None or answer.flags & dns.flags.TC:
            answer = dns.query.tcp(query, server.address, timeout=max(deadline - time.monotonic(), 0.05), port=server.port)
    except dns.exception.Timeout as error:
        raise ActivationError(
            f"The DNS server {server} did not answer the question for {name} within {timeout:g} s.",
            remedy="See whether O(dns_servers) names the right one, and whether UDP and TCP port 53 are open to it.",
            source="dns",
        ) from error
    except (dns.exception.DNSException, OSError, EOFError) as error:
        raise ActivationError(f"The DNS server {server} could not be asked for {name}: {_text(error)}.", source="dns") from error
    if not isinstance(answer, dns.message.QueryMessage):
        raise ActivationError(f"The DNS server {server} gave no answer to the question for {name} but another message.", source="dns")
    return answer


def _additional_addresses(message: dns.message.QueryMessage) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for rrset in message.additional:
        if rrset.rdclass == dns.rdataclass.IN and rrset.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA):
            found.setdefault(plain_name(rrset.name.to_text()), set()).update(rdata.address for rdata in rrset)
    return {host: tuple(sorted(addresses)) for host, addresses in found.items()}


def _text(error: BaseException) -> str:
    return (str(error) or type(error).__name__).rstrip(".")
