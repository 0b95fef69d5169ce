# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay counts LDAP messages, however they come."""

from __future__ import annotations

import socket
import threading

import pytest
from bench import ldap_relay

pytestmark = pytest.mark.tier("test")

# A bind of a few bytes, a search of 300 with a long length, two sealed buffers, one of them with a BER tag as its length's last byte, and
# an unbind, which is as short as a message can be.
STREAM = [
    b"\x30\x05\x02\x01\x01\x60\x00",
    b"\x30\x82\x01\x2c" + b"\x30" * 300,
    b"\x00\x00\x00\x30" + b"\x00" * 0x30,
    b"\x00\x00\x40\x00" + b"\x30" * 0x4000,
    b"\x30\x03\x02\x01\x02",
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000, 100_000])
def test_messages_are_counted_in_whatever_parts_they_come(size: int):
    messages, whole = ldap_relay.Messages(), b"".join(STREAM)
    for start in range(0, len(whole), size):
        messages.feed(whole[start : start + size])
    assert messages.count == len(STREAM)


def test_a_message_without_content_is_one():
    messages = ldap_relay.Messages()
    messages.feed(b"\x30\x00\x30\x00")
    assert messages.count == 2


def test_the_relay_carries_both_ways_and_counts_the_clients_alone(tmp_path, monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as controller, socket.create_server(("127.0.0.1", 0)) as listening:
        monkeypatch.setattr(ldap_relay, "PORT", controller.getsockname()[1])
        relay = ldap_relay.Relay(tmp_path)
        threading.Thread(target=relay.serve, args=(listening, "127.0.0.1"), daemon=True).start()
        with socket.create_connection(listening.getsockname()) as client:
            server, _address = controller.accept()
            with server:
                client.sendall(STREAM[0])
                assert server.recv(100) == STREAM[0]
                server.sendall(STREAM[4] * 2)
                assert client.recv(100)
                assert relay.counts() == {"messages": 1, "connections": 1}
                assert relay.counts() == {"messages": 0, "connections": 0}
        listening.shutdown(socket.SHUT_RDWR)
