# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps a session of requests to the host that the inventory names, and its answers within bounds and in the form of WinRM.

Every request of a session, those of the authentication among them, passes the C(send) of an adapter, and every answer its
C(build_response), before the libraries look at it. So what they would do by themselves is stopped there: follow a redirect,
log on to whoever asks for it as a proxy, unpack, or believe an answer in plain text to a message that was encrypted.
"""

from __future__ import annotations

import re
import typing as t
import weakref
from collections.abc import Callable, Iterator, Mapping

from .._core.text import visible
from .bounds import MAX_ANSWER

_PIECE = 16 * 1024
_LONGEST_CODING = 40

# What MS-WSMV 2.2.9.1 has. pypsrp takes the boundary into a regular expression as it stands.
_ENCRYPTED = re.compile(
    r'multipart/(?:x-multi-)?encrypted\s*;\s*protocol="application/HTTP-(?:SPNEGO|Kerberos|CredSSP)-session-encrypted"\s*;'
    r'\s*boundary="Encrypted Boundary"',
    re.IGNORECASE,
)


class AnswerRefused(Exception):
    """The answer was not read to its end; the text says why, as a clause."""


class SentElsewhere(Exception):
    """The answer is a redirect, which is not followed.

    Attributes:
        status: The HTTP status.
        location: The address that it offers, as it came; may be empty.
    """

    def __init__(self, status: int, location: str) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.location = location


class LogonWanted(Exception):
    """HTTP 407: a proxy, or who says that he is one, wants a logon. The account of the host is not for him."""


class ExchangeWatch:
    """What is known of the exchange under way.

    Args:
        on_answer: Called for each answer when its headers are there.

    Attributes:
        sent: A message has gone out, and no refusal to let the user in has come for it: the host may have carried it out.
        status: The HTTP status of the answer that came last; 0 before there is one.
        plain: That answer came in plain text, although the message was encrypted.
    """

    def __init__(self, on_answer: Callable[[], None] = lambda: None) -> None:
        self.on_answer = on_answer
        self.begin()

    def begin(self, sent: bool = False) -> None:
        """A new exchange; or a request in it, and whether it holds a message."""
        self.sent, self.plain, self.status = sent, False, 0


def guard(session: t.Any, watch: ExchangeWatch, proxies: Mapping[str, t.Any] | None) -> None:
    """Put a session under guard; one that is guarded already stays as it is.

    It stays guarded as long as it is there, also where a thread that nobody waits for still uses it. Nothing refers to itself by that,
    which would have to wait for the garbage collection.

    Args:
        session: A session of requests that has sent nothing yet.
        watch: Learns what becomes of its requests.
        proxies: The proxies of the session; C(None) leaves it those that it has. Those that only the environment names, and the
            accounts of a C(.netrc), are never taken.
    """
    if getattr(session.get_adapter("http://"), "guarded", False):
        return
    session.headers["Accept-Encoding"] = "identity"
    session.trust_env = False
    if proxies is not None:
        session.proxies = dict(proxies)
    for adapter in session.adapters.values():
        adapter.guarded = True
        adapter.send = _watched(weakref.WeakMethod(adapter.send), watch)
        adapter.build_response = _checked(weakref.WeakMethod(adapter.build_response), watch)


def bound(method: weakref.WeakMethod[t.Any]) -> Callable[..., t.Any]:
    """The method of an object that is there, because what was put in the place of the method is being called."""
    found = method()
    if found is None:
        raise ReferenceError("the object of a method that is guarded is gone")
    return t.cast(Callable[..., t.Any], found)


def _watched(send: weakref.WeakMethod[t.Any], watch: ExchangeWatch) -> Callable[..., t.Any]:
    """The C(send) of an adapter."""

    def watched(request: t.Any, *arguments: t.Any, **named: t.Any) -> t.Any:
        # What begins an authentication has no body.
        watch.begin(sent=bool(request.body))
        return bound(send)(request, *arguments, **named)

    return watched


def _checked(build: weakref.WeakMethod[t.Any], watch: ExchangeWatch) -> Callable[[t.Any, t.Any], t.Any]:
    """The C(build_response) of an adapter."""

    def checked(request: t.Any, raw: t.Any) -> t.Any:
        watch.on_answer()
        response = bound(build)(request, raw)
        watch.status = int(response.status_code)
        try:
            _check(request, response, watch)
        except Exception:
            response.close()
            raise
        # Without it pypsrp has the encoding guessed, which takes long and gives any.
        response.encoding = "utf-8"
        response.iter_content = _limited(response)
        return response

    return checked


def _check(request: t.Any, response: t.Any, watch: ExchangeWatch) -> None:
    """Refuse what no library may act on."""
    if 300 <= watch.status < 400:
        watch.sent = False
        raise SentElsewhere(watch.status, response.headers.get("Location", ""))
    if watch.status == 407:
        watch.sent = False
        raise LogonWanted
    if watch.status == 401:
        watch.sent = False
        return
    kind = response.headers.get("Content-Type", "").strip()
    if kind.lower().startswith("multipart/"):
        if not _ENCRYPTED.fullmatch(kind):
            raise AnswerRefused("the answer's encryption has not the form of WS-Management")
        if not _is_encrypted(request):
            raise AnswerRefused("the answer is encrypted, although the message was not")
    elif _is_encrypted(request) and response.headers.get("Content-Length", "").strip() != "0":
        # HTTP.sys has its own pages for errors, which say nothing of the message.
        watch.plain = True
        if watch.status < 400:
            raise AnswerRefused("the answer came in plain text, although the message was encrypted")


def _is_encrypted(request: t.Any) -> bool:
    kind = request.headers.get("Content-Type", "")
    return (kind.decode("latin-1") if isinstance(kind, bytes) else str(kind)).startswith("multipart/")


def _limited(response: t.Any) -> Callable[..., Iterator[t.Any]]:
    """The C(iter_content) of a response, for one that is too large or compressed.

    Compressed ones are refused because a few bytes can become any number; WinRM sends them only to who asks for it.
    """
    read = weakref.WeakMethod(response.iter_content)

    def limited(chunk_size: int | None = 1, decode_unicode: bool = False) -> Iterator[t.Any]:
        return _pieces(bound(read), chunk_size, decode_unicode)

    return limited


def _pieces(read: t.Any, chunk_size: int | None, decode_unicode: bool) -> Iterator[t.Any]:
    response = read.__self__
    coding = response.headers.get("Content-Encoding", "identity")
    if coding.lower() != "identity":
        response.close()
        raise AnswerRefused(f"the answer is compressed ({visible(coding, _LONGEST_CODING)}), which nobody asked for")
    total = 0
    for piece in read(min(chunk_size or _PIECE, _PIECE), decode_unicode):
        total += len(piece)
        if total > MAX_ANSWER:
            response.close()
            raise AnswerRefused(f"the answer is larger than {MAX_ANSWER} bytes, twice of what was asked for")
        yield piece
