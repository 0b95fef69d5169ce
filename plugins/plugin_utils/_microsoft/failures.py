# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong on the way to Microsoft and back, told apart by what it means for the next attempt.

Pure: exceptions are told apart by their types and the texts that OpenSSL and urllib gave them.
"""

from __future__ import annotations

import enum
import re

from .._core.codes.code import Code, http
from .._core.errors import ActivationError
from .._core.text import visible
from .._licensing import batch_errors
from .._licensing.batch_errors import ErrorKind
from .batch_request import Question, RequestType
from .settings import MicrosoftSettings

_TUNNEL = re.compile(r"tunnel connection failed: (\d+) ?(.*)", re.IGNORECASE)
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL")
"""What OpenSSL calls an answer without TLS; the name depends on its version and on the first bytes."""
_WRONG_CREDENTIALS = 407
_GATEWAY_LOST_IT = (502, 504)
"""What is between us and the service passed the request on, and got no answer that it could use (RFC 9110, 15.6)."""
_BUSY = (408, 429)
_LONGEST_ADDRESS = 200


class Fate(enum.Enum):
    """What became of a request that gave no answer to use."""

    NOT_SENT = "not sent"
    """It never left, so that it can be repeated."""
    REFUSED = "refused"
    """The service answered, and did nothing."""
    LOST = "lost"
    """It was sent, and the outcome is unknown: it may have been counted."""


class RequestFailed(ActivationError):
    """A request gave no answer to use.

    Attributes:
        fate: What became of it.
        again: Whether the same request may do better in a while.
    """

    def __init__(self, message: str, fate: Fate, *, again: bool, code: Code | None = None, name: str = "") -> None:
        super().__init__(message, code=code, name=name, source="microsoft")
        self.fate = fate
        self.again = again


def refused(code: int) -> RequestFailed:
    """The service's own error code."""
    known = batch_errors.describe(code)
    return RequestFailed(
        f"Microsoft answers {batch_errors.sentence(code)}",
        Fate.REFUSED,
        again=known is not None and known.kind == ErrorKind.SERVICE,
        code=batch_errors.of_service(code),
        name=batch_errors.name_of(code),
    )


def http_status(status: int, said: str, settings: MicrosoftSettings, question: Question) -> RequestFailed:
    """An HTTP status that is no answer.

    Args:
        status: The number.
        said: What the SOAP fault with it says; empty where there is none.
        settings: For the message.
        question: What was asked.
    """
    words = f"HTTP {status}{f' ({said})' if said else ''}"
    code = http(status)
    if status in _GATEWAY_LOST_IT:
        return lost(f"the gateway on the way says {words}", settings, question, code=code)
    if status >= 500 or status in _BUSY:
        why = "is busy" if status in _BUSY else "is out of order"
        return RequestFailed(
            f"{settings.place} answers {words}, which it does while the service {why}; try again later.",
            Fate.REFUSED,
            again=True,
            code=code,
        )
    return RequestFailed(
        f"{settings.place} answers {words}, which is no answer of the BatchActivation service; check O(microsoft_url) and what is on the way.",
        Fate.REFUSED,
        again=False,
        code=code,
    )


def redirected(status: int, location: str, settings: MicrosoftSettings) -> RequestFailed:
    """The service, or who is in its place, names another address, where nothing is sent."""
    target = f"to {visible(location, _LONGEST_ADDRESS)}" if location else "that names no address"
    return RequestFailed(
        f"{settings.place} answers HTTP {status}, a redirect {target}, where nothing is sent; check O(microsoft_url) and what is on the way.",
        Fate.REFUSED,
        again=False,
        code=http(status),
    )


def lost(why: str, settings: MicrosoftSettings, question: Question, code: Code | None = None) -> RequestFailed:
    """The request was sent, and no answer to it can be read."""
    remedy = "try again later"
    if question.kind == RequestType.CONFIRMATION_ID:
        remedy = "Microsoft may have counted it, so that only ask_again: true asks for this confirmation ID again"
    return RequestFailed(f"{settings.place} was asked, but its answer was lost: {why}; {remedy}.", Fate.LOST, again=True, code=code)


def too_late(settings: MicrosoftSettings, question: Question, sent: bool) -> RequestFailed:
    """The time for the whole request is over."""
    if sent:
        return lost(f"it did not come within {settings.timeout:g} seconds", settings, question)
    return _no_connection(f"none within {settings.timeout:g} seconds", settings)


def diagnose(failure: BaseException, settings: MicrosoftSettings, question: Question, sent: bool) -> RequestFailed:
    """What a library raised.

    Args:
        failure: Of C(urllib), C(http.client), C(ssl) or C(socket).
        settings: For the message.
        question: What was asked.
        sent: Whether a part of the request's body had been handed to the connection.
    """
    reason = getattr(failure, "reason", None)
    cause = reason if isinstance(reason, BaseException) else failure
    # The time of the socket ends at nearly the same moment as that of the whole request; the system's own has a number.
    if isinstance(cause, TimeoutError) and cause.errno is None:
        return too_late(settings, question, sent)
    if sent:
        return lost(_words(cause), settings, question)
    kind = type(cause).__name__
    if kind == "SSLCertVerificationError":
        why = str(getattr(cause, "verify_message", "") or _words(cause)).rstrip(".")
        return RequestFailed(
            f"{settings.place} shows a certificate that is not accepted ({why}); O(ca_path) names a file with the authority that issued it,"
            " such as that of a proxy that looks into TLS.",
            Fate.NOT_SENT,
            again=False,
        )
    if kind.startswith("SSL") and any(name in str(cause).upper() for name in _NO_TLS):
        return RequestFailed(f"What listens at {settings.place} does not speak TLS; check O(microsoft_url).", Fate.NOT_SENT, again=False)
    if tunnel := _TUNNEL.search(str(cause)):
        return _of_proxy(int(tunnel[1]), tunnel[2], settings)
    if kind == "gaierror":
        name = settings.proxy.address if settings.proxy else settings.place
        return RequestFailed(
            f"The name of {name} could not be resolved; check the DNS of the control node{_or_proxy(settings)}.", Fate.NOT_SENT, again=True
        )
    return _no_connection(_words(cause), settings)


def _of_proxy(status: int, words: str, settings: MicrosoftSettings) -> RequestFailed:
    proxy = settings.proxy
    remedy = f"ask those who run it for a way to {settings.place}"
    if proxy and status == _WRONG_CREDENTIALS:
        remedy = f"check {proxy.account}, which it is given by the method Basic"
    return RequestFailed(
        f"The proxy {proxy.address if proxy else ''} answers {f'{status} {words}'.strip()}; {remedy}.",
        Fate.NOT_SENT,
        again=status >= 500,
        code=http(status),
    )


def _no_connection(why: str, settings: MicrosoftSettings) -> RequestFailed:
    if proxy := settings.proxy:
        text = f"There is no connection to {settings.place} by the proxy {proxy.address} ({why}); check {proxy.named_by} and the way there."
    else:
        text = f"There is no connection to {settings.place} ({why}); check the way there{_or_proxy(settings)}."
    return RequestFailed(text, Fate.NOT_SENT, again=True)


def _or_proxy(settings: MicrosoftSettings) -> str:
    return "" if settings.proxy else ", or name a proxy by O(http_proxy)"


def _words(cause: BaseException) -> str:
    """What an exception says, without numbers of system errors."""
    # Of http.client this is a RemoteDisconnected, or an IncompleteRead.
    if isinstance(cause, (ConnectionResetError, BrokenPipeError)) or type(cause).__name__ == "IncompleteRead":
        return "the connection ended too early"
    text = (cause.strerror if isinstance(cause, OSError) else None) or str(cause) or type(cause).__name__
    return " ".join(str(text).split()).rstrip(".")
