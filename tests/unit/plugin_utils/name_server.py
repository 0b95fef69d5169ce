# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name servers of a test: what each holds is a table, and each keeps what it was asked.

Messages are built by hand, not by the library that the collection reads them with.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import threading
import time
import typing as t
from dataclasses import dataclass, field

A, NS, CNAME, SOA, AAAA, SRV = 1, 2, 5, 6, 28, 33
NXDOMAIN, SERVFAIL, REFUSED = 3, 2, 5


def encode_name(name: str) -> bytes:
    """A name without compression."""
    labels = [label for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def srv(priority: int, weight: int, port: int, target: str) -> bytes:
    """The data of an SRV record."""
    return struct.pack(">HHH", priority, weight, port) + encode_name(target)


def address(text: str) -> bytes:
    """The data of an A or AAAA record."""
    return ipaddress.ip_address(text).packed


@dataclass
class NameServer:
    """A name server on an address of this machine, by UDP and TCP on the same port.

    Attributes:
        records: Name and type to a list of (time to live, data). A name that begins with C(*) is a wildcard (RFC 4592).
        additional: Records that go along with every answer: name, type, time to live, data.
        code: The response code of every answer.
        authoritative: Whether it sets AA.
        recursive: Whether it sets RA.
        silent: How many datagrams it leaves unanswered first; -1 for all.
        truncate: Whether it answers by UDP with TC and nothing else.
        rubbish: What it sends before the answer, as a forger would.
        host: Its address.
        port: Its port; 0 for one that is free.
        asked: What it was asked: transport, name, type, whether recursion was desired.
    """

    records: dict[tuple[str, int], list[tuple[int, bytes]]] = field(default_factory=dict)
    additional: list[tuple[str, int, int, bytes]] = field(default_factory=list)
    code: int = 0
    authoritative: bool = True
    recursive: bool = False
    silent: int = 0
    truncate: bool = False
    rubbish: bytes = b""
    host: str = "127.0.0.1"
    port: int = 0
    asked: list[tuple[str, str, int, bool]] = field(default_factory=list)

    def __enter__(self) -> t.Self:
        self.tcp = socket.create_server((self.host, self.port))
        self.port = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((self.host, self.port))
        self.closing = False
        for serve in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self.closing = True
        self.udp.close()
        self.tcp.close()

    def _serve_udp(self) -> None:
        while not self.closing:
            try:
                query, client = self.udp.recvfrom(4096)
            except OSError:
                return
            answer = self._answer(query, "udp")
            if self.silent:
                self.silent -= 1
                continue
            if self.rubbish:
                self.udp.sendto(self.rubbish, client)
                time.sleep(0.02)
            self.udp.sendto(answer, client)

    def _serve_tcp(self) -> None:
        while not self.closing:
            try:
                connection, _client = self.tcp.accept()
            except OSError:
                return
            with connection:
                if not (size := connection.recv(2)):
                    continue
                answer = self._answer(connection.recv(int.from_bytes(size, "big")), "tcp")
                connection.sendall(struct.pack(">H", len(answer)) + answer)

    def _answer(self, query: bytes, transport: str) -> bytes:
        number, flags = struct.unpack_from(">HH", query)
        place, labels = 12, []
        while query[place]:
            labels.append(query[place + 1 : place + 1 + query[place]].decode())
            place += 1 + query[place]
        kind = struct.unpack_from(">H", query, place + 1)[0]
        question = query[12 : place + 5]
        name = ".".join(labels).lower()
        self.asked.append((transport, name, kind, bool(flags & 0x0100)))
        answers: list[bytes] = []
        owner = name
        source = self._source(name)
        if source != name:
            for found in (CNAME, kind):
                for ttl, data in self.records.get((source, found), ()):
                    answers.append(encode_name(name) + struct.pack(">HHIH", found, 1, ttl, len(data)) + data)
        while (alias := self.records.get((owner, CNAME))) and kind != CNAME:
            answers.append(encode_name(owner) + struct.pack(">HHIH", CNAME, 1, alias[0][0], len(alias[0][1])) + alias[0][1])
            owner = decode_name(alias[0][1])
        for ttl, data in self.records.get((owner, kind), ()):
            answers.append(encode_name(owner) + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data)
        extra = [encode_name(who) + struct.pack(">HHIH", what, 1, ttl, len(data)) + data for who, what, ttl, data in self.additional]
        code = self.code or (0 if answers or any(known == owner for known, _kind in self.records) else NXDOMAIN)
        bits = 0x8000 | (flags & 0x0100) | (0x0400 if self.authoritative else 0) | (0x0080 if self.recursive else 0) | code
        if transport == "udp" and self.truncate:
            return struct.pack(">HHHHHH", number, bits | 0x0200, 1, 0, 0, 0) + question
        return struct.pack(">HHHHHH", number, bits, 1, len(answers), 0, len(extra)) + question + b"".join(answers) + b"".join(extra)

    def _source(self, name: str) -> str:
        """The name whose records are the answer: the name itself, or the wildcard below its closest encloser."""
        there = {known.split(".", cut)[-1] for known, _kind in self.records for cut in range(known.count(".") + 1)}
        ancestor = name
        while ancestor and ancestor not in there:
            ancestor = ancestor.partition(".")[2]
        wildcard = f"*.{ancestor}"
        return wildcard if ancestor != name and wildcard in there else name


def decode_name(data: bytes) -> str:
    """The name that C(encode_name) made."""
    labels, place = [], 0
    while data[place]:
        labels.append(data[place + 1 : place + 1 + data[place]].decode())
        place += 1 + data[place]
    return ".".join(labels)
