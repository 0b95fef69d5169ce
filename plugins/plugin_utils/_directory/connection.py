# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The TCP connection to a domain controller, and TLS around it.

libldap gets a socket that is connected already: so the name is resolved by the servers that the task names, the connection
has its own time limit, and the name that Kerberos sees is the one that the task gave, whatever the node's resolver knows.

A controller that does not answer is a failure and never "unreachable": that would take the inventory host, which has no
part in this, out of the play.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import select
import socket
import ssl
import threading
from dataclasses import dataclass

from .._core.address import split_address
from .._core.codes.code import plain
from .._core.errors import ActivationError
from .._core.files import LARGEST_CERTIFICATES, check_file
from .settings import DirectorySettings
from .tls_bind import channel_binding

try:
    import dns.exception
    import dns.nameserver
    import dns.resolver
except ImportError as error:
    DNSPYTHON_ERROR: ImportError | None = error
else:
    DNSPYTHON_ERROR = None


_NAME_SERVER_TIMEOUT = 2.0


class Unanswered(ActivationError):
    """Nothing was asked of the controller, because it cannot be reached; another one may do."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A way to a domain controller.

    Attributes:
        socket: LDAP in the clear can be spoken over it.
        address: The controller's address.
        binding: Channel binding of the TLS around it; empty without TLS.
    """

    socket: socket.socket
    address: str
    binding: bytes = b""


def connect(settings: DirectorySettings) -> Connected:
    """Connect to the first address of the controller that answers.

    Raises:
        Unanswered: The name is not known, or nothing answers.
        ActivationError: TLS is not as asked for.
    """
    port = 636 if settings.tls_mode == "ldaps" else 389
    failures = []
    for address in _addresses(settings):
        try:
            raw = socket.create_connection((address, port), settings.timeout)
        except OSError as failure:
            reason = f"no answer within {settings.timeout:g} s" if isinstance(failure, TimeoutError) else failure.strerror or str(failure)
            failures.append(f"{address} port {port}: {reason}")
            continue
        if settings.tls_mode != "ldaps":
            raw.settimeout(None)
            return Connected(raw, address)
        tls = _with_tls(raw, settings)
        return Connected(_through_tls(tls), address, channel_binding(tls))
    raise Unanswered(
        f"The domain controller {settings.server} does not answer ({'; '.join(failures)}). "
        "Check that O(domain_server) is right, that it runs, and that no firewall is between.",
        source="ldap",
    )


def _addresses(settings: DirectorySettings) -> list[str]:
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(settings.server)
        raise ActivationError(
            f"O(domain_server) is the address {settings.server}, and Kerberos needs the controller's full name, such as dc1.contoso.com; "
            "O(dns_servers) can name a server that knows it.",
            source="options",
        )
    if settings.dns_servers:
        return _asked(settings)
    try:
        found = socket.getaddrinfo(settings.server, None, type=socket.SOCK_STREAM)
    except OSError as failure:
        raise Unanswered(
            f"The name {settings.server} of the domain controller is not known to this node's resolver ({failure.strerror}). "
            "Give the domain's DNS servers in O(dns_servers).",
            source="dns",
        ) from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _asked(settings: DirectorySettings) -> list[str]:
    """The addresses by the first DNS server of the task that answers; IPv6 is asked for only where there is no IPv4 address."""
    if DNSPYTHON_ERROR is not None:
        raise ActivationError(
            "O(dns_servers) needs the Python package dnspython on the control node: pip install 'dnspython>=2.7'.", source="dns"
        ) from DNSPYTHON_ERROR
    resolver = dns.resolver.Resolver(configure=False)
    resolver.lifetime = settings.timeout
    found = {text: _name_server(text) for text in settings.dns_servers}
    usable = {text: server for text, server in found.items() if server is not None}
    nameless = ", ".join(text for text in found if text not in usable)
    if not usable:
        raise ActivationError(f"The DNS server {nameless} has no address. Give its IP address in O(dns_servers).", source="dns")
    resolver.nameservers = list(usable.values())
    # A silent server must leave time for the next one.
    resolver.timeout = min(_NAME_SERVER_TIMEOUT, settings.timeout / len(usable))
    servers = ", ".join(usable)
    try:
        for kind in ("A", "AAAA"):
            with contextlib.suppress(dns.resolver.NoAnswer):
                return [str(record) for record in resolver.resolve(f"{settings.server}.", kind)]
    except dns.resolver.NXDOMAIN:
        sentence = f"The DNS server {servers} knows no {settings.server}. Check O(domain_server)."
    except dns.exception.Timeout:
        sentence = f"The DNS server {servers} did not answer within {settings.timeout:g} s. Check O(dns_servers) and that it runs."
    except dns.exception.DNSException as failure:
        reason = str(failure).rstrip(".")
        sentence = f"The DNS server {servers} did not resolve {settings.server}: {reason}. Check O(domain_server) and O(dns_servers)."
    else:
        sentence = f"The DNS server {servers} has no address for {settings.server}. Check O(domain_server)."
    if nameless:
        sentence += f" It could not be asked of {nameless}, which has no address."
    raise Unanswered(sentence, source="dns")


def _name_server(text: str) -> dns.nameserver.Nameserver | None:
    host, port = split_address(text, 53)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        return None
    return dns.nameserver.Do53Nameserver(str(found[0][4][0]), port)


def _with_tls(raw: socket.socket, settings: DirectorySettings) -> ssl.SSLSocket:
    try:
        context = ssl.create_default_context()
        if settings.ca_cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            is_directory = os.path.isdir(settings.ca_cert)
            if not is_directory:
                check_file(settings.ca_cert, LARGEST_CERTIFICATES)
            context.load_verify_locations(**{"capath" if is_directory else "cafile": settings.ca_cert})
        context.check_hostname = settings.cert_validation == "always"
        context.verify_mode = ssl.CERT_NONE if settings.cert_validation == "ignore" else ssl.CERT_REQUIRED
        return context.wrap_socket(raw, server_hostname=settings.server)
    except ssl.SSLCertVerificationError as failure:
        raw.close()
        raise ActivationError(
            f"The certificate of {settings.server} is not accepted: {failure.verify_message.rstrip('.')}. "
            "Give the issuing certificate in O(ca_cert), or the name in the certificate in O(domain_server).",
            code=plain(failure.verify_code),
            source="ldap",
        ) from None
    except OSError as failure:
        raw.close()
        reason = "no answer in time" if isinstance(failure, TimeoutError) else failure.strerror or str(failure)
        raise ActivationError(
            f"TLS with {settings.server} port 636 failed: {reason}. Check O(ca_cert) and that the controller has a certificate.",
            source="ldap",
        ) from None


def _through_tls(tls: ssl.SSLSocket) -> socket.socket:
    """A socket whose traffic a thread carries through TLS.

    libldap cannot start TLS on a socket that it did not connect itself, except by StartTLS.
    """
    ours, theirs = socket.socketpair()
    tls.settimeout(0)
    threading.Thread(target=_carry, args=(tls, theirs), name="ldaps", daemon=True).start()
    return ours


def _carry(tls: ssl.SSLSocket, local: socket.socket) -> None:
    """Carry bytes both ways until one side closes."""
    with tls, local, contextlib.suppress(OSError):
        while True:
            # Decrypted bytes that OpenSSL holds already do not make the socket readable.
            readable = [tls] if tls.pending() else select.select([tls, local], [], [])[0]
            if tls in readable:
                with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    data = tls.recv(65536)
                    if not data:
                        return
                    local.sendall(data)
            if local in readable:
                data = local.recv(65536)
                if not data:
                    return
                _send(tls, data)


def _send(tls: ssl.SSLSocket, data: bytes) -> None:
    while data:
        try:
            data = data[tls.send(data) :]
        except ssl.SSLWantWriteError:
            select.select([], [tls], [])
        except ssl.SSLWantReadError:
            select.select([tls], [], [])
