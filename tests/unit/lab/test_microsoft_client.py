# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request to the laboratory's Microsoft over real sockets: every form of answer, and every way there or not."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from unit.lab.microsoft_requests import KEY, ask, failure, of_sample, settings, through

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.batch_request import Question
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.batch_response import BatchAnswer
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.failures import Fate
from lab.microsoft.proxy import proxy_in_thread
from lab.microsoft.server import BatchServer
from lab.microsoft.variants import TOPICS, seed_of
from lab.windows.data import key_named

pytestmark = pytest.mark.tier("test")


@pytest.mark.parametrize(("topic", "form"), [(topic, form) for topic, known in TOPICS.items() for form in known.variants])
def test_every_form_of_answer_is_read(microsoft: BatchServer, topic: str, form: str):
    microsoft.service.seed = seed_of(topic, form)
    question, confirmation_id = of_sample()
    assert ask(settings(microsoft), question) == BatchAnswer(confirmation_id)
    assert ask(settings(microsoft), Question(question.extended_pid)) == BatchAnswer(remaining=49)
    microsoft.microsoft.set_state(key_named(KEY).key, "dmak_limit")
    assert failure(settings(microsoft), question).shown_code == "0xD6"
    microsoft.microsoft.set_state(key_named(KEY).key, "blocked")
    blocked = ask(settings(microsoft), Question(question.extended_pid))
    assert blocked.remaining == -1
    assert blocked.error in (0, 0x67)


def test_a_certificate_of_an_authority_that_is_not_trusted_and_one_for_another_name(microsoft: BatchServer):
    with socket.create_server(("127.0.0.2", 0)) as other, forwarding(other, microsoft.port):
        elsewhere = microsoft.url.replace(f"127.0.0.1:{microsoft.port}", f"127.0.0.2:{other.getsockname()[1]}")
        for how in (settings(microsoft, ca_path=""), settings(microsoft, url=elsewhere)):
            failed = failure(how, of_sample()[0])
            assert (failed.fate, failed.again) == (Fate.NOT_SENT, False)
            assert "a certificate that is not accepted" in failed.message and "ca_path" in failed.message
    assert microsoft.journal.entries == []


def carry(source: socket.socket, target: socket.socket) -> None:
    """From one connection to another, to its end."""
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)


@contextmanager
def forwarding(listener: socket.socket, port: int) -> Iterator[None]:
    """Whatever connects to the listener is connected to the port."""

    def run() -> None:
        with suppress(OSError):
            while True:
                accepted, _peer = listener.accept()
                target = socket.create_connection(("127.0.0.1", port))
                for pair in ((accepted, target), (target, accepted)):
                    threading.Thread(target=carry, args=pair, daemon=True).start()

    threading.Thread(target=run, daemon=True).start()
    yield


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_file_of_authorities_that_is_none(microsoft: BatchServer, tmp_path: Path, content: str | None):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(ActivationError, match="which cannot be read: ") as refused:
        ask(settings(microsoft, ca_path=str(path)), of_sample()[0])
    assert refused.value.source == "options"


def test_a_port_that_says_nothing(microsoft: BatchServer):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        failed = failure(settings(microsoft, url=f"https://127.0.0.1:{silent.getsockname()[1]}/x", timeout=1), of_sample()[0])
    assert (failed.fate, failed.again) == (Fate.NOT_SENT, True)
    assert 0.9 < time.monotonic() - began < 3


def test_the_limit_is_one_for_the_whole_request(microsoft: BatchServer):
    """A server that sends a byte of its answer now and then keeps every limit between two bytes."""
    with dripping_server(microsoft) as url:
        began = time.monotonic()
        failed = failure(settings(microsoft, url=url, timeout=1), of_sample()[0])
    assert time.monotonic() - began < 3
    assert (failed.fate, "within 1 seconds" in failed.message) == (Fate.LOST, True)


@contextmanager
def dripping_server(microsoft: BatchServer) -> Iterator[str]:
    """A server with the laboratory's certificate that answers drop by drop."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            accepted, _peer = listener.accept()
            with microsoft._context.wrap_socket(accepted, server_side=True) as connection:
                connection.recv(65536)
                while not stop.wait(0.2):
                    connection.send(b"H")

        threading.Thread(target=run, daemon=True).start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}/x"
        finally:
            stop.set()


NAME = "activation.sls.microsoft.com"


def test_a_proxy_with_an_account(microsoft: BatchServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("https_proxy", "http://192.0.2.1:1")
    url = microsoft.url.replace("127.0.0.1", NAME)
    question, confirmation_id = of_sample()
    with proxy_in_thread("svc", "p@ss", names={NAME: ("127.0.0.1", microsoft.port)}) as proxy:
        how = settings(microsoft, url=url, proxy=through(proxy.url, "svc", "p%40ss"))
        assert ask(how, question) == BatchAnswer(confirmation_id)
        assert proxy.tunnels == [f"{NAME}:{microsoft.port}"]
        wrong = failure(replace(how, proxy=through(proxy.url, "svc", "hidden")), question)
    assert (wrong.fate, wrong.again, wrong.shown_code) == (Fate.NOT_SENT, False, "HTTP 407")
    assert "http_proxy_username" in wrong.message and "hidden" not in wrong.message
    assert (os.environ["https_proxy"], os.environ["NO_PROXY"], "no_proxy" in os.environ) == ("http://192.0.2.1:1", "*", False)


@pytest.mark.parametrize(("name", "value"), [("HTTPS_PROXY", "http://svc:p%40ss@{}"), ("https_proxy", "svc:p%40ss@{}")])
def test_a_proxy_of_the_environment_and_its_exceptions(microsoft: BatchServer, monkeypatch: pytest.MonkeyPatch, name: str, value: str):
    question, confirmation_id = of_sample()
    with proxy_in_thread("svc", "p@ss") as proxy:
        monkeypatch.setenv(name, value.format(proxy.url.removeprefix("http://")))
        assert ask(settings(microsoft), question) == BatchAnswer(confirmation_id)
        assert len(proxy.tunnels) == 1
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert ask(settings(microsoft), Question(question.extended_pid)) == BatchAnswer(remaining=49)
        assert len(proxy.tunnels) == 1


def test_what_was_given_up_before_it_was_sent_is_never_sent(microsoft: BatchServer):
    """A proxy takes its time, though less than the limit between two bytes: what is called not sent must not be sent after that."""
    tunnel = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_server(("127.0.0.1", 0)) as inside:

        def run() -> None:
            accepted, _peer = listener.accept()
            accepted.recv(65536)
            for character in "HTTP/1.1 200 Connection established\r\n\r\n":
                accepted.send(character.encode())
                time.sleep(0.04)
            target = socket.create_connection(inside.getsockname())
            for pair in ((accepted, target), (target, accepted)):
                threading.Thread(target=carry, args=pair, daemon=True).start()
            tunnel.set()

        threading.Thread(target=run, daemon=True).start()
        with forwarding(inside, microsoft.port):
            how = settings(microsoft, proxy=through(f"http://127.0.0.1:{listener.getsockname()[1]}"), timeout=1)
            failed = failure(how, of_sample()[0])
            assert (failed.fate, failed.again) == (Fate.NOT_SENT, True)
            assert tunnel.wait(5)
            time.sleep(0.7)
    assert microsoft.journal.entries == []
