# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication of a TCP connection: Negotiate (NTLM, SPNEGO, Kerberos) and CredSSP by the pyspnego acceptor, client certificates
and Basic.

WinRM authenticates the connection, not the request: after the handshake, requests carry no Authorization header and their bodies
are sealed with the context of the connection.
"""

from __future__ import annotations

import base64
import binascii
import functools
import os
import ssl
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import spnego
import spnego.exceptions
import spnego.tls

from . import encryption

CredentialCheck = Callable[[str, str], bool]

CERTIFICATE_SCHEME = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
"""What a client sends as Authorization to log on with the certificate of its TLS connection (DSP0226, security profiles)."""


@dataclass(frozen=True)
class Account:
    """An account that may log on: ``user`` as ``DOMAIN\\name``, ``name@REALM`` or ``name``."""

    user: str
    password: str


def write_ntlm_users(path: Path, accounts: Iterable[Account]) -> None:
    """Write the file by which the NTLM acceptor knows passwords (``NTLM_USER_FILE``).

    An account is known by the spelling given only: list ``DOMAIN\\name`` and ``name@REALM`` both.
    Raises ValueError for a password that the format cannot hold.
    """
    lines = []
    for account in accounts:
        domain, backslash, name = account.user.rpartition("\\")
        if ":" in account.password or ":" in account.user or "\n" in account.password:
            raise ValueError(f"the password file cannot hold the account {account.user}")
        lines.append(f"{domain if backslash else ''}:{name}:{account.password}\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text("".join(lines), encoding="utf-8")


def check_of(accounts: Iterable[Account]) -> CredentialCheck:
    """A check of user and password for Basic against a list of accounts; user names compare without case."""
    known = {account.user.lower(): account.password for account in accounts}
    return lambda user, password: known.get(user.lower()) == password


def prepare_acceptor(ntlm_user_file: Path | None = None, keytab: Path | None = None) -> None:
    """Point this process's acceptors to their secrets.

    They are found by environment variables and nothing else, so this holds for the whole process. The replay cache is switched
    off: it is a system file, and lab hosts share one address space of tickets.
    """
    if ntlm_user_file is not None:
        os.environ["NTLM_USER_FILE"] = str(ntlm_user_file)
    if keytab is not None:
        os.environ["KRB5_KTNAME"] = f"FILE:{keytab}"
        os.environ["KRB5RCACHENAME"] = "none:"


class Refused(Exception):
    """Wrong credentials, or a token that is none: HTTP 401, and the connection starts again."""


@dataclass(frozen=True)
class Methods:
    """How a user may log on.

    ``check`` is for Basic; None does not offer it. ``certificate_users`` maps the principal name of a certificate to the local
    account that WinRM's certificate mapping names. ``credssp`` offers CredSSP, which Windows does only where it was enabled.
    """

    check: CredentialCheck | None = None
    certificate_users: Mapping[str, str] = field(default_factory=dict)
    credssp: bool = False


@functools.cache
def _credssp_tls() -> spnego.tls.CredSSPTLSContext:
    """The TLS settings inside CredSSP, one for the process: its key takes a while to make. No TLS 1.3, like WinRM before 2022."""
    found = spnego.tls.default_tls_context("accept")
    certificate, key, found.public_key = spnego.tls.generate_tls_certificate()
    with tempfile.NamedTemporaryFile(suffix=".pem") as pem:
        pem.write(certificate + key)
        pem.flush()
        found.context.load_cert_chain(pem.name)
    found.context.maximum_version = ssl.TLSVersion.TLSv1_2
    return found


class ConnectionAuthentication:
    """The state of authentication of one TCP connection.

    ``principal`` is the name in the client's certificate, empty without one. ``user`` is the name authenticated, empty until
    then; ``scheme`` is ``ntlm``, ``kerberos``, ``credssp``, ``certificate`` or ``basic``.
    """

    def __init__(self, methods: Methods, principal: str = "") -> None:
        self._methods = methods
        self._principal = principal
        self._context: spnego.ContextProxy | None = None
        self.user = ""
        self.scheme = ""

    def offers(self, basic: bool) -> list[str]:
        """The WWW-Authenticate headers of a 401."""
        offered = ["Negotiate", "Kerberos"]
        if self._methods.credssp:
            offered.append("CredSSP")
        if basic and self._methods.check is not None:
            offered.append('Basic realm="WSMAN"')
        return offered

    def forget(self) -> None:
        """Start over, as if nobody had logged on."""
        self._forget()

    def _forget(self) -> None:
        self._context, self.user, self.scheme = None, "", ""

    def step(self, header: str, basic: bool) -> tuple[bool, str]:
        """Process an Authorization header.

        Returns whether authentication is complete, and the WWW-Authenticate value to send back (may be empty).
        Raises :class:`Refused`.
        """
        if header.strip().lower() == CERTIFICATE_SCHEME:
            self._forget()
            self._certificate()
            return True, ""
        scheme, _space, text = header.strip().partition(" ")
        try:
            token = base64.b64decode(text.strip(), validate=True)
        except binascii.Error as error:
            self._forget()
            raise Refused("no base64") from error
        if scheme.lower() == "basic":
            self._forget()
            self._basic(token, basic)
            return True, ""
        if scheme.lower() not in ("negotiate", "kerberos", "credssp" if self._methods.credssp else ""):
            self._forget()
            raise Refused(f"scheme {scheme} is not offered")
        return self._negotiate(scheme, token)

    def _certificate(self) -> None:
        account = self._methods.certificate_users.get(self._principal)
        if account is None:
            raise Refused("no account is mapped to the certificate")
        self.user, self.scheme = account, "certificate"

    def _basic(self, token: bytes, basic: bool) -> None:
        user, colon, password = token.decode("utf-8", "replace").partition(":")
        check = self._methods.check
        if not basic or check is None or not colon or not check(user, password):
            raise Refused("user or password is wrong")
        self.user, self.scheme = user, "basic"

    def _negotiate(self, scheme: str, token: bytes) -> tuple[bool, str]:
        try:
            if self._context is None or self.user:
                # A handshake on an authenticated connection starts over.
                self._forget()
                self._context = _acceptor(scheme.lower())
            answer = self._context.step(token)
            complete = self._context.complete
        except (spnego.exceptions.SpnegoError, ValueError, LookupError, StopIteration) as error:
            self._forget()
            raise Refused(str(error)) from error
        if complete:
            self.user = self._context.client_principal or ""
            # Inside CredSSP there is NTLM or Kerberos again.
            self.scheme = "credssp" if scheme.lower() == "credssp" else self._context.negotiated_protocol or ""
        return complete, f"{scheme} {base64.b64encode(answer).decode()}" if answer else ""

    def unseal(self, body: bytes) -> bytes:
        """The plain text of an encrypted body. Raises :class:`~.encryption.BadEncryption`."""
        if self._context is None or not self.user:
            raise encryption.BadEncryption("the connection is not authenticated")
        plain = b""
        for length, signature, sealed in encryption.split(body):
            try:
                part = self._context.unwrap_winrm(signature, sealed)
            except spnego.exceptions.SpnegoError as error:
                raise encryption.BadEncryption(str(error)) from error
            if len(part) != length:
                raise encryption.BadEncryption("the length of the plain text is wrong")
            plain += part
        return plain

    def seal(self, protocol: str, message: bytes) -> tuple[str, bytes]:
        """Content-Type and body of an encrypted answer."""
        if self._context is None:
            raise encryption.BadEncryption("the connection is not authenticated")
        sealed = []
        for part in encryption.portions(protocol, message):
            wrapped = self._context.wrap_winrm(part)
            sealed.append((len(part) + wrapped.padding_length, wrapped.header, wrapped.data))
        return encryption.join(protocol, sealed)


def _acceptor(scheme: str) -> spnego.ContextProxy:
    if scheme == "credssp":
        return spnego.server(protocol="credssp", credssp_tls_context=_credssp_tls())
    return spnego.server(protocol="kerberos" if scheme == "kerberos" else "negotiate")
