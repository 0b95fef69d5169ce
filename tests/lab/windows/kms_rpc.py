# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DCE/RPC door of a KMS host: it answers a bind as the RPC runtime does, and no call whatever.

Enough for somebody who wants to know whether the KMS interface is there without counting a client (C706 chapter 12, MS-RPCE
2.2.2). A bind for another interface is rejected by the provider; any request gets a fault and the connection is closed.
"""

from __future__ import annotations

import socket
import struct
import uuid
from dataclasses import dataclass

KMS_INTERFACE = (uuid.UUID("51c82175-844e-4750-b0d8-ec255555bc06"), 1)
NDR = (uuid.UUID("8a885d04-1ceb-11c9-9fe8-08002b104860"), 2)

FIRST_BYTE = 5
_HEADER = 16
_MAX_FRAGMENT = 5840

_REQUEST = 0
_FAULT = 3
_BIND = 11
_BIND_ACK = 12
_ALTER_CONTEXT = 14
_ALTER_CONTEXT_RESPONSE = 15

_ACCEPTANCE = (0, 0)
_ABSTRACT_SYNTAX_NOT_SUPPORTED = (2, 1)
_TRANSFER_SYNTAXES_NOT_SUPPORTED = (2, 2)
_NEGOTIATE_ACK = (3, 3)
# Bind time feature negotiation (MS-RPCE 3.3.1.5.3) is a transfer syntax whose UUID begins so.
_FEATURES = bytes.fromhex("2c1cb76c12984045")

_NCA_OP_RNG_ERROR = 0x1C010002


class RpcError(Exception):
    """Bytes that are no RPC of version 5.0."""


@dataclass(frozen=True)
class Packet:
    """A fragment: its type, call and what follows the common header. ``order`` is struct's byte order mark."""

    kind: int
    call_id: int
    order: str
    body: bytes


def parse(data: bytes) -> Packet:
    """A whole fragment. Raises RpcError."""
    if len(data) < _HEADER or data[0] != FIRST_BYTE or data[1] != 0:
        raise RpcError("no RPC 5.0")
    order = "<" if data[4] & 0x10 else ">"
    length, _auth, call_id = struct.unpack(f"{order}HHI", data[8:16])
    if length != len(data):
        raise RpcError("a fragment of another length")
    return Packet(data[2], call_id, order, data[_HEADER:])


def _packet(kind: int, call_id: int, body: bytes) -> bytes:
    first_and_last = 0x03
    return struct.pack("<BBBB4sHHI", 5, 0, kind, first_and_last, b"\x10\0\0\0", _HEADER + len(body), 0, call_id) + body


def _syntax(data: bytes, order: str) -> tuple[uuid.UUID, int]:
    identifier = uuid.UUID(bytes_le=data[:16]) if order == "<" else uuid.UUID(bytes=data[:16])
    (version,) = struct.unpack(f"{order}I", data[16:20])
    return identifier, version


def _judge(abstract: tuple[uuid.UUID, int], transfers: list[bytes], order: str) -> tuple[tuple[int, int], bytes]:
    if any(raw[:8] == _FEATURES for raw in transfers):
        return _NEGOTIATE_ACK, bytes(20)
    if abstract != KMS_INTERFACE:
        return _ABSTRACT_SYNTAX_NOT_SUPPORTED, bytes(20)
    if NDR not in (_syntax(raw, order) for raw in transfers):
        return _TRANSFER_SYNTAXES_NOT_SUPPORTED, bytes(20)
    return _ACCEPTANCE, NDR[0].bytes_le + struct.pack("<I", NDR[1])


def bind_answer(packet: Packet, port: int) -> bytes:
    """The bind_ack (or alter_context_resp) for a bind. Raises RpcError."""
    body, order = packet.body, packet.order
    try:
        group, contexts = struct.unpack(f"{order}4xIB3x", body[:12])
        results, offset = b"", 12
        for _number in range(contexts):
            (transfer_count,) = struct.unpack(f"{order}2xBx", body[offset : offset + 4])
            abstract = _syntax(body[offset + 4 : offset + 24], order)
            offset += 24
            transfers = [body[offset + 20 * index : offset + 20 * index + 20] for index in range(transfer_count)]
            offset += 20 * transfer_count
            if offset > len(body):
                raise RpcError("a bind that is cut off")
            (result, reason), syntax = _judge(abstract, transfers, order)
            results += struct.pack("<HH", result, reason) + syntax
    except struct.error as error:
        raise RpcError("a bind that is cut off") from error
    first = packet.kind == _BIND
    address = f"{port}\0".encode() if first else b""
    secondary = struct.pack("<H", len(address)) + address
    padding = bytes(-(_HEADER + 8 + len(secondary)) % 4)
    head = struct.pack("<HHI", _MAX_FRAGMENT, _MAX_FRAGMENT, group or 0x1688) + secondary + padding
    kind = _BIND_ACK if first else _ALTER_CONTEXT_RESPONSE
    return _packet(kind, packet.call_id, head + struct.pack("<B3x", contexts) + results)


def serve(connection: socket.socket, port: int) -> None:
    """Answer binds until the caller asks for a call or goes. Raises OSError."""
    while True:
        head = _read(connection, _HEADER)
        if len(head) < _HEADER:
            return
        order = "<" if head[4] & 0x10 else ">"
        (length,) = struct.unpack(f"{order}H", head[8:10])
        try:
            packet = parse(head + _read(connection, max(0, length - _HEADER)))
            if packet.kind in (_BIND, _ALTER_CONTEXT):
                connection.sendall(bind_answer(packet, port))
                continue
        except RpcError:
            return
        if packet.kind == _REQUEST:
            connection.sendall(_packet(_FAULT, packet.call_id, struct.pack("<IHBBI4x", 0, 0, 0, 0, _NCA_OP_RNG_ERROR)))
        return


def _read(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            break
        data += part
    return data
