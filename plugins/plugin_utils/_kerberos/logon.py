# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who logs on, and by what."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from .._errors import ActivationError


@dataclass(frozen=True, slots=True)
class Account:
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
    def from_options(cls, options: Mapping[str, t.Any]) -> Account:
        """The account in checked module options.

        Raises:
            ActivationError: They contradict one another.
        """
        account = cls(*(options.get(f"domain_{name}") or "" for name in ("username", "password", "keytab", "ccache")))
        ways = [name for name in ("password", "keytab", "ccache") if getattr(account, name)]
        if len(ways) > 1:
            raise ActivationError(f"domain_{ways[0]} and domain_{ways[1]} are both given; leave one of them out.", source="options")
        if ways and ways != ["ccache"] and not account.username:
            raise ActivationError(f"domain_{ways[0]} is given without domain_username.", source="options")
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
    """

    account: Account
    realm: str
    kdc: str
    skew: float = 0.0
    server_option: str = "domain_server"

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
