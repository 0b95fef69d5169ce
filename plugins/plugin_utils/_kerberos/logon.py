# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who logs on, and by what."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from .._core.errors import ActivationError

_LONGEST_NETBIOS_NAME = 15


@dataclass(frozen=True, slots=True)
class KerberosAccount:
    """Whose tickets, and where they come from. At most one of password, keytab and cache is given.

    Attributes:
        username: C(user@REALM), C(DOMAIN\\user), or empty for whoever the ticket cache belongs to.
        password: Empty to use a keytab or the tickets that are there.
        keytab: A keytab of the account.
        ccache: The ticket cache to use, such as C(FILE:/run/krb5cc_awx); empty for the process's own.
    """

    username: str = ""
    password: str = field(default="", repr=False)
    keytab: str = ""
    ccache: str = ""

    @classmethod
    def from_options(cls, options: Mapping[str, t.Any]) -> KerberosAccount:
        """The account in checked module options.

        Raises:
            ActivationError: They contradict one another.
        """
        account = cls(*(options.get(f"domain_{name}") or "" for name in ("username", "password", "keytab", "ccache")))
        ways = [name for name in ("password", "keytab", "ccache") if getattr(account, name)]
        if len(ways) > 1:
            raise ActivationError(f"domain_{ways[0]} and domain_{ways[1]} are both given; leave one of them out.", source="options")
        if ways and ways != ["ccache"] and not account.username:
            raise ActivationError(f"domain_{ways[0]} is given without O(domain_username).", source="options")
        if account.username and not _is_account(account.username):
            raise ActivationError(
                f"O(domain_username) is {account.username!r}, which names no account; write it as user@REALM or DOMAIN\\user.",
                source="options",
            )
        return account


@dataclass(frozen=True, slots=True)
class Logon:
    """An account that wants to be known to a server.

    Attributes:
        account: Whose tickets.
        realm: The realm of the server.
        kdc: Address of a KDC of that realm: every writable domain controller is one.
        skew: Seconds that this node's clock is ahead of the server's, as far as it is known.
        server_option: The module option that names the server, for messages.
        hosts: Names of servers that belong to the realm, whatever domain they are in (disjoint namespace).

    Raises:
        ActivationError: The account is written as C(DOMAIN\\user) of another domain than the server's, or of one that is not known to be
            the same. Its user name and password would be tried on whoever has that name in the server's domain, and lock them out.
    """

    account: KerberosAccount
    realm: str
    kdc: str
    skew: float = 0.0
    server_option: str = "domain_server"
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        domain, backslash, user = self.username.partition("\\")
        # What a domain is called when nobody chooses otherwise; its real NetBIOS name is in the directory, behind the logon.
        usual = self.realm.partition(".")[0][:_LONGEST_NETBIOS_NAME]
        if backslash and domain.upper().rstrip(".") not in (self.realm.upper(), usual.upper()):
            raise ActivationError(
                f"O(domain_username) is {self.username}, and nothing tells that {domain} is {self.realm}, the domain of the server in"
                f" O({self.server_option}). Nothing was sent, because {user} may be somebody else there. Write it as user@REALM, such as"
                f" {user}@{self.realm}.",
                source="options",
            )

    @property
    def username(self) -> str:
        """The account as the user wrote it."""
        return self.account.username

    @property
    def keytab(self) -> str:
        """The account's keytab."""
        return self.account.keytab

    @property
    def principal(self) -> str:
        """The Kerberos principal; a Windows realm is the domain's DNS name in capitals."""
        if "\\" in self.username:
            return self.username.split("\\", 1)[1] + f"@{self.realm}"
        user, at, realm = self.username.rpartition("@")
        return f"{user}@{realm.upper()}" if at else f"{self.username}@{self.realm}"

    @property
    def enterprise_name(self) -> str:
        """The account as its user principal name, asked of the server's realm; empty where it is written with no other realm than that."""
        _user, at, realm = self.username.rpartition("@")
        return f"{self.username}@{self.realm}" if at and realm.upper() != self.realm else ""


def _is_account(text: str) -> bool:
    """Whether a text is C(user), C(user@REALM) or C(DOMAIN\\user). Kerberos would make another account of one with further signs."""
    user, at, realm = text.partition("@")
    domain, backslash, name = text.partition("\\")
    parts = [domain, name] if backslash else [user, realm] if at else [user]
    return text.isprintable() and all(parts) and not any(sign in part for part in parts for sign in "\\@")
