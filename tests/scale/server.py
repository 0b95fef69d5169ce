# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server: one process, one listening socket for all addresses of 127.0.0.0/8; Basic, with or without TLS, or Negotiate.

python -m scale.server --port 5985 --silent-every 100 --failing-every 100 [--kind kms_client] [--tls FOLDER] [--ntlm FILE] [--commands]

Of each 100 hosts one takes connections and never answers, and one answers HTTP 503. A DNS server beside it refuses all questions. The last
words are how many hosts, connections, logons and requests there were, as a line of JSON; after SIGUSR1 it says so too, and counts anew.
With C(--commands), a line of JSON on the standard input makes all hosts begin anew: of a C(kind) of C(scale.changing), whose PowerShell modules
return C(results).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import ssl
import sys
import time
from pathlib import Path
from typing import Any, cast

from lab.wsman.authentication import Account, prepare_acceptor, write_ntlm_users

from . import canned, certificates, changing, shells
from .exchange import PASSWORD, USER, Counts, Exchange

NAME_SERVER = "127.19.0.1"
"""Where questions about names are refused, on the same port; the addresses of hosts begin above it."""
_SILENT_PLACE, _FAILING_PLACE = 37, 73


class Hosts:
    """All hosts: who answers how.

    Args:
        silent_every: One of so many never answers.
        failing_every: One of so many answers HTTP 503.
        kind: How they answer, see C(scale.canned).
        negotiate: Whether they offer NTLM and Kerberos beside Basic.
    """

    def __init__(self, silent_every: int = 0, failing_every: int = 0, kind: str = "recorded", negotiate: bool = False) -> None:
        self._recorded: list[canned.Host] = list(canned.hosts(kind))
        self._silent_every = silent_every
        self._failing_every = failing_every
        self._negotiate = negotiate
        self._shells = shells.Shells(json.loads(shells.RESULTS.read_text(encoding="utf-8")))
        self._shells_of: dict[int, shells.Shells] = {}
        self._results: dict[str, Any] | None = None
        self.counts = Counts()

    def begin_anew(self, command: str) -> None:
        """All hosts forget what was set.

        Args:
            command: JSON with C(kind) and C(results): by module what it returns, or a list of what it returns by turns on each host.
        """
        told = json.loads(command)
        self._recorded, self._results, self._shells_of = [changing.ChangingHosts(told["kind"])], told["results"], {}

    def silent(self, number: int) -> bool:
        """Whether a host never answers."""
        return bool(self._silent_every) and number % self._silent_every == _SILENT_PLACE % self._silent_every

    def failing(self, number: int) -> bool:
        """Whether it answers HTTP 503."""
        return bool(self._failing_every) and number % self._failing_every == _FAILING_PLACE % self._failing_every

    def exchange(self, number: int) -> Exchange:
        """A new connection to a host."""
        host = self._recorded[number % len(self._recorded)]
        opened = self._shells if self._results is None else self._shells_of.setdefault(number, shells.Shells(self._results))

        def respond(message: bytes) -> bytes | None:
            return opened.answer(message) or host.answer(message, number)

        return Exchange(number, respond, self.counts, self._negotiate, self.failing(number))

    def take_counts(self) -> str:
        """What was counted since the last time, as a line of JSON. C(cpu_s) is the processor time of this process since its start."""
        counts, self.counts = self.counts.as_data(), Counts()
        return json.dumps({**counts, "cpu_s": round(time.process_time(), 3)})


class Connection(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, hosts: Hosts, tls: certificates.Contexts | None, upgraded: int | None = None) -> None:
        self._hosts = hosts
        self._tls = tls
        self._upgraded = upgraded is not None
        self._buffer = b""
        self._exchange: Exchange | None = None
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
            if self._exchange is None:
                self._exchange = self._hosts.exchange(self._number)
            self._transport.write(self._exchange.answer(head, body))


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


async def serve(port: int, hosts: Hosts, tls: certificates.Contexts | None, commands: bool) -> None:
    """Serve until SIGTERM.

    Args:
        port: Where it listens.
        hosts: Who answers.
        tls: The certificates; None for none.
        commands: Whether it takes commands on its standard input.
    """
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    loop.add_signal_handler(signal.SIGUSR1, lambda: print(hosts.take_counts(), flush=True))
    server = await loop.create_server(lambda: Connection(hosts, tls), "0.0.0.0", port, backlog=4096)
    names, _protocol = await loop.create_datagram_endpoint(NameServer, (NAME_SERVER, port))

    def take() -> None:
        line = sys.stdin.readline()
        if not line:
            loop.remove_reader(sys.stdin)
            return
        hosts.begin_anew(line)
        print("begun", flush=True)

    if commands:
        loop.add_reader(sys.stdin, take)
    print("ready", flush=True)
    await over.wait()
    server.close()
    names.close()
    print(hosts.take_counts(), flush=True)


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--silent-every", type=int, default=0)
    parser.add_argument("--failing-every", type=int, default=0)
    parser.add_argument("--kind", choices=canned.KINDS, default="recorded", help="how they answer, see scale.canned")
    parser.add_argument("--tls", type=Path, help="where the authority's certificate is written")
    parser.add_argument("--ntlm", type=Path, help="offers Negotiate as well; the file that is written for it")
    parser.add_argument("--keytab", type=Path, help="the keys of Kerberos, where it is offered")
    parser.add_argument("--commands", action="store_true", help="takes commands on the standard input, see scale.changing")
    options = parser.parse_args()
    tls = certificates.Contexts(options.tls) if options.tls else None
    if options.ntlm:
        write_ntlm_users(options.ntlm, [Account(USER, PASSWORD)])
        prepare_acceptor(options.ntlm, options.keytab)
    hosts = Hosts(options.silent_every, options.failing_every, options.kind, bool(options.ntlm))
    asyncio.run(serve(options.port, hosts, tls, options.commands))


if __name__ == "__main__":
    main()
