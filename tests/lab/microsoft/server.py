# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BatchActivation on a port, over TLS with an authority of the lab's own."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ..fault_rules import FaultRules
from ..windows import data, identifiers
from ..windows.microsoft import Microsoft
from ..wsman import certificates
from .faults import Rule
from .journal import Journal
from .request import PATH
from .service import HUGE, BatchService, Reply
from .variants import variant

HOST_NAME = "activation.sls.microsoft.com"
MAX_BODY = 1024 * 1024
CONNECTION_SECONDS = 60.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sample:
    """What a machine with a key shows, and the confirmation ID that it would take; made up, and taken by the service."""

    extended_pid: str
    installation_id: str
    confirmation_id: str


def sample(key_name: str, machine: str = "pc-001", *, build: str = "22631") -> Sample:
    """What a machine shows that holds a key of ``data/keys.yml``, with the build of its Windows (7601 and older: 54 digits)."""
    key = data.key_named(key_name)
    pid = identifiers.extended_pid(key.key, build, key.is_volume)
    installation = identifiers.installation_id(f"sample {machine}", key.key, int(build) > 7601)
    return Sample(pid, installation, identifiers.confirmation_id(installation, pid))


class BatchServer:
    """The service on a port. ``folder`` gets ``ca.pem`` and the server's certificate, unless they are there.

    Attributes:
        microsoft: Keys, their states and counts.
        faults: Rules by which requests fail.
        journal: What was asked.
    """

    def __init__(
        self,
        folder: Path,
        microsoft: Microsoft | None = None,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        seed: int = 1,
        log: Path | None = None,
    ) -> None:
        self.microsoft = microsoft or Microsoft()
        self.faults = FaultRules(Rule)
        self.journal = Journal(log)
        self.service = BatchService(self.microsoft, self.faults, self.journal, seed)
        self.address = address
        files = certificate_files(folder, address)
        self.ca_path = str(files.authority)
        self._port = port
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(files.certificate, files.key)
        self._server: _HttpsServer | None = None

    @property
    def port(self) -> int:
        """The port, once it is open."""
        return int(self._server.server_address[1]) if self._server else self._port

    @property
    def url(self) -> str:
        """What clients ask."""
        return f"https://{self.address}:{self.port}{PATH}"

    @staticmethod
    def sample(key_name: str, machine: str = "pc-001", *, build: str = "22631") -> Sample:
        """See :func:`sample`."""
        return sample(key_name, machine, build=build)

    def start(self) -> None:
        """Open the port. Raises OSError."""
        self._server = _HttpsServer((self.address, self._port), self.service, self._context)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True, name="microsoft").start()

    def stop(self) -> None:
        """Close it, and every connection."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def is_quiet(self) -> bool:
        """Whether no connection is open."""
        return self._server is None or not self._server.handlers

    def reset(self) -> None:
        """No faults, an empty journal; counts are Microsoft's own to reset."""
        self.faults.clear()
        self.journal.truncate()


def certificate_files(folder: Path, address: str) -> certificates.CertificateFiles:
    """The authority and the server's certificate in a folder, made unless they are there."""
    files = certificates.CertificateFiles.within(folder)
    if not files.key.exists():
        certificates.create(folder, [HOST_NAME, "localhost"], [address], "Lab Microsoft CA")
    return files


@contextmanager
def microsoft_in_thread(
    folder: Path, microsoft: Microsoft | None = None, *, seed: int = 1, address: str = "127.0.0.1", port: int = 0
) -> Iterator[BatchServer]:
    """The service on a free port meanwhile, with its log in ``folder/microsoft.jsonl``."""
    server = BatchServer(folder, microsoft, address=address, port=port, seed=seed, log=folder / "microsoft.jsonl")
    server.start()
    try:
        yield server
    finally:
        server.stop()


class _HttpsServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], service: BatchService, context: ssl.SSLContext) -> None:
        self.service = service
        self.handlers: set[int] = set()
        self._context = context
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, peer = super().get_request()
        connection.settimeout(CONNECTION_SECONDS)
        # The handshake is the business of the connection's own thread.
        return self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), peer

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        self.handlers.add(threading.get_ident())
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.handlers.discard(threading.get_ident())

    def verify_request(self, request: object, client_address: object) -> bool:
        return self.service.microsoft.reachable

    def handle_error(self, request: object, client_address: object) -> None:
        logger.debug("a connection of %s ended", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: _HttpsServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Microsoft-IIS/10.0", ""

    def setup(self) -> None:
        connection = self.request
        assert isinstance(connection, ssl.SSLSocket)
        connection.do_handshake()
        super().setup()

    def do_GET(self) -> None:
        """What the service does not do: only POST asks it something."""
        self._send(Reply(405, b"", "text/html"))

    def do_POST(self) -> None:
        """A request."""
        if self.path != PATH:
            self._send(Reply(404, b"", "text/html"))
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BODY:
            self.close_connection = True
            self._send(Reply(411 if not length else 413, b"", "text/html"))
            return
        body = self.rfile.read(int(length))
        # Who is killed while sending has asked for nothing.
        if len(body) < int(length) or not self.server.service.microsoft.reachable:
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._send(self.server.service.answer(headers, body, self.client_address[0]))

    def _send(self, reply: Reply) -> None:
        if reply.body is None:
            self.close_connection = True
            return
        seed, body = self.server.service.seed, reply.body
        content_type = reply.content_type
        if variant(seed, "content type") == "quoted":
            content_type = content_type.replace("=utf-8", '="utf-8"')
        framing = variant(seed, "framing")
        self.send_response(reply.status)
        self.send_header("Content-Type", content_type)
        if reply.location:
            self.send_header("Location", reply.location)
        if reply.huge or reply.half or framing == "length":
            self.send_header("Content-Length", str(HUGE if reply.huge else len(body)))
        elif framing == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        if reply.huge:
            self._send_huge(body)
        elif reply.half:
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        else:
            self.wfile.write(_chunks(body) if framing == "chunked" else body)

    def _send_huge(self, piece: bytes) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            for _number in range(HUGE // len(piece)):
                self.wfile.write(piece)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        logger.debug(format, *args)


def _chunks(body: bytes) -> bytes:
    """A body in two chunks, cut where nobody would."""
    middle = len(body) // 2 + 1
    pieces = [piece for piece in (body[:middle], body[middle:]) if piece]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
