# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talks to Microsoft's BatchActivation service: one request over TLS, with a limit for all of it."""

from __future__ import annotations

import os
import queue
import ssl
import threading
import typing as t
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlsplit

from ansible.module_utils.urls import open_url

from .._core.errors import ActivationError
from .._core.files import LARGEST_CERTIFICATES, check_file
from .batch_request import HEADERS, Question, envelope
from .batch_response import BatchAnswer, UnreadableAnswer, fault_text, parse
from .failures import diagnose, http_status, lost, redirected, refused, too_late
from .settings import MicrosoftSettings, Proxy, proxy_of_environment

_LARGEST_ANSWER = 1 << 20
_AGENT = "winops.volume_activation"


class Service:
    """Microsoft's service, as the settings say where it is."""

    def __init__(self, settings: MicrosoftSettings) -> None:
        self._settings = settings

    def ask(self, question: Question) -> BatchAnswer:
        """Send one request, once.

        An answer about remaining activations may hold an error beside the number; one about a confirmation ID does not.

        Raises:
            RequestFailed: There is no answer to use; it says whether the request may have been counted.
        """
        body = _Body(envelope(question))
        outcome: queue.SimpleQueue[tuple[int, str, bytes] | Exception] = queue.SimpleQueue()
        # A thread of its own, because no library limits the time that the resolution of a name or an answer drop by drop takes.
        threading.Thread(target=self._exchange, args=(body, outcome), daemon=True).start()
        try:
            came = outcome.get(timeout=self._settings.timeout)
        except queue.Empty:
            raise too_late(self._settings, question, body.give_up()) from None
        if isinstance(came, (OSError, HTTPException, ValueError)):
            raise diagnose(came, self._settings, question, body.sent) from came
        if isinstance(came, Exception):
            raise came
        return self._read(*came, question)

    def _read(self, status: int, location: str, content: bytes, question: Question) -> BatchAnswer:
        if 300 <= status < 400:
            raise redirected(status, location, self._settings)
        if status != 200:
            raise http_status(status, fault_text(content), self._settings, question)
        try:
            answer = parse(content, question)
        except UnreadableAnswer as unreadable:
            raise lost(unreadable.message, self._settings, question) from None
        if answer.error and answer.remaining is None:
            raise refused(answer.error)
        return answer

    def _exchange(self, body: _Body, outcome: queue.SimpleQueue[tuple[int, str, bytes] | Exception]) -> None:
        settings = self._settings
        try:
            try:
                answer = open_url(
                    settings.url,
                    data=body,
                    headers={**HEADERS, "Content-Length": str(len(body))},
                    method="POST",
                    timeout=settings.timeout,
                    http_agent=_AGENT,
                    # A request that may count is sent where it was meant to go, or nowhere.
                    follow_redirects="none",
                    ca_path=settings.ca_path or None,
                    use_netrc=False,
                )
            except HTTPError as error:
                answer = error
            with answer:
                location = answer.headers.get("Location", "")
                outcome.put((t.cast("int", answer.status), location, answer.read(_LARGEST_ANSWER)))
        except Exception as failure:
            outcome.put(failure)


@contextmanager
def open_service(settings: MicrosoftSettings) -> Iterator[Service]:
    """Microsoft's service for as long as a task asks it.

    Raises:
        ActivationError: ca_path cannot be read.
    """
    if settings.ca_path:
        try:
            check_file(settings.ca_path, LARGEST_CERTIFICATES)
            ssl.create_default_context(cafile=settings.ca_path)
        except (OSError, ValueError) as error:
            why = "it holds no certificate in PEM"
            # An SSLError is an OSError as well, but what it says is not for people.
            if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
                why = error.strerror or why
            raise ActivationError(f"O(ca_path) is '{settings.ca_path}', which cannot be read: {why}.", source="options") from None
    if settings.proxy is None:
        yield Service(replace(settings, proxy=_named_by_environment(settings.url)))
        return
    with _in_environment(settings.proxy):
        yield Service(settings)


def _named_by_environment(url: str) -> Proxy | None:
    """The proxy that urllib takes by itself."""
    named = urllib.request.getproxies().get("https", "")
    if not named or urllib.request.proxy_bypass(urlsplit(url).netloc):
        return None
    return proxy_of_environment(named)


@contextmanager
def _in_environment(proxy: Proxy) -> Iterator[None]:
    """The proxy where urllib looks for one. A task is a process of its own, and what it puts there is not shown as its environment."""
    kept = {name: os.environ.get(name) for name in ("https_proxy", "no_proxy")}
    # Whoever names a proxy means it for Microsoft as well, whatever the environment excepts.
    os.environ.update(https_proxy=proxy.url, no_proxy="")
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class _Body:
    """The body of a request, which knows whether any of it was sent.

    C(http.client) reads it only when the connection, by proxy and with TLS, has come about.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._lock = threading.Lock()
        self._given_up = False
        self.sent = False

    def __len__(self) -> int:
        return len(self._content)

    def read(self, size: int = -1) -> bytes:
        """Some or all of what is left."""
        with self._lock:
            if self._given_up:
                raise TimeoutError
            self.sent = True
            size = len(self._content) if size < 0 else size
            part, self._content = self._content[:size], self._content[size:]
            return part

    def give_up(self) -> bool:
        """Let nothing out any more; returns whether anything was."""
        with self._lock:
            self._given_up = True
            return self.sent
