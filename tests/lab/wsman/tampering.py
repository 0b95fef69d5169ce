# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong with one exchange although the host is sound: how its answer is spoilt, and whether the work is done.

An interceptor (:class:`~.service.Service`) answers a request with a :class:`Tampering`; the service spoils the message before it is
sealed, the connection what is on the wire.
"""

from __future__ import annotations

import functools
import re
import socket
import ssl
import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from .http import HttpResponse

Kind = Literal[
    "reset",
    "half",
    "slow",
    "close_after",
    "http_400",
    "http_401",
    "http_413",
    "http_500",
    "timed_out",
    "quota",
    "not_xml",
    "other_xml",
    "doctype",
    "unrelated",
    "scrambled",
    "huge",
    "huge_chunked",
    "huge_gzip",
]
KINDS: tuple[str, ...] = get_args(Kind)

STATUSES = {"http_400": 400, "http_401": 401, "http_413": 413, "http_500": 500}
# Refused before anything was done, unless a rule says otherwise; for the others the work is done and its answer spoilt.
_REFUSALS = frozenset({"reset", "quota", *STATUSES})

HUGE = 100 * 1024 * 1024
_PIECE = 64 * 1024


@dataclass(frozen=True)
class Tampering:
    """What happens to one exchange.

    * ``reset``: the connection is reset without an answer. ``half``: it ends in the middle of the answer.
    * ``slow``: the answer comes one byte every ``pace`` seconds. ``close_after``: the answer is sound, and the connection is closed
      behind it, as for one that was idle.
    * ``http_NNN``: a bare HTTP status. 400 closes the connection; 401 forgets who logged on.
    * ``timed_out``: w:TimedOut at once, while the work goes on and is done ``pace`` seconds later. ``quota``: 0x803381A6.
    * ``not_xml``, ``other_xml``, ``doctype``: an answer that is none. ``unrelated``: one to another request. ``scrambled``: bytes of
      the HTTP body are changed, so that what was sealed cannot be opened.
    * ``huge``, ``huge_chunked``, ``huge_gzip``: 100 MB.

    ``done`` says whether the request is carried out.
    """

    kind: str
    done: bool
    pace: float = 1.0

    @classmethod
    def of(cls, kind: str, done: bool | None = None, pace: float = 1.0) -> Tampering:
        """One of the known kinds; without ``done`` as its name suggests. Raises ValueError for another."""
        if kind not in KINDS:
            raise ValueError(f"no fault {kind}; there are {', '.join(KINDS)}")
        return cls(kind, kind not in _REFUSALS if done is None else done, pace)

    def spoil_message(self, message: bytes) -> bytes:
        """The SOAP message that goes back instead."""
        if self.kind == "not_xml":
            return b"Service Unavailable: the proxy is tired & <not> XML"
        if self.kind == "other_xml":
            return b"<html><head><title>It works!</title></head><body/></html>"
        if self.kind == "doctype":
            return b'<!DOCTYPE s [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + message
        if self.kind == "unrelated":
            return re.sub(rb"(<a:RelatesTo[^>]*>)[^<]*", rb"\1uuid:00000000-0000-0000-0000-000000000000", message)
        return message

    def send(self, connection: socket.socket, response: HttpResponse) -> bool:
        """Send the response as it is to arrive; whether the connection is to be closed."""
        data = response.render(close=False)
        if self.kind == "reset":
            # Closed with bytes still to be sent and no time to linger, the kernel sends RST.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return True
        if self.kind in ("huge", "huge_chunked", "huge_gzip"):
            for piece in _huge(self.kind, response):
                connection.sendall(piece)
            return True
        if self.kind == "slow":
            for number in range(len(data)):
                connection.sendall(data[number : number + 1])
                time.sleep(self.pace)
            return False
        if self.kind == "half":
            connection.sendall(data[: len(data) - len(response.body) // 2])
            return True
        if self.kind == "scrambled":
            middle = len(data) - len(response.body) // 2
            data = data[:middle] + bytes(255 - byte for byte in data[middle : middle + 8]) + data[middle + 8 :]
        if self.kind in ("close_after", "http_400"):
            _send_with_its_end(connection, data)
            return True
        connection.sendall(data)
        return False


def _send_with_its_end(connection: socket.socket, data: bytes) -> None:
    """Who has the answer also has the end of the connection, however long this thread then waits to close it.

    Without that, a client that is quick writes to a connection whose end is still under way, which is another story than an idle one:
    it learns that the answer is lost, and not that nobody can read the message. TLS has no such flag.
    """
    if isinstance(connection, ssl.SSLSocket):
        connection.sendall(data)
        return
    connection.sendall(data, socket.MSG_MORE)
    connection.shutdown(socket.SHUT_WR)


def _huge(kind: str, response: HttpResponse) -> Iterator[bytes]:
    first = f"HTTP/1.1 {response.status} OK\r\nContent-Type: {response.content_type}\r\n"
    piece = b" " * _PIECE
    if kind == "huge":
        yield f"{first}Content-Length: {HUGE}\r\n\r\n".encode()
        for _number in range(HUGE // _PIECE):
            yield piece
    elif kind == "huge_chunked":
        yield f"{first}Transfer-Encoding: chunked\r\n\r\n".encode()
        for _number in range(HUGE // _PIECE):
            yield b"%x\r\n%b\r\n" % (_PIECE, piece)
        yield b"0\r\n\r\n"
    else:
        packed = _packed()
        yield f"{first}Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode() + packed


@functools.cache
def _packed() -> bytes:
    """100 MB as a gzip file, made without ever holding them."""
    packer = zlib.compressobj(level=1, wbits=16 + zlib.MAX_WBITS)
    piece = b" " * _PIECE
    return b"".join(packer.compress(piece) for _number in range(HUGE // _PIECE)) + packer.flush()
