# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication of a TCP connection: Negotiate (NTLM, SPNEGO, Kerberos) by the pyspnego acceptor, and Basic.

WinRM authenticates the connection, not the request: after the handshake, requests carry no Authorization header and their bodies
are sealed with the context of the connection.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import spnego
import spnego.exceptions

from . import encryption

CredentialCheck = Callable[[str, str], bool]


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


class ConnectionAuthentication:
    """The state of authentication of one TCP connection.

    ``user`` is the name authenticated, empty until then; ``scheme`` is ``ntlm``, ``kerberos`` or ``basic``.
    """

    def __init__(self, check: CredentialCheck | None) -> None:
        self._check = check
        self._context: spnego.ContextProxy | None = None
        self.user = ""
        self.scheme = ""

    @property
    def can_seal(self) -> bool:
        """Whether there is a context that seals messages."""
        return bool(self.user) and self._context is not None

    def offers(self, basic: bool) -> list[str]:
        """The WWW-Authenticate headers of a 401."""
        offered = ["Negotiate", "Kerberos"]
        if basic and self._check is not None:
            offered.append('Basic realm="WSMAN"')
        return offered

    def _forget(self) -> None:
        self._context, self.user, self.scheme = None, "", ""

    def step(self, header: str, basic: bool) -> tuple[bool, str]:
        """Process an Authorization header.

        Returns whether authentication is complete, and the WWW-Authenticate value to send back (may be empty).
        Raises :class:`Refused`.
        """
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
        if scheme.lower() not in ("negotiate", "kerberos"):
            self._forget()
            raise Refused(f"scheme {scheme} is not offered")
        return self._negotiate(scheme, token)

    def _basic(self, token: bytes, basic: bool) -> None:
        user, colon, password = token.decode("utf-8", "replace").partition(":")
        if not basic or self._check is None or not colon or not self._check(user, password):
            raise Refused("user or password is wrong")
        self.user, self.scheme = user, "basic"

    def _negotiate(self, scheme: str, token: bytes) -> tuple[bool, str]:
        try:
            if self._context is None or self.user:
                # A handshake on an authenticated connection starts over.
                self._forget()
                self._context = spnego.server(protocol="kerberos" if scheme.lower() == "kerberos" else "negotiate")
            answer = self._context.step(token)
            complete = self._context.complete
        except (spnego.exceptions.SpnegoError, ValueError, LookupError, StopIteration) as error:
            self._forget()
            raise Refused(str(error)) from error
        if complete:
            self.user = self._context.client_principal or ""
            self.scheme = self._context.negotiated_protocol or ""
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
        wrapped = self._context.wrap_winrm(message)
        return encryption.join(protocol, len(message) + wrapped.padding_length, wrapped.header, wrapped.data)
