# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WinRM message encryption: the multipart/encrypted bodies of MS-WSMV 2.2.9.1 for SPNEGO and Kerberos."""

from __future__ import annotations

import re
import struct

BOUNDARY = b"--Encrypted Boundary"
PROTOCOLS = ("application/HTTP-SPNEGO-session-encrypted", "application/HTTP-Kerberos-session-encrypted")

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


def join(protocol: str, length: int, signature: bytes, sealed: bytes) -> tuple[str, bytes]:
    """Content-Type and body of an encrypted answer; ``length`` is that of the plain text (with padding)."""
    kind = protocol.encode()
    body = (
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
        + BOUNDARY
        + b"--\r\n"
    )
    return f'multipart/encrypted;protocol="{protocol}";boundary="Encrypted Boundary"', body
