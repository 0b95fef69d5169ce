# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of HTTP/1.1 as HTTP.SYS in front of WinRM shows to a client."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO

MAX_LINE = 65536
MAX_HEADERS = 100
MAX_DISCARD = 4 * 1024 * 1024
REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
}


class BadRequest(Exception):
    """No HTTP; ``status`` is the answer before the connection is closed."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


@dataclass
class HttpRequest:
    """A request; header names are in lower case, ``size`` counts every byte of it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    size: int

    @property
    def keeps_open(self) -> bool:
        """Whether the client wants the connection to stay."""
        return self.headers.get("connection", "").lower() != "close"


@dataclass
class HttpResponse:
    """A response; ``headers`` may hold a name more than once."""

    status: int
    body: bytes = b""
    content_type: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)

    def render(self, close: bool = False) -> bytes:
        """The bytes to send."""
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Unknown')}"]
        if self.content_type:
            lines.append(f"Content-Type: {self.content_type}")
        lines.append("Server: Microsoft-HTTPAPI/2.0")
        lines.extend(f"{name}: {value}" for name, value in self.headers)
        if close:
            lines.append("Connection: close")
        lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + self.body


def _line(stream: BinaryIO) -> bytes:
    line = stream.readline(MAX_LINE)
    if line.endswith(b"\n"):
        return line
    if len(line) >= MAX_LINE:
        raise BadRequest(400)
    # Who is killed while sending has asked for nothing.
    raise ConnectionResetError("the request ended early")


def read_request(stream: BinaryIO, send: BinaryIO, max_body: int) -> HttpRequest | None:
    """Read a request; None at the end of the connection. Raises :class:`BadRequest` and OSError."""
    first = stream.readline(MAX_LINE)
    if not first.strip():
        return None
    if not first.endswith(b"\n"):
        raise BadRequest(400)
    size = len(first)
    parts = first.decode("latin-1").split()
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequest(400)
    headers: dict[str, str] = {}
    while True:
        line = _line(stream)
        size += len(line)
        if line in (b"\r\n", b"\n"):
            break
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or len(headers) >= MAX_HEADERS:
            raise BadRequest(400)
        headers[name.strip().lower()] = value.strip()
    if headers.get("expect", "").lower() == "100-continue":
        send.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        send.flush()
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body, overhead = _read_chunks(stream, max_body)
    else:
        length = headers.get("content-length", "0")
        if not length.isdigit():
            raise BadRequest(400)
        if int(length) > max_body:
            # Bytes left unread would make the kernel reset the connection before the client has read the answer.
            stream.read(min(int(length), MAX_DISCARD))
            raise BadRequest(413)
        body, overhead = _read_exactly(stream, int(length)), 0
    return HttpRequest(parts[0], parts[1], headers, body, size + len(body) + overhead)


def _read_exactly(stream: BinaryIO, length: int) -> bytes:
    body = stream.read(length)
    if len(body) != length:
        raise ConnectionResetError("the body ended early")
    return body


def _read_chunks(stream: BinaryIO, max_body: int) -> tuple[bytes, int]:
    body, overhead = b"", 0
    while True:
        line = _line(stream)
        overhead += len(line)
        try:
            length = int(line.split(b";")[0], 16)
        except ValueError as error:
            raise BadRequest(400) from error
        if len(body) + length > max_body:
            raise BadRequest(413)
        body += _read_exactly(stream, length)
        ending = _line(stream)
        overhead += len(ending)
        if length == 0:
            while ending not in (b"\r\n", b"\n", b""):
                ending = _line(stream)
                overhead += len(ending)
            return body, overhead
