# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands between the control node and the domain controllers: DNS, LDAP and Kerberos go through it, and one message can meet a fault.

The hosts of the laboratory talk to the controllers themselves. What a control node asks by name leads here too, because the addresses in
DNS answers are exchanged.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dns.name
import dns.rcode
import dns.wire
from integration.dns.relay import UPDATE, opcode, receive, send

DNS, KERBEROS, LDAP, PASSWORD = 53, 88, 389, 464
TKEY = 249
_HEADER = 12
_SECONDS = 30.0
Act = Callable[[], object]


class Front:
    """One front for all controllers of a laboratory.

    Attributes:
        counts: How many messages there were, by channel.
        hits: How many met the fault.
    """

    def __init__(self, controllers: Mapping[str, str]) -> None:
        self.addresses = dict(controllers)
        self.counts: Counter[str] = Counter()
        self.hits = 0
        self._fault: tuple[str, str, int] = ("", "", 0)
        self._act: Act | None = None
        self._lock = threading.Lock()

    def strike(self, channel: str, kind: str, nth: int, act: Act | None = None) -> None:
        """Hit the nth message of a channel from now on; ``act`` is done just before that message goes on."""
        with self._lock:
            self._fault, self._act = (channel, kind, nth), act
            self.counts.clear()
            self.hits = 0

    def clear(self) -> None:
        """Pass everything on."""
        self.strike("", "", 0)

    def _met(self, channel: str) -> str:
        """Count a message; the kind of fault that it meets, empty for none."""
        with self._lock:
            self.counts[channel] += 1
            wanted, kind, nth = self._fault
            if channel != wanted or self.counts[channel] != nth:
                return ""
            self.hits += 1
            act = self._act
        if act is not None:
            act()
        return kind

    def answer(self, real: str, message: bytes, ask: Callable[[bytes], bytes], over_udp: bool) -> bytes | None:
        """What comes back for a DNS message."""
        update = opcode(message) == UPDATE
        if not update and _type(message) == TKEY:
            return ask(message)
        kind = self._met("dns_update" if update else "dns_query").partition(": ")[2]
        if kind in ("", "truncated") and not (kind and over_udp):
            # Over TCP nothing is truncated.
            return self._with_own_addresses(ask(message)) if not update else ask(message)
        return spoilt(kind, message, ask)

    def _with_own_addresses(self, answer: bytes) -> bytes:
        for real, own in self.addresses.items():
            answer = answer.replace(ipaddress.ip_address(real).packed, ipaddress.ip_address(own).packed)
        return answer

    def relay(self, client: socket.socket, server: socket.socket) -> None:
        """An LDAP connection: messages of the client are counted once it has bound, which takes the first three."""
        seen = 0
        threading.Thread(target=_pump, args=(server, client), daemon=True).start()
        while chunk := _received(client):
            seen += 1
            kind = self._met("ldap").partition(": ")[2] if seen > 3 else ""
            if kind == "server gone after the bind":
                break
            if kind == "answer lost":
                # The server has read the request before it learns that nobody listens.
                with contextlib.suppress(OSError):
                    client.shutdown(socket.SHUT_WR)
                    server.sendall(chunk)
                    threading.Event().wait(0.5)
                break
            with contextlib.suppress(OSError):
                server.sendall(chunk)
        for one in (client, server):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def spoilt(kind: str, message: bytes, ask: Callable[[bytes], bytes]) -> bytes | None:
    """The answer to a DNS message in place of the server's own."""
    bare = message[:2] + bytes([message[2] | 0x80, 0]) + bytes(8)
    rcodes = {"SERVFAIL": dns.rcode.SERVFAIL, "REFUSED": dns.rcode.REFUSED}
    if kind in rcodes:
        return bare[:3] + bytes([rcodes[kind]]) + bare[4:]
    if kind in ("BADKEY", "BADTIME"):
        return _not_authenticated(message, 17 if kind == "BADKEY" else 18)
    if kind == "truncated":
        return message[:2] + bytes([message[2] | 0x82, 0x80]) + message[4:]
    if kind in ("unsigned", "no answer after the work"):
        ask(message)
    return None if kind.startswith("no answer") else bare


def _not_authenticated(message: bytes, error: int) -> bytes:
    """NOTAUTH with a TSIG that says why and has no MAC (RFC 8945, sections 5.2.1 and 5.3.2)."""
    name, algorithm, signed = _signature(message)
    times = struct.pack(">HIHHHHH", signed >> 32, signed & 0xFFFFFFFF, 300, 0, int.from_bytes(message[:2], "big"), error, 0)
    rdata = algorithm + times
    tsig = name + struct.pack(">HHIH", 250, 255, 0, len(rdata)) + rdata
    return message[:2] + bytes([message[2] | 0x80, int(dns.rcode.NOTAUTH)]) + bytes(6) + b"\0\1" + tsig


def _signature(message: bytes) -> tuple[bytes, bytes, int]:
    """The name of the key of a signed message, the algorithm, and when it was signed: those of the last record (RFC 8945, section 5.1)."""
    questions, *others = struct.unpack_from(">4H", message, 4)
    parser = dns.wire.Parser(message, _HEADER)
    for _question in range(questions):
        dns.name.from_wire_parser(parser)
        parser.get_bytes(4)
    name, rdata = dns.name.root, b""
    for _record in range(sum(others)):
        name = dns.name.from_wire_parser(parser)
        *_type_class_ttl, length = parser.get_struct(">HHIH")
        rdata = parser.get_bytes(length)
    algorithm, used = dns.name.from_wire(rdata, 0)
    return name.to_wire() or b"\0", algorithm.to_wire() or b"\0", int.from_bytes(rdata[used : used + 6], "big")


def _type(message: bytes) -> int:
    """The type that a query is about."""
    place = _HEADER
    while message[place]:
        place += message[place] + 1
    return int.from_bytes(message[place + 1 : place + 3], "big")


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := _received(source):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)


def _serve(front: Front, client: socket.socket, real: str, port: int) -> None:
    with contextlib.suppress(OSError):
        if port == DNS:

            def ask(message: bytes) -> bytes:
                with socket.create_connection((real, DNS), _SECONDS) as server:
                    send(server, message)
                    return receive(server)

            with client:
                while message := receive(client):
                    answer = front.answer(real, message, ask, over_udp=False)
                    if answer is None:
                        return
                    send(client, answer)
            return
        server = socket.create_connection((real, port))
        if port == LDAP:
            front.relay(client, server)
            return
        threading.Thread(target=_pump, args=(server, client), daemon=True).start()
        _pump(client, server)


def _serve_udp(front: Front, listener: socket.socket, port: int, message: bytes, client: Any, real: str) -> None:

    def ask(message: bytes) -> bytes:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.settimeout(_SECONDS)
            server.sendto(message, (real, port))
            return server.recv(65535)

    with contextlib.suppress(OSError):
        answer = front.answer(real, message, ask, over_udp=True) if port == DNS else ask(message)
        if answer is not None:
            listener.sendto(answer, client)


def _accept(front: Front, listener: socket.socket, real: str) -> None:
    with contextlib.suppress(OSError):
        port = listener.getsockname()[1]
        while True:
            client, _address = listener.accept()
            threading.Thread(target=_serve, args=(front, client, real, port), daemon=True).start()


def _accept_udp(front: Front, listener: socket.socket, real: str) -> None:
    with contextlib.suppress(OSError):
        port = listener.getsockname()[1]
        while True:
            message, client = listener.recvfrom(65535)
            if not message:
                return  # it is closed
            threading.Thread(target=_serve_udp, args=(front, listener, port, message, client, real), daemon=True).start()


@contextmanager
def front_of(controllers: Mapping[str, str]) -> Iterator[Front]:
    """A front runs meanwhile; ``controllers`` has for the address of each controller the one by which it is reached here."""
    front, listeners = Front(controllers), []
    for real, own in front.addresses.items():
        for port in (DNS, KERBEROS, LDAP, PASSWORD):
            listeners.append(listener := socket.create_server((own, port), backlog=64))
            threading.Thread(target=_accept, args=(front, listener, real), daemon=True).start()
        for port in (DNS, KERBEROS):
            listeners.append(listener := socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            listener.bind((own, port))
            threading.Thread(target=_accept_udp, args=(front, listener, real), daemon=True).start()
    try:
        yield front
    finally:
        for listener in listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
