# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modes of the hostile endpoint that are about HTTP, the logon and encryption, one thing each."""

from __future__ import annotations

import functools
import re
import struct
import time
import zlib
from collections.abc import Callable

from .hostile_endpoint import ADDRESS, MOST_SECONDS, SOAP_TYPE, Act, Exchange, Mode, pieces

MODES: list[Mode] = []
MB = 1024 * 1024


def mode(name: str, **more: object) -> Callable[[Act], Act]:
    """Register a mode."""

    def register(act: Act) -> Act:
        MODES.append(Mode(name, act, **more))  # type: ignore[arg-type]
        return act

    return register


# Redirects.


def redirects(name: str, status: int, location: str, stage: str = "message") -> None:
    def act(exchange: Exchange) -> None:
        target = location.format(here=f"http://{ADDRESS}:{exchange.elsewhere}", port=exchange.elsewhere)
        exchange.head(*([f"Location: {target}"] if target else []), "Content-Length: 0", status=f"{status} Elsewhere")

    MODES.append(Mode(name, act, stage))


for number in (300, 301, 302, 303, 304, 305, 307, 308):
    redirects(f"redirect {number}", number, "{here}/wsman")
redirects("redirect in the handshake", 307, "{here}/wsman", "handshake")
redirects("redirect to a path", 308, "/wsman2")
redirects("redirect without a scheme", 302, "//127.0.0.1:{port}/wsman")
redirects("redirect to another scheme", 301, "file:///etc/passwd")
redirects("redirect to nowhere", 302, "")
redirects("redirect to what is no address", 307, "http://[::1%")
redirects("redirect with escapes", 307, "{here}/" + "\x1b[31m\x85\x9b")
redirects("redirect that is long", 307, "{here}/" + "x" * 60_000)


@mode("a location beside an answer", harmless=True)
def location_beside(exchange: Exchange) -> None:
    there = f"http://{ADDRESS}:{exchange.elsewhere}/wsman"
    exchange.reply(exchange.sound.body, f"Location: {there}", f"Refresh: 0; url={there}", f'Alt-Svc: http/1.1="{there}"')


# Proxies and authentication.


def head(name: str, status: str, *lines: str, stage: str = "message") -> None:
    MODES.append(Mode(name, lambda exchange: exchange.head(*lines, "Content-Length: 0", status=status), stage))


for scheme in ("NTLM", "Negotiate", "Basic realm=x"):
    head(f"407 {scheme.split()[0]}", "407 Proxy Authentication Required", f"Proxy-Authenticate: {scheme}")
    head(f"407 {scheme.split()[0]} in the handshake", "407 Proxy", f"Proxy-Authenticate: {scheme}", stage="handshake")
for bare in ("400 Bad", "401 No", "403 No", "404 No", "413 Large", "429 Many", "500 No", "502 Bad", "503 No", "504 Late", "511 Sign in"):
    head(f"HTTP {bare[:3]}", bare)
head("HTTP 503 with a time to wait", "503 No", "Retry-After: 99999999999")
head("HTTP 999", "999 \x1b[31m\x85")
head("HTTP 204", "204 Nothing")
head("Basic alone is offered", "401 No", 'WWW-Authenticate: Basic realm="WSMAN"', stage="handshake")
head("nothing is offered", "401 No", stage="handshake")
head("an offer with escapes", "401 No", "WWW-Authenticate: \x1b[31mX\x85Y, Z", stage="handshake")
head("a long offer", "401 No", "WWW-Authenticate: " + "Abc, " * 10_000, stage="handshake")
head("a token of noise", "401 No", "WWW-Authenticate: Negotiate AAAAAAAA", stage="handshake")
head("a token that is no base64", "401 No", "WWW-Authenticate: Negotiate \x85=!", stage="handshake")
head("no authentication at all", "200 OK", stage="handshake")


# Bodies, heads and the connection.


@mode("a body without end")
def endless_body(exchange: Exchange) -> None:
    exchange.head(f"Content-Type: {SOAP_TYPE}", "Connection: close")
    for piece in pieces(exchange, b" " * 65536):
        exchange.raw(piece)


@mode("chunks without end")
def endless_chunks(exchange: Exchange) -> None:
    exchange.head(f"Content-Type: {SOAP_TYPE}", "Transfer-Encoding: chunked")
    for piece in pieces(exchange, b"10000\r\n" + b" " * 65536 + b"\r\n"):
        exchange.raw(piece)


@mode("an error without end")
def endless_error(exchange: Exchange) -> None:
    exchange.head("Content-Type: text/html", "Connection: close", status="500 No")
    for piece in pieces(exchange, b"x" * 65536):
        exchange.raw(piece)


@mode("silence", holds=True)
def silence(exchange: Exchange) -> None:
    exchange.stop.wait(MOST_SECONDS)


@mode("silence before anything", stage="connect", holds=True)
def silence_first(exchange: Exchange) -> None:
    exchange.stop.wait(MOST_SECONDS)


@mode("a byte now and then", holds=True)
def slow_body(exchange: Exchange) -> None:
    exchange.head(f"Content-Type: {SOAP_TYPE}", "Content-Length: 100000")
    for piece in pieces(exchange, b" "):
        exchange.raw(piece)
        time.sleep(0.05)


@mode("a head byte by byte", holds=True)
def slow_head(exchange: Exchange) -> None:
    exchange.raw(b"HTTP/1.1 200 OK\r\nX: ")
    for piece in pieces(exchange, b"y"):
        exchange.raw(piece)
        time.sleep(0.05)


@mode("100 Continue without end", holds=True)
def continues(exchange: Exchange) -> None:
    for piece in pieces(exchange, b"HTTP/1.1 100 Continue\r\n\r\n" * 50):
        exchange.raw(piece)
        time.sleep(0.01)


def raw(name: str, data: bytes, **more: object) -> None:
    mode(name, **more)(lambda exchange: exchange.raw(data))


raw("no HTTP", b"SSH-2.0-\x1b[31m\x85\r\n\r\n")
raw("noise", bytes(range(256)) * 64)
raw("nothing", b"")
raw("nothing at once", b"", stage="connect")
raw("no HTTP at once", b"220 \x1b]0;x\x07 ESMTP\r\n", stage="connect")
raw("nothing in the handshake", b"", stage="handshake")
raw("half a head", b"HTTP/1.1 200 OK\r\nContent-Ty")
raw("a status that is no number", b"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n")
raw("another protocol", b"HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n")
raw("a long status line", b"HTTP/1.1 200 " + b"x" * MB)
raw("a long header", b"HTTP/1.1 200 OK\r\nX: " + b"y" * MB)
raw("many headers", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000 + b"\r\n")
raw("headers that are none", b"HTTP/1.1 200 OK\r\n\x00\x1b[31m\r\n : \r\nX\r\nContent-Length: 0\r\n\r\n")
raw("a protocol that is switched", b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
raw("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx")
raw("a negative length", b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nxxxxx")
raw("a length of 5,000 digits", b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nx")
raw("a length of letters", b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nx")
raw("half a body", b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: 500\r\n\r\n<s:Env")
raw("chunks of junk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\x1b[31mzz\r\nx\r\n0\r\n\r\n")
raw("a negative chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nxxxxx\r\n0\r\n\r\n")
raw("a chunk of 5,000 digits", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 5000 + b"\r\nx")
raw("a chunk with a long extension", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * MB + b"\r\nx\r\n0\r\n\r\n")


@mode("a reset")
def reset(exchange: Exchange) -> None:
    exchange.reset()


@mode("a reset in the midst of a body")
def reset_in_body(exchange: Exchange) -> None:
    exchange.head(f"Content-Type: {SOAP_TYPE}", "Content-Length: 100000")
    exchange.raw(b"<s:Envelope ")
    exchange.reset()


@mode("a gzip bomb")
def bomb(exchange: Exchange) -> None:
    exchange.plain(packed(), "Content-Encoding: gzip")


@functools.cache
def packed() -> bytes:
    """200 MB in 200 KB."""
    packer, piece = zlib.compressobj(level=1, wbits=16 + zlib.MAX_WBITS), b" " * MB
    return b"".join(packer.compress(piece) for _number in range(200)) + packer.flush()


def coded(coding: str) -> None:
    mode(f"the coding {coding[:4]!r}")(lambda exchange: exchange.plain(b"x" * 100, f"Content-Encoding: {coding}"))


for coding in ("deflate", "br", "gzip, gzip", "\x1b[31m\x85" + "x" * 5000):
    coded(coding)


@mode("a transfer coding", harmless=True)
def transfer_coding(exchange: Exchange) -> None:
    kind, body = exchange.seal(exchange.sound.body)
    exchange.head(f"Content-Type: {kind}", "Transfer-Encoding: gzip, chunked")
    exchange.raw(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))


# Content types and encryption.


def typed(kind: str) -> None:
    mode(f"the type {kind!r}", harmless_in_clear=True)(lambda exchange: exchange.plain(exchange.sound.body, kind=kind))


for kind in ("text/html", "application/soap+xml;charset=foo", "image/png", "", 'text/plain;charset="\x1b[31m"'):
    typed(kind)


@mode("an answer in plain text", harmless_in_clear=True)
def in_plain_text(exchange: Exchange) -> None:
    exchange.plain(exchange.sound.body)


def mangled(name: str, change: Callable[[str, bytes], tuple[str, bytes]], harmless: bool = False) -> None:
    """What was sealed, or for Basic pretends to be."""

    def act(exchange: Exchange) -> None:
        kind, body = exchange.seal(exchange.sound.body)
        if not kind.startswith("multipart"):
            kind = 'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'
        kind, body = change(kind, body)
        exchange.plain(body, kind=kind)

    MODES.append(Mode(f"encryption: {name}", act, harmless=harmless))


mangled("not a word of it", lambda kind, _body: (kind, b"<xml/>"))
mangled("no body", lambda kind, _body: (kind, b""))
mangled("another length", lambda kind, body: (kind, re.sub(rb"Length=\d+", b"Length=1", body)))
mangled("a length of 5,000 digits", lambda kind, body: (kind, re.sub(rb"Length=\d+", b"Length=" + b"9" * 5000, body)))
mangled("no length", lambda kind, body: (kind, re.sub(rb"Length=\d+", b"", body)))
mangled(
    "a signature that is too long",
    lambda kind, body: (kind, body.replace(struct.pack("<I", 16), struct.pack("<I", 2**31 - 1), 1)),
    harmless=True,
)
mangled("a negative signature", lambda kind, body: (kind, body.replace(struct.pack("<I", 16), struct.pack("<i", -1), 1)))
mangled("other bytes", lambda kind, body: (kind, body[: len(body) // 2] + bytes(255 - byte for byte in body[len(body) // 2 :])))
mangled("the first half", lambda kind, body: (kind, body[: len(body) // 2]))
mangled("twice", lambda kind, body: (kind, body + body))
mangled("boundaries alone", lambda kind, _body: (kind, b"--Encrypted Boundary\r\n" * 40_000))
mangled("another boundary", lambda kind, body: (kind.replace("Encrypted Boundary", "x"), body))
mangled("a boundary that is an expression", lambda kind, _body: (kind.replace("Encrypted Boundary", "(a+)+$"), b"--" + b"a" * 60 + b"!"))
mangled("no boundary", lambda kind, body: (kind.partition(";boundary")[0], body))
mangled("another protocol", lambda kind, body: (kind.replace("SPNEGO", "Other"), body))
mangled("another kind", lambda kind, body: (kind.replace("encrypted;", "mixed;"), body))
