# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lab hosts say to each other on port 1688: one line of JSON each way. It is the lab's own and has nothing of KMS.

A request names the product, its group and threshold, the CMID and state of the asking machine; the answer brings a count,
or the HRESULT that the asking machine reports.
"""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass
from datetime import datetime

_MARK = "lab-count/1"
MAX_LINE = 4096


class LineError(Exception):
    """Not a line of this protocol."""


@dataclass(frozen=True)
class CountRequest:
    """A client's question. ``time`` is the client's clock as ISO 8601."""

    product_id: str
    kms_group: str
    threshold: int
    cmid: str
    client: str
    licence_state: int
    minutes_left: int
    time: str


@dataclass(frozen=True)
class CountAnswer:
    """A host's answer; intervals in minutes. ``hresult`` 0 is success."""

    hresult: int
    count: int = 0
    activation_interval: int = 0
    renewal_interval: int = 0
    pid: str = ""


def encode(message: CountRequest | CountAnswer) -> bytes:
    """The line of a message."""
    return json.dumps({"lab": _MARK, **asdict(message)}).encode() + b"\n"


def _decode(line: bytes) -> dict[str, object]:
    try:
        fields = json.loads(line)
        if fields.pop("lab") != _MARK:
            raise LineError("another protocol")
    except (ValueError, KeyError, AttributeError) as error:
        raise LineError(str(error)) from error
    return dict(fields)


def decode_request(line: bytes) -> CountRequest:
    """Raises LineError."""
    try:
        return CountRequest(**_decode(line))  # type: ignore[arg-type]
    except TypeError as error:
        raise LineError(str(error)) from error


def decode_answer(line: bytes) -> CountAnswer:
    """Raises LineError."""
    try:
        return CountAnswer(**_decode(line))  # type: ignore[arg-type]
    except TypeError as error:
        raise LineError(str(error)) from error


def read_line(connection: socket.socket) -> bytes:
    """One line. Raises OSError or LineError if the other side hangs up or says too much."""
    line = b""
    while not line.endswith(b"\n"):
        part = connection.recv(MAX_LINE)
        line += part
        if not part or len(line) > MAX_LINE:
            raise LineError("no line")
    return line


def ask(address: str, port: int, request: CountRequest, timeout: float, source: str = "") -> CountAnswer:
    """Ask a host. Raises OSError if it does not answer, LineError if it is no lab host."""
    with socket.create_connection((address, port), timeout, (source, 0) if source else None) as connection:
        connection.settimeout(timeout)
        connection.sendall(encode(request))
        return decode_answer(read_line(connection))


def parse_time(text: str) -> datetime:
    """The time of a request. Raises LineError."""
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise LineError(str(error)) from error
