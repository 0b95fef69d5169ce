# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bind of the KMS interface as bytes: the only two messages of it that this collection knows.

A bind asks whether a server offers an interface; it holds no activation request, so no client is counted by it.
Form: C706 "DCE 1.1: Remote Procedure Call", chapter 12.6, and MS-RPCE 2.2.2. Pure.
"""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass

KMS_INTERFACE = (uuid.UUID("51c82175-844e-4750-b0d8-ec255555bc06"), 1, 0)
NDR = (uuid.UUID("8a885d04-1ceb-11c9-9fe8-08002b104860"), 2, 0)

HEADER_LENGTH = 16
_VERSION = 5
FIRST_BYTE = bytes([_VERSION])
_BIND, _BIND_ACK, _BIND_NAK, _FAULT = 11, 12, 13, 3
_FIRST_AND_LAST_FRAGMENT = 0x03
_LITTLE_ENDIAN_ASCII_IEEE = b"\x10\x00\x00\x00"
_MAXIMUM_FRAGMENT = 5840

# p_cont_def_result_t and p_provider_reason_t (C706, 12.6.3.1).
_ACCEPTANCE = 0
_RESULTS = {1: "the user of the interface rejected it", 2: "the provider rejected it"}
_REASONS = {
    1: "the interface is not offered there",
    2: "the transfer syntax is not supported",
    3: "a local limit is exceeded",
}
# p_reject_reason_t (C706, 12.6.3.1; MS-RPCE 2.2.2.5).
_NAK_REASONS = {
    1: "temporary congestion",
    2: "a local limit is exceeded",
    4: "the protocol version is not supported",
    8: "the authentication type is not recognized",
    9: "the checksum is wrong",
}


class NotRpc(ValueError):
    """The bytes are not an answer to a bind; the text says why, as a clause."""


@dataclass(frozen=True, slots=True)
class BindReply:
    """The answer to a bind.

    Attributes:
        accepted: Whether the server offers the interface.
        reason: Why not, as a clause; empty when accepted.
    """

    accepted: bool
    reason: str = ""


def bind_request(call_id: int = 1) -> bytes:
    """A bind of the KMS interface with NDR, without authentication, as a KMS client sends one."""
    context = struct.pack("<HBB", 0, 1, 0) + _syntax(*KMS_INTERFACE) + _syntax(*NDR)
    body = struct.pack("<HHI", _MAXIMUM_FRAGMENT, _MAXIMUM_FRAGMENT, 0) + struct.pack("<BBH", 1, 0, 0) + context
    header = struct.pack("<BBBB4sHHI", _VERSION, 0, _BIND, _FIRST_AND_LAST_FRAGMENT, _LITTLE_ENDIAN_ASCII_IEEE,
                         HEADER_LENGTH + len(body), 0, call_id)  # fmt: skip
    return header + body


def message_length(header: bytes) -> int:
    """The length of a message, header included, from its header.

    Raises:
        NotRpc: It is no header of a connection-oriented RPC message.
    """
    if header[:1] != FIRST_BYTE:
        raise NotRpc("what answered is not RPC")
    if len(header) < HEADER_LENGTH:
        raise NotRpc("the answer ended within its header")
    (length,) = struct.unpack_from(f"{_byte_order(header)}H", header, 8)
    if length < HEADER_LENGTH:
        raise NotRpc("the answer's length is impossible")
    return int(length)


def parse_reply(message: bytes) -> BindReply:
    """What a server answered to the bind.

    Args:
        message: The whole message.

    Raises:
        NotRpc: It is no answer to a bind.
    """
    if len(message) < message_length(message[:HEADER_LENGTH]):
        raise NotRpc("the answer was cut off")
    order = _byte_order(message)
    kind = message[2]
    try:
        if kind == _BIND_ACK:
            return _parse_acknowledgement(message, order)
        if kind == _BIND_NAK:
            (reason,) = struct.unpack_from(f"{order}H", message, HEADER_LENGTH)
            return BindReply(False, _NAK_REASONS.get(reason, f"reject reason {reason}"))
        if kind == _FAULT:
            (status,) = struct.unpack_from(f"{order}I", message, 24)
            return BindReply(False, f"RPC fault 0x{status:08X}")
    except struct.error as error:
        raise NotRpc("the answer was cut off") from error
    raise NotRpc(f"the answer is an RPC message of type {kind} instead of one to a bind")


def _parse_acknowledgement(message: bytes, order: str) -> BindReply:
    (address_length,) = struct.unpack_from(f"{order}H", message, HEADER_LENGTH + 8)
    # The secondary address is followed by padding to a multiple of four, counted from the start of the message.
    results = -(-(HEADER_LENGTH + 10 + address_length) // 4) * 4
    (count,) = struct.unpack_from("B", message, results)
    if count == 0:
        raise NotRpc("the answer names no result")
    result, reason = struct.unpack_from(f"{order}HH", message, results + 4)
    if result == _ACCEPTANCE:
        return BindReply(True)
    why = _RESULTS.get(result, f"result {result}")
    return BindReply(False, f"{why}: {_REASONS.get(reason, f'reason {reason}')}")


def _syntax(interface: uuid.UUID, major: int, minor: int) -> bytes:
    return interface.bytes_le + struct.pack("<HH", major, minor)


def _byte_order(header: bytes) -> str:
    """The byte order that the sender declares in the high half of the first byte of its data representation."""
    return "<" if header[4] >> 4 == 1 else ">"
