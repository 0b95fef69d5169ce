# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One TCP connection to one host: HTTP, authentication of the connection, encrypted or plain messages."""

from __future__ import annotations

import socket
import time
from dataclasses import replace

from . import encryption
from .authentication import ConnectionAuthentication, Methods, Refused
from .backend import Backend
from .http import BadRequest, HttpRequest, HttpResponse, read_request
from .request_log import Entry, RequestLog
from .service import DropConnection, Reply, Service
from .tampering import STATUSES, Tampering

SOAP_TYPE = "application/soap+xml;charset=UTF-8"
# What multipart headers, signature and padding may add to a message of the largest size.
ENCRYPTION_OVERHEAD = 1024


class Connection:
    """Serves one accepted socket until it ends, is idle for ``idle_seconds``, or has to be closed."""

    def __init__(
        self,
        accepted: socket.socket,
        number: int,
        backend: Backend,
        address: str,
        service: Service,
        log: RequestLog,
        methods: Methods,
        is_tls: bool,
        principal: str,
        idle_seconds: float,
    ) -> None:
        self._socket = accepted
        self._backend = backend
        self._address = address
        self._service = service
        self._log = log
        self._is_tls = is_tls
        self._idle_seconds = idle_seconds
        self._authentication = ConnectionAuthentication(methods, principal)
        self._tampering: Tampering | None = None
        self._pending = Entry(host=backend.hostname, address=address, connection=number)

    @property
    def _basic_allowed(self) -> bool:
        return self._is_tls or self._backend.allows_unencrypted

    def serve(self) -> None:
        """Answer requests; errors of the network end the connection."""
        self._socket.settimeout(self._idle_seconds)
        limit = self._service.limits(self._backend).max_envelope + ENCRYPTION_OVERHEAD
        with self._socket.makefile("rb") as reader, self._socket.makefile("wb") as writer:
            while True:
                try:
                    request = read_request(reader, writer, limit)
                except BadRequest as error:
                    self._socket.sendall(HttpResponse(error.status).render(close=True))
                    return
                if request is None:
                    return
                entry = self._new_entry(request)
                started = time.monotonic()
                try:
                    response, close = self._answer(request, entry)
                except DropConnection:
                    self._finish(entry, HttpResponse(0), 0, started)
                    return
                close = close or not request.keeps_open
                data = response.render(close)
                # Logged before it is sent, so that who has the answer also finds the line.
                self._finish(entry, response, len(data), started)
                tampering, self._tampering = self._tampering, None
                if tampering is None:
                    self._socket.sendall(data)
                else:
                    close = tampering.send(self._socket, response) or close
                if close:
                    return

    def _new_entry(self, request: HttpRequest) -> Entry:
        fresh = Entry(host=self._pending.host, address=self._address, connection=self._pending.connection, bytes_in=request.size)
        return replace(
            fresh,
            auth_exchanges=self._pending.auth_exchanges,
            auth_bytes_in=self._pending.auth_bytes_in,
            auth_bytes_out=self._pending.auth_bytes_out,
        )

    def _finish(self, entry: Entry, response: HttpResponse, size: int, started: float) -> None:
        """Write the line of a request; an exchange of the handshake only counts towards the next one."""
        if not entry.action:
            self._pending.auth_exchanges += 1
            self._pending.auth_bytes_in += entry.bytes_in
            self._pending.auth_bytes_out += size
            return
        self._pending.auth_exchanges = self._pending.auth_bytes_in = self._pending.auth_bytes_out = 0
        entry.user = self._authentication.user
        entry.authentication = self._authentication.scheme
        entry.status = response.status
        entry.bytes_out = size
        entry.duration = round(time.monotonic() - started, 4)
        self._log.write(entry)

    def _answer(self, request: HttpRequest, entry: Entry) -> tuple[HttpResponse, bool]:
        path = request.path.partition("?")[0].rstrip("/").lower()
        if path not in ("/wsman", "/wsman-anon/identify"):
            return HttpResponse(404), False
        if request.method != "POST":
            return HttpResponse(405, headers=[("Allow", "POST")]), False
        if path != "/wsman" or request.headers.get("wsmanidentify", "").lower() == "unauthenticated":
            entry.action = "Identify"
            return HttpResponse(200, self._service.identify(self._backend, False), SOAP_TYPE), False
        headers: list[tuple[str, str]] = []
        if "authorization" in request.headers:
            try:
                complete, challenge = self._authentication.step(request.headers["authorization"], self._basic_allowed)
            except Refused:
                entry.action = "Authenticate"
                return self._unauthorized(), False
            if challenge:
                headers.append(("WWW-Authenticate", challenge))
            if not complete:
                return HttpResponse(401, headers=headers), False
            if not self._backend.trusts(self._authentication.user):
                self._authentication.forget()
                entry.action = "Authenticate"
                return self._unauthorized(), False
        protocol = encryption.protocol_of(request.headers.get("content-type", ""))
        if protocol is not None:
            return self._answer_encrypted(request, protocol, headers, entry)
        if not self._authentication.user:
            return self._unauthorized(), False
        if not request.body:
            return HttpResponse(200, headers=headers), False
        if not self._is_tls and not self._backend.allows_unencrypted:
            entry.action = "Unencrypted"
            return HttpResponse(500, headers=headers), False
        reply = self._service.handle(self._backend, self._address, self._authentication.user, request.body, entry)
        return self._spoilt(reply) or HttpResponse(reply.status, reply.body, SOAP_TYPE, headers), False

    def _answer_encrypted(
        self, request: HttpRequest, protocol: str, headers: list[tuple[str, str]], entry: Entry
    ) -> tuple[HttpResponse, bool]:
        """An encrypted body that the connection's context cannot open is HTTP 400, as on a connection that has none."""
        try:
            if protocol not in encryption.PROTOCOLS:
                raise encryption.BadEncryption(protocol)
            message = self._authentication.unseal(request.body)
        except encryption.BadEncryption:
            entry.action = "Unreadable"
            return HttpResponse(400, headers=headers), True
        entry.encrypted = True
        reply = self._service.handle(self._backend, self._address, self._authentication.user, message, entry)
        if spoilt := self._spoilt(reply):
            return spoilt, False
        content_type, body = self._authentication.seal(protocol, reply.body)
        return HttpResponse(reply.status, body, content_type, headers), False

    def _spoilt(self, reply: Reply) -> HttpResponse | None:
        """The bare status that a rule asks for; None where the reply goes out, however the rule treats it on its way."""
        self._tampering = reply.tampering
        status = STATUSES.get(reply.tampering.kind) if reply.tampering else None
        if status == 401:
            self._authentication.forget()
            return self._unauthorized()
        return HttpResponse(status) if status else None

    def _unauthorized(self) -> HttpResponse:
        offers = self._authentication.offers(self._basic_allowed)
        return HttpResponse(401, headers=[("WWW-Authenticate", offer) for offer in offers])
