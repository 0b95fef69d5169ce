# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The open port of a KMS host. Closed means closed: the machine refuses the connection."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

from . import kms_line, kms_rpc
from .kms_line import CountAnswer, CountRequest

_READ_TIMEOUT = 5.0


class KmsListener:
    """At most one listening socket on the host's address; ``answer`` is called in a thread of each connection."""

    def __init__(self, address: str, answer: Callable[[CountRequest], CountAnswer]) -> None:
        self._address = address
        self._answer = answer
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self.port = 0

    def open(self, port: int) -> None:
        """Listen on that port and no other. Raises OSError if the address or port is not to be had."""
        with self._lock:
            if self._socket is not None and self.port == port:
                return
            self._close()
            listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listening.bind((self._address, port))
                listening.listen(128)
            except OSError:
                listening.close()
                raise
            self._socket, self.port = listening, port
            threading.Thread(target=self._accept, args=(listening, port), name=f"port {port} of {self._address}", daemon=True).start()

    def close(self) -> None:
        """Refuse connections from now on."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._socket is not None:
            # A thread that waits in accept() keeps the port open through close(); shutdown wakes it.
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
        self._socket, self.port = None, 0

    def _accept(self, listening: socket.socket, port: int) -> None:
        while True:
            try:
                connection, _peer = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection, port), daemon=True).start()

    def _serve(self, connection: socket.socket, port: int) -> None:
        with connection, contextlib.suppress(OSError, kms_line.LineError):
            connection.settimeout(_READ_TIMEOUT)
            first = connection.recv(1, socket.MSG_PEEK)
            if first and first[0] == kms_rpc.FIRST_BYTE:
                kms_rpc.serve(connection, port)
            elif first == b"{":
                request = kms_line.decode_request(kms_line.read_line(connection))
                connection.sendall(kms_line.encode(self._answer(request)))
