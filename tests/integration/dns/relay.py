# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay in front of a DNS server: it counts the messages, and can lose one or answer in the server's place."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

QUERY, UPDATE = 0, 5


def opcode(message: bytes) -> int:
    """What kind of message it is."""
    return message[2] >> 3 & 0x0F


def forward(relay: Relay, message: bytes) -> bytes | None:
    """The server's own answer."""
    return relay.ask(message)


def lose_the_answer(relay: Relay, message: bytes) -> bytes | None:
    """An update is made, and nobody hears of it."""
    answer = relay.ask(message)
    return None if opcode(message) == UPDATE else answer


def lose_the_update(relay: Relay, message: bytes) -> bytes | None:
    """An update never arrives."""
    return None if opcode(message) == UPDATE else relay.ask(message)


def say_yes(relay: Relay, message: bytes) -> bytes | None:
    """An update is acknowledged and not made."""
    if opcode(message) != UPDATE:
        return relay.ask(message)
    return message[:2] + bytes([message[2] | 0x80, 0]) + bytes(8)


def hang_up_after_each(relay: Relay, message: bytes) -> bytes | None:
    """As a server does that keeps no connection open."""
    relay.hang_up = True
    return relay.ask(message)


@dataclass
class Relay:
    """One relay.

    Attributes:
        server: Address and port of the server behind it.
        manner: What becomes of a message; C(None) is no answer.
        seen: The messages, in order.
        hang_up: Whether the connection ends after this answer.
    """

    server: tuple[str, int]
    manner: Callable[[Relay, bytes], bytes | None] = forward
    seen: list[bytes] = field(default_factory=list)
    hang_up: bool = False
    port: int = 0

    def ask(self, message: bytes) -> bytes:
        """Ask the server."""
        with socket.create_connection(self.server, timeout=10) as connection:
            send(connection, message)
            return receive(connection)

    def serve(self, connection: socket.socket) -> None:
        """Until the client hangs up."""
        with connection:
            while message := receive(connection):
                self.seen.append(message)
                answer = self.manner(self, message)
                if answer is not None:
                    send(connection, answer)
                if self.hang_up:
                    return


def send(connection: socket.socket, message: bytes) -> None:
    connection.sendall(struct.pack(">H", len(message)) + message)


def receive(connection: socket.socket) -> bytes:
    """One message; nothing where the other side has hung up."""
    with connection.makefile("rb", buffering=0) as stream:
        parts = bytearray()
        wanted = 2
        while len(parts) < wanted:
            chunk = stream.read(wanted - len(parts))
            if not chunk:
                return b""
            parts += chunk
            if len(parts) == 2 and wanted == 2:
                wanted += int.from_bytes(parts)
        return bytes(parts[2:])


@contextmanager
def relay_to(address: str, port: int = 53) -> Iterator[Relay]:
    """A relay on the same address, whose name the server's certificate of Kerberos has."""
    with socket.create_server((address, 0)) as listener:
        relay = Relay((address, port), port=listener.getsockname()[1])

        def accept() -> None:
            while True:
                try:
                    connection, _client = listener.accept()
                except OSError:
                    return
                threading.Thread(target=relay.serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield relay
        listener.shutdown(socket.SHUT_RDWR)
