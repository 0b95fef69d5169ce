# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A WinRM endpoint that means harm: sound until a chosen request, and then whatever one of its modes makes of the answer.

Until then a simulated machine answers, with Basic or with NTLM and message encryption, so that a mode meets a client in the
midst of its work. Beside it listens somebody whom no inventory names, and counts who comes.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lab.windows.host import Host
from lab.wsman import encryption
from lab.wsman.authentication import Account, ConnectionAuthentication, Methods, Refused, check_of
from lab.wsman.http import BadRequest, HttpRequest, read_request
from lab.wsman.request_log import Entry
from lab.wsman.service import Reply, Service

ADDRESS = "127.0.0.1"
ACCOUNT = Account("CONTOSO\\svc", "Pa55-word!")
# Whom the machine lets do everything.
_ADMINISTRATOR = "svc-winrm"
SOAP_TYPE = "application/soap+xml;charset=UTF-8"
# No mode goes on for longer than this, and none sends more, whatever the client does.
MOST_SECONDS = 60
MOST_BYTES = 400 * 1024 * 1024
_LARGEST_REQUEST = 1024 * 1024


@dataclass
class Exchange:
    """One request to which a mode answers.

    ``message`` is the envelope, empty for a request of the handshake; ``sound`` what the machine would have said to it. ``over`` says
    that the connection ends with the answer, as it has to where that is not whole.
    """

    connection: socket.socket
    request: HttpRequest
    message: bytes
    sound: Reply
    elsewhere: int
    stop: threading.Event
    seal: Callable[[bytes], tuple[str, bytes]]
    began: float = field(default_factory=time.monotonic)
    sent: int = 0
    over: bool = True

    @property
    def message_id(self) -> str:
        """The MessageID of the request."""
        found = re.search(rb"<a:MessageID>([^<]*)", self.message)
        return found[1].decode() if found else ""

    @property
    def going(self) -> bool:
        """Whether anybody may still want more."""
        return not self.stop.is_set() and time.monotonic() - self.began < MOST_SECONDS and self.sent < MOST_BYTES

    def raw(self, data: bytes) -> None:
        """Bytes, as they are."""
        self.sent += len(data)
        self.connection.sendall(data)

    def head(self, *lines: str, status: str = "200 OK") -> None:
        """A head with these header lines."""
        self.over = "Content-Length: 0" not in lines
        self.raw("\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1"))

    def reply(self, body: bytes, *lines: str, status: str = "200 OK") -> None:
        """A message, sealed where the request was."""
        kind, sealed = self.seal(body)
        self.plain(sealed, *lines, status=status, kind=kind)

    def plain(self, body: bytes, *lines: str, status: str = "200 OK", kind: str = SOAP_TYPE) -> None:
        """A body as it is."""
        self.head(f"Content-Type: {kind}", f"Content-Length: {len(body)}", *lines, status=status)
        self.raw(body)
        self.over = False

    def reset(self) -> None:
        """End the connection by RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


Act = Callable[[Exchange], None]


@dataclass(frozen=True)
class Mode:
    """What is done to a client.

    * ``stage``: ``message`` for the answer to a message; ``handshake`` for each request until somebody is logged on, which with Basic
      is a message as well; ``connect`` before a byte is read.
    * ``harmless``: a client may take it, because nothing that matters is wrong with it; ``harmless_in_clear``: where nothing is
      encrypted it may.
    * ``holds``: it holds a client for as long as that has patience.
    """

    name: str
    act: Act
    stage: str = "message"
    harmless: bool = False
    harmless_in_clear: bool = False
    holds: bool = False

    def __str__(self) -> str:
        return self.name


class HostileEndpoint:
    """Serves one machine at one port, in one mode; use as a context manager."""

    def __init__(self, host: Host, mode: Mode, strikes: Callable[[Entry, int], bool]) -> None:
        """``strikes`` says of a message, and of the count of those before it, whether the mode answers it."""
        self.mode = mode
        self.entries: list[Entry] = []
        self.strangers: list[bytes] = []
        self.struck = 0
        self.port = self.elsewhere = 0
        self._host = host
        self._strikes = strikes
        self._service = Service()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._listeners: list[socket.socket] = []
        self._open: list[socket.socket] = []

    def __enter__(self) -> HostileEndpoint:
        self.elsewhere = self._listen(self._stranger)
        self.port = self._listen(self._serve)
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        for opened in [*self._listeners, *self._open]:
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()

    def _listen(self, serve: Callable[[socket.socket], None]) -> int:
        listener = socket.create_server((ADDRESS, 0))
        self._listeners.append(listener)

        def run(accepted: socket.socket) -> None:
            with contextlib.suppress(OSError, ValueError, BadRequest), accepted:
                serve(accepted)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while not self._stop.is_set():
                    accepted, _peer = listener.accept()
                    accepted.settimeout(MOST_SECONDS)
                    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._open.append(accepted)
                    threading.Thread(target=run, args=(accepted,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return int(listener.getsockname()[1])

    def _stranger(self, connection: socket.socket) -> None:
        """Whoever comes here was sent by the endpoint."""
        self.strangers.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def _serve(self, connection: socket.socket) -> None:
        methods = Methods(check_of([ACCOUNT]))
        logged_on = ConnectionAuthentication(methods)
        if self.mode.stage == "connect":
            self._act(Exchange(connection, HttpRequest("", "", {}, b"", 0), b"", Reply(200, b""), self.elsewhere, self._stop, _unsealed))
            return
        with connection.makefile("rb") as reader, connection.makefile("wb") as writer:
            while request := read_request(reader, writer, _LARGEST_REQUEST):
                if not self._answer(connection, request, logged_on):
                    _hang_up(connection)
                    return

    def _answer(self, connection: socket.socket, request: HttpRequest, logged_on: ConnectionAuthentication) -> bool:
        """Whether the connection goes on."""
        exchange = Exchange(connection, request, b"", Reply(200, b""), self.elsewhere, self._stop, _unsealed)
        if self.mode.stage == "handshake" and not logged_on.user:
            self._act(exchange)
            return not exchange.over
        headers: list[str] = []
        if "authorization" in request.headers:
            try:
                complete, challenge = logged_on.step(request.headers["authorization"], True)
            except Refused:
                complete, challenge = False, "Negotiate"
            headers += [f"WWW-Authenticate: {challenge}"] if challenge else []
            if not complete:
                exchange.head(*headers, "Content-Length: 0", status="401 Unauthorized")
                return True
        if not logged_on.user:
            exchange.head(
                "WWW-Authenticate: Negotiate", 'WWW-Authenticate: Basic realm="WSMAN"', "Content-Length: 0", status="401 Unauthorized"
            )
            return True
        protocol = encryption.protocol_of(request.headers.get("content-type", ""))
        exchange.message = logged_on.unseal(request.body) if protocol else request.body
        if not exchange.message:
            exchange.head(*headers, "Content-Length: 0")
            return True
        if protocol:
            exchange.seal = lambda body: logged_on.seal(protocol, body)
        return self._to_message(exchange, headers)

    def _to_message(self, exchange: Exchange, headers: list[str]) -> bool:
        entry = Entry(host=self._host.hostname)
        with self._lock:
            exchange.sound = self._service.handle(self._host, ADDRESS, _ADMINISTRATOR, exchange.message, entry)
            number = len(self.entries)
            self.entries.append(entry)
        if self.mode.stage == "message" and (self._strikes(entry, number) or self.struck):
            self._act(exchange)
            return not exchange.over
        exchange.reply(exchange.sound.body, *headers, status=f"{exchange.sound.status} OK")
        return True

    def _act(self, exchange: Exchange) -> None:
        self.struck += 1
        self.mode.act(exchange)


def _unsealed(body: bytes) -> tuple[str, bytes]:
    return SOAP_TYPE, body


def _hang_up(connection: socket.socket) -> None:
    """Closed with bytes unread, the kernel would reset, and the client not get to read what was sent."""
    if connection.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER):
        return
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(2)
    while connection.recv(65536):
        pass


def pieces(exchange: Exchange, piece: bytes) -> Iterator[bytes]:
    """The same piece again and again, within bounds."""
    while exchange.going:
        yield piece
