# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WinRM message encryption: the multipart/encrypted bodies of MS-WSMV 2.2.9.1 for SPNEGO, Kerberos and CredSSP."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable

BOUNDARY = b"--Encrypted Boundary"
CREDSSP = "application/HTTP-CredSSP-session-encrypted"
PROTOCOLS = ("application/HTTP-SPNEGO-session-encrypted", "application/HTTP-Kerberos-session-encrypted", CREDSSP)

# A TLS record, which CredSSP seals with, holds no more; a longer message comes in several parts (MS-WSMV 2.2.9.1.3).
_CREDSSP_PORTION = 16384

_PROTOCOL = re.compile(r'protocol="([^"]+)"', re.IGNORECASE)
_LENGTH = re.compile(rb"Length=(\d+)")
_OCTETS = re.compile(rb"^\s*Content-Type:\s*application/octet-stream\r\n", re.IGNORECASE)


class BadEncryption(ValueError):
    """A body that is not what its content type says."""


def protocol_of(content_type: str) -> str | None:
    """The protocol of an encrypted body by its Content-Type; None if the body is not encrypted."""
    if not content_type.lower().startswith("multipart/"):
        return None
    match = _PROTOCOL.search(content_type)
    return match[1] if match else ""


def split(body: bytes) -> list[tuple[int, bytes, bytes]]:
    """The encrypted parts: length of the plain text, signature (or token header), sealed data. Raises :class:`BadEncryption`."""
    end = BOUNDARY + b"--\r\n"
    if not body.startswith(BOUNDARY + b"\r\n") or not body.endswith(end):
        raise BadEncryption("boundaries are missing")
    pieces = body[len(BOUNDARY) + 2 : -len(end)].split(BOUNDARY + b"\r\n")
    if len(pieces) < 2 or len(pieces) % 2:
        raise BadEncryption("header and data parts do not pair")
    parts: list[tuple[int, bytes, bytes]] = []
    for header, data in zip(pieces[::2], pieces[1::2], strict=True):
        length = _LENGTH.search(header)
        opening = _OCTETS.match(data)
        if length is None or opening is None:
            raise BadEncryption("a part has no length or no data")
        payload = data[opening.end() :]
        if len(payload) < 4:
            raise BadEncryption("a part is too short")
        (size,) = struct.unpack("<I", payload[:4])
        parts.append((int(length[1]), payload[4 : 4 + size], payload[4 + size :]))
    return parts


def portions(protocol: str, message: bytes) -> list[bytes]:
    """The parts in which a message is sealed with a protocol."""
    if protocol != CREDSSP or len(message) <= _CREDSSP_PORTION:
        return [message]
    return [message[start : start + _CREDSSP_PORTION] for start in range(0, len(message), _CREDSSP_PORTION)]


def join(protocol: str, parts: Iterable[tuple[int, bytes, bytes]]) -> tuple[str, bytes]:
    """Content-Type and body of an encrypted answer.

    Each part has the length of its plain text (with padding), its signature (or token header) and its sealed data.
    """
    kind = protocol.encode()
    body = b""
    count = 0
    for length, signature, sealed in parts:
        count += 1
        body += (
            BOUNDARY
            + b"\r\n\tContent-Type: "
            + kind
            + b"\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length="
            + str(length).encode()
            + b"\r\n"
            + BOUNDARY
            + b"\r\n\tContent-Type: application/octet-stream\r\n"
            + struct.pack("<I", len(signature))
            + signature
            + sealed
        )
    subtype = "encrypted" if count == 1 else "x-multi-encrypted"
    return f'multipart/{subtype};protocol="{protocol}";boundary="Encrypted Boundary"', body + BOUNDARY + b"--\r\n"
