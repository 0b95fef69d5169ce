# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One TCP connection to one DNS server, for all messages of a task.

Everything goes over TCP: an RRset of a hundred values fits into no datagram, an update that was sent twice by UDP would be
two updates, and a server that has the task's address for sure is worth more to a write than a saved round trip.
"""

from __future__ import annotations

import socket
import struct

from .._core.errors import ActivationError
from .srv import Server


class NoDnsAnswer(ActivationError):
    """The server did not answer in time or closed the connection: whether it did what it was asked is not known."""


class DnsChannel:
    """The connection, made when it is first needed.

    Attributes:
        server: Whom it leads to.
        timeout: Seconds for the connection and for each answer.
        messages: How many messages were sent.
    """

    def __init__(self, server: Server, timeout: float) -> None:
        self.server = server
        self.timeout = timeout
        self.messages = 0
        self._connection: socket.socket | None = None

    def __enter__(self) -> DnsChannel:
        return self

    def __exit__(self, *_failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the next message makes a new connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def exchange(self, message: bytes, *, repeatable: bool = True) -> bytes:
        """Send a message and wait for its answer, both in wire format.

        Args:
            message: What to send.
            repeatable: Whether it may be sent again where the server has closed the idle connection meanwhile (RFC 7766 6.2.3).
                A question may. An update may not, and so gets a new connection, which no server closes before it has read from it.

        Raises:
            NoAnswer: None came.
            ActivationError: The server can't be reached.
        """
        if not repeatable:
            self.close()
        while True:
            idle = self._connection is not None
            connection = self._connection or self._connect()
            self.messages += 1
            try:
                connection.sendall(struct.pack(">H", len(message)) + message)
                return self._receive(connection, message[:2])
            except TimeoutError:
                self.close()
                raise NoDnsAnswer(f"The DNS server {self.server} did not answer within {self.timeout:g} s.", source="dns") from None
            except OSError as error:
                self.close()
                if not idle:
                    reason = error.strerror or str(error)
                    raise NoDnsAnswer(f"The DNS server {self.server} broke the connection off ({reason}).", source="dns") from None

    def _connect(self) -> socket.socket:
        if self.server.failure is not None:
            raise self.server.failure
        try:
            self._connection = socket.create_connection((self.server.address, self.server.port), self.timeout)
        except OSError as error:
            reason = f"no answer within {self.timeout:g} s" if isinstance(error, TimeoutError) else error.strerror or str(error)
            raise ActivationError(
                f"The DNS server {self.server} can't be reached by TCP: {reason}. Check its address, and that TCP port "
                f"{self.server.port} is open to it.",
                source="dns",
            ) from None
        return self._connection

    def _receive(self, connection: socket.socket, number: bytes) -> bytes:
        while True:
            (length,) = struct.unpack(">H", _exactly(connection, 2))
            answer = _exactly(connection, length)
            # What answers an earlier message that was given up is not ours.
            if answer[:2] == number:
                return answer


def _exactly(connection: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        chunk = connection.recv(length - len(received))
        if not chunk:
            raise ConnectionResetError("the connection was closed")
        received += chunk
    return received
