# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that are not WinRM, or not as it should be, and the two carriers towards them by way of stand-in connection plugins."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from winrm.protocol import Protocol

from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.transport import open_session

ADDRESS = "127.0.0.1"
Talk = Callable[[socket.socket], None]


@contextlib.contextmanager
def listening(talk: Talk, tls: ssl.SSLContext | None = None, seen: list[bytes] | None = None) -> Iterator[int]:
    """A server that reads a request's head, keeps it in C(seen), and hands the connection to C(talk); gives its port."""
    with socket.create_server((ADDRESS, 0)) as listener:

        def serve(accepted: socket.socket) -> None:
            wrapped = tls.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False) if tls else accepted
            with contextlib.suppress(OSError, ValueError), wrapped as connection:
                if isinstance(connection, ssl.SSLSocket) and not shakes_hands(connection):
                    return
                head = connection.recv(65536)
                if seen is not None:
                    seen.append(head)
                talk(connection)
                # Closed with bytes unread, the kernel would reset, and the peer not get to read the answer.
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(1)
                while connection.recv(65536):
                    pass

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    accepted, _peer = listener.accept()
                    threading.Thread(target=serve, args=(accepted,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def shakes_hands(connection: ssl.SSLSocket) -> bool:
    """Whether TLS came about. Where not, the peer gets to read the alert: closed with bytes unread, the kernel would reset instead."""
    try:
        connection.do_handshake()
    except ssl.SSLError:
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
        return False
    return True


def saying(text: str) -> Talk:
    """A server that answers every request with these bytes, and then closes the connection."""
    status, headers, others = text.partition("\n")
    # Where it is not said, a client may send the next request before it sees the connection closed, and gets no answer.
    closing = f"{headers}Connection: close\n" if status.startswith("HTTP/1.1 ") else headers
    return lambda connection: connection.sendall(f"{status}{closing}{others}".replace("\n", "\r\n").encode())


def server_tls(folder: Path, name: str = ADDRESS, days: int = 1) -> ssl.SSLContext:
    """TLS with a self-signed certificate for that name, whose end is so many days from now; C(cert.pem) is it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    alternative = x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def psrp_plugin(port: int, **more: Any) -> SimpleNamespace:
    """What of the psrp connection plugin the carrier uses."""
    settings = {
        "server": ADDRESS,
        "port": port,
        "username": "user",
        "password": "secret",
        "ssl": False,
        "auth": "basic",
        "encryption": "never",
    }
    return SimpleNamespace(ansible_name="ansible.builtin.psrp", _build_kwargs=lambda: None, _psrp_conn_kwargs={**settings, **more})


def winrm_plugin(port: int, scheme: str = "http", host: str = ADDRESS, **more: Any) -> SimpleNamespace:
    """What of the winrm connection plugin the carrier uses."""
    settings = {"transport": "basic", "username": "user", "password": "secret", **more}
    return SimpleNamespace(
        ansible_name="ansible.builtin.winrm",
        _build_winrm_kwargs=lambda: None,
        shell_id=None,
        protocol=None,
        _winrm_connect=lambda: Protocol(f"{scheme}://{host}:{port}/wsman", **settings),
    )


def session(library: str, port: int, tls: Path | None = None) -> Session:
    """A session with the server by one of the libraries; over TLS it trusts that certificate."""
    if library == "psrp":
        return open_session(psrp_plugin(port, ssl=tls is not None, cert_validation=str(tls) if tls else True), "kms-1")
    scheme = "https" if tls else "http"
    return open_session(winrm_plugin(port, scheme, ca_trust_path=str(tls) if tls else "legacy_requests"), "kms-1")
