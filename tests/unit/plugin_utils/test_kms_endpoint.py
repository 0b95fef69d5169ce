# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bind of the KMS interface and what is made of what answers."""

from __future__ import annotations

import socket
import struct
import time
import uuid
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.plugin_utils.rpc_port import NDR, acknowledgement, in_pieces, listener, message

from ansible_collections.winops.volume_activation.plugins.plugin_utils._kms_endpoint import bind
from ansible_collections.winops.volume_activation.plugins.plugin_utils._kms_endpoint import probe as probing
from ansible_collections.winops.volume_activation.plugins.plugin_utils._kms_endpoint.probe import (
    EndpointState,
    probe,
    probe_all,
    unresolved,
)

pytestmark = pytest.mark.tier("quick")

KMS = uuid.UUID("51c82175-844e-4750-b0d8-ec255555bc06")


def test_the_bind_names_the_kms_interface_and_nothing_else() -> None:
    sent = bind.bind_request(7)
    version, minor, kind, flags, representation, length, authentication, call = struct.unpack_from("<BBBB4sHHI", sent)
    assert (version, minor, kind, flags, representation) == (5, 0, 11, 3, b"\x10\0\0\0")
    assert (length, authentication, call) == (len(sent), 0, 7)
    contexts, context, syntaxes = struct.unpack_from("<B3xHBx", sent, 24)
    assert (contexts, context, syntaxes) == (1, 0, 1)
    assert (sent[32:48], sent[48:52]) == (KMS.bytes_le, b"\1\0\0\0")
    assert (sent[52:68], sent[68:72]) == (NDR.bytes_le, b"\2\0\0\0")
    assert len(sent) == 72


@given(st.binary(max_size=30), st.sampled_from("<>"))
def test_an_acceptance_is_found_behind_any_secondary_address(address: bytes, order: str) -> None:
    assert bind.parse_reply(acknowledgement(0, 0, address, order)) == bind.BindReply(True)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (acknowledgement(2, 1), "the interface is not offered there"),
        (acknowledgement(2, 2), "transfer syntax"),
        (acknowledgement(1, 0), "rejected it: reason 0"),
        (acknowledgement(9, 77), "result 9: reason 77"),
        (message(13, struct.pack("<H", 4)), "protocol version"),
        (message(13, struct.pack("<H", 99)), "reject reason 99"),
        (message(3, struct.pack("<IHBxI", 0, 0, 0, 5)), "RPC fault 0x00000005"),
    ],
)
def test_a_rejection_says_why(answer: bytes, reason: str) -> None:
    reply = bind.parse_reply(answer)
    assert not reply.accepted
    assert reason in reply.reason


@given(st.one_of(st.binary(max_size=80), st.binary(max_size=60).map(lambda tail: message(12, tail))))
def test_bytes_of_any_kind_are_an_answer_or_none_but_nothing_worse(data: bytes) -> None:
    with suppress(bind.NotRpc):
        assert isinstance(bind.parse_reply(data), bind.BindReply)


@given(st.integers(0, 59))
def test_no_beginning_of_an_answer_is_taken_for_it(length: int) -> None:
    whole = acknowledgement(0, 0)
    assert len(whole) == 60
    with pytest.raises(bind.NotRpc):
        bind.parse_reply(whole[:length])


def test_a_kms_host_answers_and_hears_nothing_but_the_bind() -> None:
    heard: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        heard.append(connection.recv(4096))
        connection.sendall(acknowledgement(0, 0))
        heard.append(connection.recv(4096))

    with listener(behave) as port:
        seen = probe("kms-1.contoso.com", "127.0.0.1", port, 2)
        deadline = time.monotonic() + 2
        while len(heard) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert (seen.host, seen.address, seen.port, seen.state) == ("kms-1.contoso.com", "127.0.0.1", port, EndpointState.ANSWERING)
    assert seen.detail == f"TCP port {port} of kms-1.contoso.com (127.0.0.1) answers as a KMS host."
    assert heard == [bind.bind_request(), b""]


@pytest.mark.parametrize(
    ("behave", "state", "detail"),
    [
        (in_pieces(acknowledgement(0, 0)), EndpointState.ANSWERING, "answers as a KMS host"),
        (in_pieces(acknowledgement(2, 1)), EndpointState.NOT_KMS, "does not accept the KMS interface"),
        (in_pieces(b"HTTP/1.1 400 Bad Request\r\n\r\n"), EndpointState.NOT_KMS, "what answered is not RPC"),
        (in_pieces(b"{"), EndpointState.NOT_KMS, "what answered is not RPC"),
        (in_pieces(acknowledgement(0, 0)[:40]), EndpointState.NOT_KMS, "its answer was cut off"),
        (in_pieces(b""), EndpointState.NOT_KMS, "hung up without an answer"),
        (lambda _connection: time.sleep(0.6), EndpointState.NOT_KMS, "answered nothing within 0.3 s"),
    ],
)
def test_what_answers_is_told_apart(behave: Callable[[socket.socket], None], state: EndpointState, detail: str) -> None:
    with listener(behave) as port:
        seen = probe("kms-1", "127.0.0.1", port, 0.3)
    assert seen.state is state
    assert detail in seen.detail


def test_a_connection_that_is_reset_is_no_kms_host() -> None:
    def behave(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with listener(behave) as port:
        assert probe("kms-1", "127.0.0.1", port, 2).state is EndpointState.NOT_KMS


def test_a_closed_port_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    seen = probe("127.0.0.1", "127.0.0.1", port, 2)
    assert seen.state is EndpointState.REFUSED
    assert f"TCP port {port} of 127.0.0.1 refused" in seen.detail
    assert "SPPSVC-In-TCP" in seen.detail


@pytest.mark.parametrize(
    ("error", "state"),
    [(TimeoutError(), EndpointState.FILTERED), (OSError(113, "No route to host"), EndpointState.UNREACHABLE)],
)
def test_what_never_arrives_is_told_apart(monkeypatch: pytest.MonkeyPatch, error: OSError, state: EndpointState) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(probing.socket, "create_connection", fail)
    seen = probe("kms-1", "192.0.2.1", 1688, 5)
    assert seen.state is state
    assert "kms-1 (192.0.2.1)" in seen.detail


def test_several_are_looked_at_at_once_in_order() -> None:
    with listener(lambda _connection: time.sleep(0.5)) as slow, listener(in_pieces(acknowledgement(0, 0))) as fast:
        began = time.monotonic()
        seen = probe_all([("a", "127.0.0.1", slow), ("b", "127.0.0.1", fast), ("c", "127.0.0.1", slow)], 0.4)
    assert time.monotonic() - began < 0.75
    assert [(found.host, found.state) for found in seen] == [
        ("a", EndpointState.NOT_KMS),
        ("b", EndpointState.ANSWERING),
        ("c", EndpointState.NOT_KMS),
    ]
    assert probe_all([]) == []


def test_a_name_without_address_says_who_was_asked() -> None:
    seen = unresolved("kms-9.contoso.com", 1688, "dc1.contoso.com")
    assert (seen.state, seen.address) == (EndpointState.UNRESOLVED, "")
    assert "kms-9.contoso.com has no address in DNS (asked: dc1.contoso.com)" in seen.detail
