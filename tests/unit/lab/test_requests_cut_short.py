# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that ends while it sends has asked for nothing: no server of the laboratory works on a part of a request, or books it."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest
from unit.lab.batch_client import HEADERS, envelope, inner
from unit.lab.wsman_front_end import ADDRESS, FrontEnd

from lab.microsoft.request import PATH
from lab.microsoft.server import BatchServer, microsoft_in_thread

pytestmark = pytest.mark.tier("test")

# Where the request is cut, from its end.
CUTS = {"in the body": 1, "before the body": None, "in the headers": -4}


def request(path: str, headers: dict[str, str], body: bytes, cut: int | None) -> bytes:
    """A POST of which only a part is sent: all but the last bytes, the head alone, or not even that."""
    lines = [f"POST {path} HTTP/1.1", "Host: lab", *(f"{name}: {value}" for name, value in headers.items()), f"Content-Length: {len(body)}"]
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    return head if cut is None else head[:cut] if cut < 0 else head + body[:-cut]


def send_and_end(connection: socket.socket, data: bytes) -> bytes:
    """Send, end the stream as a killed process does, and read all that the server has to say to that."""
    connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(10)
    said = b""
    while part := connection.recv(4096):
        said += part
    return said


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_microsoft_counts_and_books_nothing(tmp_path: Path, cut: int | None) -> None:
    with microsoft_in_thread(tmp_path) as microsoft:
        sample = BatchServer.sample("mak_win_enterprise")
        body = envelope(inner(1, sample.extended_pid, sample.installation_id))
        context = ssl.create_default_context(cafile=microsoft.ca_path)
        with (
            socket.create_connection((microsoft.address, microsoft.port)) as plain,
            context.wrap_socket(plain, server_hostname=microsoft.address) as connection,
        ):
            send_and_end(connection, request(PATH, HEADERS, body, cut))
        assert microsoft.journal.entries == []
        assert microsoft.microsoft.snapshot()["mak_win_enterprise"]["activations"] == 0


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_a_host_answers_and_logs_nothing(lab: FrontEnd, cut: int | None) -> None:
    headers = {"Content-Type": "application/soap+xml", "WSMANIDENTIFY": "unauthenticated"}
    whole = request("/wsman-anon/identify", headers, b"<whole/>", None)
    with socket.create_connection((ADDRESS, lab.server.http_port)) as connection:
        assert send_and_end(connection, request("/wsman-anon/identify", headers, b"<whole/>", cut)) == b""
    assert lab.log.entries == []
    with socket.create_connection((ADDRESS, lab.server.http_port)) as connection:
        assert send_and_end(connection, whole + b"<whole/>").startswith(b"HTTP/1.1 200")
    assert [entry.action for entry in lab.log.entries] == ["Identify"]
