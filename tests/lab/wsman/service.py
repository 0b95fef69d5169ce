# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WS-Management service of a host: one SOAP message in, one out.

What each operation does is in :mod:`.operations`; here a message is read, limits are applied, the operation is run within its
time and every outcome becomes an answer and a line for the log.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from . import envelope, faults
from . import namespaces as ns
from .backend import Backend, WmiError
from .call import Call
from .enumeration import EnumerationTable
from .faults import Fault, Voice
from .operations import Operations
from .queries import Answer
from .request_log import Entry
from .tampering import Tampering
from .variants import build_number, is_before_windows8, variant
from .winrm_config import Limits
from .wmi_faults import access_denied, from_wmi_error

SEEN_FULL_DUPLEX = (10, 0, 14393)

Interceptor = Callable[[Entry], Tampering | None]


@dataclass(frozen=True)
class Reply:
    """What goes back: HTTP status and the envelope; ``tampering`` is what the connection does to them."""

    status: int
    body: bytes
    tampering: Tampering | None = None


class DropConnection(Exception):
    """Raised by an interceptor: close the TCP connection without an answer."""


class Service:
    """Answers messages for any host; keeps the enumeration contexts.

    ``max_timeout`` is the cap of OperationTimeout in seconds. ``intercept`` is called with the log entry (host, user, action,
    resource, query) of every request before it is run, and may sleep, raise :class:`~.backend.WmiError`,
    :class:`~.faults.Fault` or :class:`DropConnection`, or return what is to happen to the exchange.
    """

    def __init__(self, max_timeout: float = 60.0, intercept: Interceptor | None = None) -> None:
        self.max_timeout = max_timeout
        self.intercept = intercept
        self.enumerations = EnumerationTable()
        self._operations = Operations(self.enumerations)
        self._lock = threading.Lock()
        self._running: Counter[tuple[str, str]] = Counter()

    def is_idle(self) -> bool:
        """Whether no operation is under way, not even one whose client is gone."""
        with self._lock:
            return not any(self._running.values())

    def limits(self, backend: Backend) -> Limits:
        """The limits of a host's WinRM service."""
        return Limits.of(backend.os_version, self.max_timeout)

    def identify(self, backend: Backend, authenticated: bool) -> bytes:
        """The answer to Identify; only an authenticated client is told the version of Windows."""
        stack = "2.0" if is_before_windows8(backend.os_version) else "3.0"
        version = backend.os_version if authenticated else "0.0.0"
        return envelope.build_identify(backend.language, f"OS: {version} SP: 0.0 Stack: {stack}")

    def handle(self, backend: Backend, address: str, user: str, message: bytes, entry: Entry) -> Reply:
        """Answer one message; fills action, resource, query and fault of ``entry``. May raise :class:`DropConnection`."""
        tampered: list[Tampering] = []
        reply = self._reply(backend, address, user, message, entry, tampered)
        if not tampered:
            return reply
        entry.injected = tampered[0].kind
        return Reply(reply.status, tampered[0].spoil_message(reply.body), tampered[0])

    def _reply(self, backend: Backend, address: str, user: str, message: bytes, entry: Entry, tampered: list[Tampering]) -> Reply:
        voice = Voice(backend.hostname, backend.language, backend.seed)
        message_id = ""
        entry.user = user
        try:
            request = envelope.parse(message, backend.language)
            if request is None:
                entry.action = "Identify"
                return Reply(200, self.identify(backend, True))
            message_id = request.message_id
            call = Call(backend, address, voice, request, self.limits(backend), user)
            self._operations.describe(call, entry)
            return Reply(200, _dressed(voice, self._run(call, entry, tampered)))
        except envelope.BadEnvelope as error:
            entry.action = entry.action or "Invalid"
            fault = faults.simple(voice, _BAD_ENVELOPES[error.reason])
            message_id = error.message_id
        except Fault as error:
            fault = error
        entry.fault = fault.code
        return Reply(500, _dressed(voice, fault.render(voice, message_id)))

    def _run(self, call: Call, entry: Entry, tampered: list[Tampering]) -> bytes:
        request = call.request
        if request.max_envelope_size is not None and request.max_envelope_size < call.limits.min_envelope:
            raise faults.simple(call.voice, "encoding limit")
        if request.resource_uri.startswith(ns.URI_SHELLS):
            raise faults.simple(call.voice, "access denied")
        if not call.backend.is_administrator(call.user):
            raise access_denied(call.voice)
        with self._lock:
            if self._under_way(call) >= call.limits.max_operations_per_user:
                raise faults.simple(call.voice, "quota", maximum=call.limits.max_operations_per_user)
            self._running[call.owner] += 1
        answer = self._within_time(call, entry, tampered)
        # Seen of Windows 2016 (docs/facts/wire.md#full-duplex).
        echo = envelope.operation_headers(request.operation) if build_number(call.backend.os_version) >= SEEN_FULL_DUPLEX else ""
        return envelope.build(answer.action, answer.body, call.backend.language, request.message_id, echo)

    def _under_way(self, call: Call) -> int:
        """The operations of a user on a host: requests at work, and enumerations whose end the client has not asked for."""
        held = self.enumerations.count(*call.owner)
        if call.request.action in (ns.ACTION_PULL, ns.ACTION_RELEASE):
            # It goes on with an operation that is under way.
            held -= 1
        return held + self._running[call.owner]

    def _within_time(self, call: Call, entry: Entry, tampered: list[Tampering]) -> Answer:
        """Run the operation, but answer w:TimedOut when its time is over, while it goes on behind."""
        wanted = call.request.operation_timeout
        limit = self.max_timeout if wanted is None else wanted
        if call.request.action != ns.ACTION_PULL:
            limit = min(limit, self.max_timeout)
        outcome: queue.Queue[Answer | Exception] = queue.Queue()

        def work() -> None:
            try:
                tampering = self.intercept(entry) if self.intercept is not None else None
                if tampering is not None:
                    tampered.append(tampering)
                    if tampering.kind in _FAULTS:
                        outcome.put(faults.simple(call.voice, _FAULTS[tampering.kind], maximum=call.limits.max_operations_per_user))
                    if not tampering.done:
                        outcome.put(Answer("", ""))
                        return
                    if tampering.kind == "timed_out":
                        time.sleep(tampering.pace)
                outcome.put(self._operations.run(call))
            except Exception as error:  # whatever it is, it has to reach the waiting connection
                outcome.put(error)
            finally:
                with self._lock:
                    self._running[call.owner] -= 1

        threading.Thread(target=work, daemon=True, name=f"{call.backend.hostname} {entry.action}").start()
        try:
            result = outcome.get(timeout=limit)
        except queue.Empty:
            raise faults.simple(call.voice, "timeout") from None
        if isinstance(result, WmiError):
            raise from_wmi_error(result, call.voice, call.namespace, call.is_query) from result
        if isinstance(result, Exception):
            raise result
        return result


def _dressed(voice: Voice, message: bytes) -> bytes:
    """The message with the prefixes of this host."""
    return envelope.with_other_prefixes(message) if variant(voice.seed, "prefixes") == "other" else message


# The faults that a host answers with although the request was sound.
_FAULTS = {"timed_out": "timeout", "quota": "quota"}

_BAD_ENVELOPES = {
    "xml": "schema",
    "version": "version",
    "body": "schema",
    "headers": "headers",
    "must understand": "must understand",
    "locale": "feature",
    "resource uri": "resource uri",
}
