# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTP request over a connection that is used once, and its answer within bounds."""

from __future__ import annotations

import asyncio
import contextlib
import io
import ssl
import warnings
from http.client import HTTPException, parse_headers

# An answer to Identify has less than a kilobyte.
LARGEST_BODY = 64 * 1024
_LARGEST_HEAD = 16 * 1024


class NoHttpAnswer(Exception):
    """What came back is no HTTP, or too much of it."""


async def post(address: str, port: int, tls: ssl.SSLContext | None, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    """Send a request to C(/wsman) and read the answer.

    Args:
        address: The IP address.
        port: The TCP port.
        tls: How TLS is spoken; C(None) for plain HTTP.
        headers: Headers beside Host, Connection and Content-Length.
        body: The body.

    Returns:
        The status and the body.

    Raises:
        OSError: There is no connection, or no TLS (C(ssl.SSLError)).
        NoAnswer: The answer is no HTTP, or larger than an answer may be.
    """
    host = f"[{address}]" if ":" in address else address
    lines = ["POST /wsman HTTP/1.1", f"Host: {host}:{port}", "Connection: close", f"Content-Length: {len(body)}"]
    head = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""])
    reader, writer = await asyncio.open_connection(address, port, ssl=tls, limit=_LARGEST_HEAD, server_hostname="" if tls else None)
    try:
        writer.write(head.encode("ascii") + body)
        await writer.drain()
        return await _answer(reader)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, HTTPException, ValueError) as error:
        raise NoHttpAnswer(str(error)) from error
    finally:
        # A server that never says goodbye is not waited for.
        with contextlib.suppress(OSError):
            writer.transport.abort()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    line, _end, fields = head.partition(b"\r\n")
    version, _blank, rest = line.partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        raise NoHttpAnswer("no HTTP")
    headers = parse_headers(io.BytesIO(fields))
    if headers.get("Transfer-Encoding", "").strip().lower() == "chunked":
        return int(rest[:3]), await _chunks(reader)
    length = headers.get("Content-Length", "").strip()
    if not length:
        # It ends with the connection.
        body = bytearray()
        while more := await reader.read(LARGEST_BODY + 1):
            _add(body, more)
        return int(rest[:3]), bytes(body)
    if not length.isdigit() or int(length) > LARGEST_BODY:
        raise NoHttpAnswer("too large")
    return int(rest[:3]), await reader.readexactly(int(length))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        if size < 0 or size > LARGEST_BODY:
            raise NoHttpAnswer("too large")
        _add(body, await reader.readexactly(size))
        await reader.readexactly(2)
    return bytes(body)


def _add(body: bytearray, piece: bytes) -> None:
    body += piece
    if len(body) > LARGEST_BODY:
        raise NoHttpAnswer("too large")


def any_tls() -> ssl.SSLContext:
    """TLS with whoever it is, in any version and with any certificate: nothing secret is sent, and the answer is believed no more than over HTTP."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        # Windows 7 and Server 2008 R2 speak no later version unless they were patched.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    return context
