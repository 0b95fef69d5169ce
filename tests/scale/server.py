# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server: one process, one listening socket for all addresses of 127.0.0.0/8, Basic, with or without TLS.

python -m scale.server --port 5985 --silent-every 100 --failing-every 100 [--kind kms_client] [--tls FOLDER]

Of each 100 hosts one takes connections and never answers, and one answers HTTP 503. A DNS server beside it refuses all questions. The last
words are how many hosts, connections, logons and requests there were, as a line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import signal
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from . import canned, certificates

USER, PASSWORD = "Administrator", "scale-Passw0rd"
NAME_SERVER = "127.19.0.1"
"""Where questions about names are refused, on the same port; the addresses of hosts begin above it."""
_AUTHORIZATION = b"basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).lower()
_SILENT_PLACE, _FAILING_PLACE = 37, 73


@dataclass
class Counts:
    """What was seen."""

    connections: int = 0
    logons: int = 0
    rejected: int = 0
    requests: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    hosts: set[int] = field(default_factory=set)
    logons_of: dict[int, int] = field(default_factory=dict)

    def log_on(self, number: int) -> None:
        """Count a connection that was answered."""
        self.logons += 1
        self.logons_of[number] = self.logons_of.get(number, 0) + 1

    def as_data(self) -> dict[str, object]:
        """The numbers, with the logons of a host as median and maximum of those that answered."""
        each = sorted(self.logons_of.values()) or [0]
        return {
            **vars(self),
            "hosts": len(self.hosts),
            "logons_of": {"median": each[len(each) // 2], "max": each[-1]},
        }


class Hosts:
    """All hosts: who answers how."""

    def __init__(self, silent_every: int = 0, failing_every: int = 0, kind: str = "recorded") -> None:
        self._recorded = canned.hosts(kind)
        self._silent_every = silent_every
        self._failing_every = failing_every
        self.counts = Counts()

    def silent(self, number: int) -> bool:
        """Whether a host never answers."""
        return bool(self._silent_every) and number % self._silent_every == _SILENT_PLACE % self._silent_every

    def failing(self, number: int) -> bool:
        """Whether it answers HTTP 503."""
        return bool(self._failing_every) and number % self._failing_every == _FAILING_PLACE % self._failing_every

    def answer(self, number: int, head: bytes, body: bytes) -> bytes:
        """The whole answer to a request."""
        self.counts.requests += 1
        if self.failing(number):
            return b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
        if _AUTHORIZATION not in head.lower():
            self.counts.rejected += 1
            return b'HTTP/1.1 401 \r\nWWW-Authenticate: Basic realm="WSMAN"\r\nContent-Length: 0\r\n\r\n'
        found = self._recorded[number % len(self._recorded)].answer(body, number)
        if found is None:
            return b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
        return b"HTTP/1.1 200 \r\nContent-Type: application/soap+xml;charset=UTF-8\r\nContent-Length: %d\r\n\r\n" % len(found) + found


class Connection(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, hosts: Hosts, tls: certificates.Contexts | None, upgraded: int | None = None) -> None:
        self._hosts = hosts
        self._tls = tls
        self._upgraded = upgraded is not None
        self._buffer = b""
        self._logged_on = False
        self._number = -1 if upgraded is None else upgraded
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._upgraded:
            return
        self._number = canned.number_of(transport.get_extra_info("sockname")[0])
        self._hosts.counts.connections += 1
        self._hosts.counts.hosts.add(self._number)
        if self._tls and not self._hosts.silent(self._number):
            transport.pause_reading()
            task = asyncio.get_running_loop().create_task(self._upgrade(transport, self._tls))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _upgrade(self, transport: asyncio.Transport, tls: certificates.Contexts) -> None:
        inner = Connection(self._hosts, None, upgraded=self._number)
        try:
            upgraded = await asyncio.get_running_loop().start_tls(transport, inner, tls.of(self._number), server_side=True)
        except (OSError, ssl.SSLError):
            return
        if upgraded is not None:
            inner.connection_made(upgraded)
            # The request may have been faster.
            inner.data_received(b"")

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        if self._hosts.silent(self._number):
            return
        self._buffer += data
        if self._transport is None:
            return
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            place = head.lower().find(b"content-length:")
            length = int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
            answer = self._hosts.answer(self._number, head, body)
            counts = self._hosts.counts
            if not self._logged_on:
                counts.log_on(self._number)
            self._logged_on = True
            counts.bytes_in += end + 4 + length
            counts.bytes_out += len(answer)
            self._transport.write(answer)


class NameServer(asyncio.DatagramProtocol):
    """A DNS server that refuses every question, so that nobody waits for it."""

    _REFUSED = 5

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        # What it is given in Python 3.11 is no subclass of it.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """See asyncio. The answer is the question with two bits and a code in its header (RFC 1035, 4.1.1)."""
        flags = int.from_bytes(data[2:4], "big") | 0x8000 | self._REFUSED
        self._transport.sendto(data[:2] + flags.to_bytes(2, "big") + data[4:], addr)


async def serve(port: int, hosts: Hosts, tls: certificates.Contexts | None) -> None:
    """Serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    server = await loop.create_server(lambda: Connection(hosts, tls), "0.0.0.0", port, backlog=4096)
    names, _protocol = await loop.create_datagram_endpoint(NameServer, (NAME_SERVER, port))
    print("ready", flush=True)
    await over.wait()
    server.close()
    names.close()
    print(json.dumps(hosts.counts.as_data()), flush=True)


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--silent-every", type=int, default=0)
    parser.add_argument("--failing-every", type=int, default=0)
    parser.add_argument("--kind", choices=canned.KINDS, default="recorded", help="how they answer, see scale.canned")
    parser.add_argument("--tls", type=Path, help="where the authority's certificate is written")
    options = parser.parse_args()
    tls = certificates.Contexts(options.tls) if options.tls else None
    asyncio.run(serve(options.port, Hosts(options.silent_every, options.failing_every, options.kind), tls))


if __name__ == "__main__":
    main()
