# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The open port of a KMS host. Closed means closed: the machine refuses the connection. Blocked means that nobody answers."""

from __future__ import annotations

import contextlib
import ctypes
import ipaddress
import socket
import struct
import threading
from collections.abc import Callable, Sequence

from . import kms_line, kms_rpc
from .kms_line import CountAnswer, CountRequest

_READ_TIMEOUT = 5.0

_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27
_LOAD_WORD, _AND, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x54, 0x15, 0x06
_IP_SOURCE = 0xFFF00000 + 12  # SKF_NET_OFF, and the place of the source in an IPv4 header (RFC 791 3.1)
_WHOLE_PACKET = 0xFFFFFFFF


def _filter(networks: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """A classic BPF program that drops what comes from these networks (Linux, Documentation/networking/filter.rst)."""
    program = []
    for network in map(ipaddress.IPv4Network, networks):
        program += [(_LOAD_WORD, 0, 0, _IP_SOURCE), (_AND, 0, 0, int(network.netmask))]
        program += [(_JUMP_IF_EQUAL, 0, 1, int(network.network_address)), (_RETURN, 0, 0, 0)]
    return [*program, (_RETURN, 0, 0, _WHOLE_PACKET)]


def _attach(listening: socket.socket, networks: Sequence[str]) -> None:
    """Have the kernel drop packets from these networks that are for the socket, so that connections time out."""
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in _filter(networks))
    held = ctypes.create_string_buffer(code)
    program = struct.pack("@HP", len(code) // 8, ctypes.addressof(held))  # struct sock_fprog
    listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


class KmsListener:
    """At most one listening socket on the host's address; ``answer`` is called in a thread of each connection."""

    def __init__(self, address: str, answer: Callable[[CountRequest], CountAnswer]) -> None:
        self._address = address
        self._answer = answer
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._blocked: tuple[str, ...] = ()
        self.port = 0

    def block(self, networks: Sequence[str]) -> None:
        """Drop whatever comes from these networks, now and when the port is opened again; with none, nothing."""
        with self._lock:
            self._blocked = tuple(networks)
            if self._socket is not None:
                self._drop_blocked(self._socket)

    def _drop_blocked(self, listening: socket.socket) -> None:
        if self._blocked:
            _attach(listening, self._blocked)
        else:
            with contextlib.suppress(FileNotFoundError):  # there was no filter
                listening.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)

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
                self._drop_blocked(listening)
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
