# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listener of all lab hosts: one process, one socket per port, hosts told apart by the address connected to."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from .authentication import CredentialCheck, Methods
from .backend import Backend, Directory
from .certificates import principal_name
from .connection import Connection
from .request_log import RequestLog
from .service import Interceptor, Service

logger = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 10.0


@dataclass
class ServerOptions:
    """Where and how a server listens.

    ``bind`` may be all addresses, as only those in the directory are served. ``http_port`` and ``https_port``: None leaves that
    listener out; 0 takes a free port. ``tls`` is needed for the latter (:func:`lab.wsman.certificates.server_context`). ``check``
    is for Basic; None does not offer it; ``certificate_users`` and ``credssp``: see :class:`lab.wsman.authentication.Methods`.
    NTLM and Kerberos find their secrets by :func:`lab.wsman.authentication.prepare_acceptor`. ``idle_seconds``: a quiet connection
    is closed. ``max_timeout``: cap of OperationTimeout in seconds. ``intercept``: see :class:`~.service.Service`.
    """

    bind: str = "0.0.0.0"
    http_port: int | None = 5985
    https_port: int | None = None
    tls: ssl.SSLContext | None = None
    check: CredentialCheck | None = None
    certificate_users: Mapping[str, str] = field(default_factory=dict)
    credssp: bool = False
    idle_seconds: float = 120.0
    max_timeout: float = 60.0
    intercept: Interceptor | None = None


@dataclass
class _Open:
    accepted: socket.socket
    address: str
    thread: threading.Thread | None = field(default=None)


class WsmanServer:
    """Serves a :class:`~.backend.Directory` of hosts until stopped. Use as a context manager, or start() and stop()."""

    def __init__(self, directory: Directory, log: RequestLog, options: ServerOptions | None = None) -> None:
        self.directory = directory
        self.log = log
        self.options = options or ServerOptions()
        self.service = Service(self.options.max_timeout, self.options.intercept)
        self.http_port: int | None = None
        self.https_port: int | None = None
        self._listeners: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._open: dict[int, _Open] = {}
        self._count = 0
        self._stopping = False

    def start(self) -> None:
        """Bind and begin to accept; ``http_port`` and ``https_port`` then are the real ports. Raises OSError."""
        options = self.options
        self._stopping = False
        if options.https_port is not None and options.tls is None:
            raise ValueError("a listener for HTTPS needs a TLS context")
        try:
            if options.http_port is not None:
                self.http_port = self._listen(options.bind, options.http_port, None)
            if options.https_port is not None:
                self.https_port = self._listen(options.bind, options.https_port, options.tls)
        except OSError:
            self.stop()
            raise

    def refuse(self, addresses: Collection[str]) -> None:
        """Refuse connections to these addresses, as a host does whose WinRM service is stopped; with none to nobody.

        The kernel refuses only where nobody listens, so every other host then has listeners of its own. Connections that
        were not accepted yet are lost, so this is for quiet moments.
        """
        self._close_listeners()
        binds = [self.options.bind] if not addresses else [one for one in self.directory.hosts if one not in addresses]
        for bind in binds:
            if self.http_port is not None:
                self._listen(bind, self.http_port, None)
            if self.https_port is not None:
                self._listen(bind, self.https_port, self.options.tls)

    def _listen(self, bind: str, port: int, tls: ssl.SSLContext | None) -> int:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listeners.append(listener)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((bind, port))
        listener.listen(512)
        thread = threading.Thread(target=self._accept, args=(listener, tls), daemon=True, name=f"wsman accept {bind} {port}")
        self._threads.append(thread)
        thread.start()
        return int(listener.getsockname()[1])

    def _close_listeners(self) -> None:
        for listener in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for thread in self._threads:
            thread.join(5)
        self._listeners.clear()
        self._threads.clear()

    def _accept(self, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
        while not self._stopping:
            try:
                accepted, _peer = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError):
                self._admit(accepted, tls)

    def _admit(self, accepted: socket.socket, tls: ssl.SSLContext | None) -> None:
        address = accepted.getsockname()[0]
        backend = self.directory.find(address)
        if backend is None:
            accepted.close()
            return
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._count += 1
            number = self._count
            opened = self._open[number] = _Open(accepted, address)
        opened.thread = threading.Thread(
            target=self._serve, args=(number, opened, backend, tls), daemon=True, name=f"wsman {address} {number}"
        )
        opened.thread.start()

    def _serve(self, number: int, opened: _Open, backend: Backend, tls: ssl.SSLContext | None) -> None:
        options = self.options
        principal = ""
        try:
            if tls is not None:
                opened.accepted.settimeout(HANDSHAKE_SECONDS)
                secured = opened.accepted = tls.wrap_socket(opened.accepted, server_side=True)
                if shown := secured.getpeercert(binary_form=True):
                    principal = principal_name(shown)
            connection = Connection(
                opened.accepted,
                number,
                backend,
                opened.address,
                self.service,
                self.log,
                Methods(options.check, options.certificate_users, options.credssp),
                tls is not None,
                principal,
                options.idle_seconds,
            )
            connection.serve()
        except OSError as error:
            logger.debug("connection %d to %s ended: %s", number, opened.address, error)
        except Exception:
            # A defect of the lab: the client sees a broken connection, the lab's log says why.
            logger.exception("connection %d to %s failed", number, opened.address)
        finally:
            with contextlib.suppress(OSError):
                opened.accepted.close()
            with self._lock:
                self._open.pop(number, None)

    def disconnect(self, address: str | None = None) -> None:
        """Cut the connections and enumerations of one host, or of all; for a host that stops or restarts."""
        with self._lock:
            found = [item for item in self._open.values() if address in (None, item.address)]
        for item in found:
            with contextlib.suppress(OSError):
                item.accepted.shutdown(socket.SHUT_RDWR)
        self.service.enumerations.forget(address)

    def is_quiet(self) -> bool:
        """Whether no connection is open and no operation is under way."""
        return not self._open and self.service.is_idle()

    def stop(self) -> None:
        """Stop listening and cut all connections; the port is free when this returns."""
        self._stopping = True
        self._close_listeners()
        self.disconnect()

    def __enter__(self) -> WsmanServer:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
