# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A company's way out: an HTTP proxy that tunnels (CONNECT), for those who know its password (RFC 9110 9.3.6, RFC 7617)."""

from __future__ import annotations

import base64
import contextlib
import hmac
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_SECONDS = 10.0
_PIECE = 65536


class ProxyServer:
    """A proxy on a port. Without a user it lets everybody through.

    ``names`` maps host names to addresses, as the DNS behind the proxy does: the control node may know none of them.
    ``tunnels`` lists what it connected to, ``refused`` what it did not.
    """

    def __init__(
        self,
        user: str = "",
        password: str = "",
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        names: dict[str, tuple[str, int]] | None = None,
    ) -> None:
        self.tunnels: list[str] = []
        self.refused: list[str] = []
        self.names = dict(names or {})
        self._credentials = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode() if user else ""
        self._server = _Server((address, port), _Handler)
        self._server.proxy = self
        self._address = address

    @property
    def url(self) -> str:
        """For the option http_proxy."""
        return f"http://{self._address}:{self._server.server_address[1]}"

    def start(self) -> None:
        """Serve."""
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True, name="proxy").start()

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()

    def forget(self) -> None:
        """What was connected and refused so far."""
        self.tunnels.clear()
        self.refused.clear()

    def admits(self, shown: str) -> bool:
        """Whether these are the credentials (the value of Proxy-Authorization)."""
        return not self._credentials or hmac.compare_digest(shown.encode(), self._credentials.encode())


@contextmanager
def proxy_in_thread(
    user: str = "", password: str = "", *, address: str = "127.0.0.1", port: int = 0, names: dict[str, tuple[str, int]] | None = None
) -> Iterator[ProxyServer]:
    """A proxy on a free port meanwhile."""
    proxy = ProxyServer(user, password, address=address, port=port, names=names)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    proxy: ProxyServer


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = _SECONDS

    def do_CONNECT(self) -> None:
        """Tunnel to a host and port."""
        proxy = self.server.proxy
        if not proxy.admits(self.headers.get("Proxy-Authorization", "")):
            proxy.refused.append(self.path)
            self._refuse(407, ("Proxy-Authenticate", 'Basic realm="lab proxy"'))
            return
        host, _colon, port = self.path.rpartition(":")
        try:
            target = socket.create_connection(proxy.names.get(host) or (host.strip("[]"), int(port)), _SECONDS)
        except (OSError, ValueError):
            proxy.refused.append(self.path)
            self._refuse(502)
            return
        proxy.tunnels.append(self.path)
        self.close_connection = True
        with target:
            self.send_response_only(200, "Connection established")
            self.end_headers()
            self.wfile.flush()
            _tunnel(self.connection, target)

    def do_POST(self) -> None:
        """Nothing goes through in clear text."""
        self.server.proxy.refused.append(self.path)
        self.close_connection = True
        self._refuse(403)

    def do_GET(self) -> None:
        """As little."""
        self.do_POST()

    def _refuse(self, status: int, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: credentials are in the headers."""


def _tunnel(first: socket.socket, second: socket.socket) -> None:
    """Carry bytes either way until one side has ended."""
    ends = {first: second, second: first}
    with contextlib.suppress(OSError):
        while True:
            ready, _writable, _failed = select.select(list(ends), [], [], _SECONDS)
            if not ready:
                return
            for end in ready:
                piece = end.recv(_PIECE)
                if not piece:
                    return
                ends[end].sendall(piece)
