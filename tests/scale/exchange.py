# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP, the logon and message encryption of one connection. The laboratory has both; here they are on top of canned answers."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from lab.wsman import encryption
from lab.wsman.authentication import ConnectionAuthentication, Methods, Refused

USER, PASSWORD = "Administrator", "scale-Passw0rd"
SOAP = "application/soap+xml;charset=UTF-8"
_BASIC = b"basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).lower()
_FAULT = re.compile(rb"Body>\s*<\w+:Fault[\s>]")
_REASONS = {200: "", 400: "Bad Request", 401: "", 500: "Internal Server Error", 503: "Service Unavailable"}


@dataclass
class Counts:
    """What was seen. A message is a request beyond those of a logon; bytes are those of HTTP, within TLS where there is TLS."""

    connections: int = 0
    logons: int = 0
    rejected: int = 0
    requests: int = 0
    messages: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    hosts: set[int] = field(default_factory=set)
    logons_of: dict[int, int] = field(default_factory=dict)

    def log_on(self, number: int) -> None:
        """Count a connection that was answered."""
        self.logons += 1
        self.logons_of[number] = self.logons_of.get(number, 0) + 1

    def as_data(self) -> dict[str, object]:
        """The numbers, with the logons of a host as median and maximum of those that answered."""
        each = sorted(self.logons_of.values()) or [0]
        return {
            **vars(self),
            "bytes": self.bytes_in + self.bytes_out,
            "hosts": len(self.hosts),
            "logons_of": {"median": each[len(each) // 2], "max": each[-1]},
        }


class Exchange:
    """One connection of a client.

    Args:
        number: That of the host.
        respond: Its answer to a message; None for HTTP 500.
        counts: Where the connection is counted.
        negotiate: Whether NTLM and Kerberos are offered beside Basic.
        failing: Whether it answers HTTP 503 alone.
    """

    def __init__(self, number: int, respond: Callable[[bytes], bytes | None], counts: Counts, negotiate: bool, failing: bool) -> None:
        self._number = number
        self._respond = respond
        self._counts = counts
        self._authentication = ConnectionAuthentication(Methods()) if negotiate else None
        self._failing = failing
        self._logged_on = False

    def answer(self, head: bytes, body: bytes) -> bytes:
        """The whole answer to a request."""
        counts = self._counts
        counts.requests += 1
        answer = self._answer(head, body)
        if self._failing:
            self._count_logon()
        counts.bytes_in += len(head) + 4 + len(body)
        counts.bytes_out += len(answer)
        return answer

    def _answer(self, head: bytes, body: bytes) -> bytes:
        if self._failing:
            return _http(503)
        if _BASIC in head.lower():
            return self._reply(body)
        if self._authentication is None:
            self._counts.rejected += 1
            return _http(401, [("WWW-Authenticate", 'Basic realm="WSMAN"')])
        return self._negotiated(self._authentication, _headers(head), body)

    def _negotiated(self, authentication: ConnectionAuthentication, headers: dict[str, str], body: bytes) -> bytes:
        told: list[tuple[str, str]] = []
        try:
            complete, challenge = authentication.step(headers["authorization"], False) if "authorization" in headers else (True, "")
        except Refused:
            complete, challenge = False, ""
        if challenge:
            told = [("WWW-Authenticate", challenge)]
        if not complete or not authentication.user:
            self._counts.rejected += 1
            return _http(401, told or [("WWW-Authenticate", offer) for offer in authentication.offers(False)])
        protocol = encryption.protocol_of(headers.get("content-type", ""))
        if protocol:
            return self._reply(authentication.unseal(body), told, lambda message: authentication.seal(protocol, message))
        return self._reply(body, told) if body else _http(200, told)

    def _reply(
        self,
        message: bytes,
        told: list[tuple[str, str]] | None = None,
        seal: Callable[[bytes], tuple[str, bytes]] = lambda message: (SOAP, message),
    ) -> bytes:
        self._count_logon()
        self._counts.messages += 1
        found = self._respond(message)
        return _http(500, told) if found is None else _http(500 if _FAULT.search(found) else 200, told, *seal(found))

    def _count_logon(self) -> None:
        if not self._logged_on:
            self._counts.log_on(self._number)
        self._logged_on = True


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.strip().lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}


def _http(status: int, told: list[tuple[str, str]] | None = None, content_type: str = "", body: bytes = b"") -> bytes:
    headers = [*(told or ()), *([("Content-Type", content_type)] if content_type else ()), ("Content-Length", str(len(body)))]
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status} {_REASONS[status]}\r\n{lines}\r\n".encode("latin-1") + body
