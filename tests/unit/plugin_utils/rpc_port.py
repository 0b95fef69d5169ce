# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports of a test, and answers to an RPC bind, built from C706 without the collection's own code."""

from __future__ import annotations

import socket
import struct
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

NDR = uuid.UUID("8a885d04-1ceb-11c9-9fe8-08002b104860")


def acknowledgement(result: int, reason: int, address: bytes = b"1688\0", order: str = "<") -> bytes:
    """A bind_ack with one result."""
    body = struct.pack(f"{order}HHIH", 5840, 5840, 0x1234, len(address)) + address
    body += b"\0" * (-(16 + len(body)) % 4)
    syntax = NDR.bytes_le if order == "<" else NDR.bytes
    body += struct.pack("<B3x", 1) + struct.pack(f"{order}HH", result, reason) + syntax + struct.pack(f"{order}I", 2)
    return message(12, body, order)


def message(kind: int, body: bytes, order: str = "<") -> bytes:
    """An RPC message around a body."""
    representation = b"\x10\0\0\0" if order == "<" else b"\0\0\0\0"
    return struct.pack(f"{order}BBBB4sHHI", 5, 0, kind, 3, representation, 16 + len(body), 0, 1) + body


@contextmanager
def listener(behave: Callable[[socket.socket], object]) -> Iterator[int]:
    """A port on 127.0.0.1 where every connection is met in the same way."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _client = server.accept()
                except OSError:
                    return
                with connection:
                    behave(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def in_pieces(answer: bytes) -> Callable[[socket.socket], None]:
    """Reads one message and answers in many small pieces."""

    def behave(connection: socket.socket) -> None:
        connection.recv(4096)
        # The other side hangs up as soon as it knows enough.
        with suppress(OSError):
            for start in range(0, len(answer), 7):
                connection.sendall(answer[start : start + 7])
                time.sleep(0.001)

    return behave
