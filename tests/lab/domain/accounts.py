# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts that something is wrong with, or that may do less than they would need."""

from __future__ import annotations

import ldap

from .. import names
from .controller import Domain
from .editor import Editor

PASSWORD = "Lab.Somebody.2026"
_NORMAL_ACCOUNT = 0x200
_READ_CONTROL = 0x20000
_WRITE_DAC = 0x40000


class Accounts:
    """Makes users in a running domain; all have :data:`PASSWORD`. Their names are sAMAccountNames. Raises ldap.LDAPError."""

    def __init__(self, domain: Domain, controller: str = names.DC_NAME) -> None:
        self._controller = domain.controller(controller)
        self._realm = domain.realm
        self._editor = Editor(domain, controller)

    def user(self, name: str) -> str:
        """A user like any other: reads the directory, its security descriptors too, and writes nothing. Returns its DN."""
        dn = f"CN={name},CN=Users,{self._realm.base_dn}"
        with self._controller.as_system() as connection:
            connection.add_s(
                dn,
                [
                    ("objectClass", [b"user"]),
                    ("sAMAccountName", [name.encode()]),
                    ("userPrincipalName", [self._realm.principal(name).encode()]),
                    ("userAccountControl", [str(_NORMAL_ACCOUNT).encode()]),
                    ("unicodePwd", [f'"{PASSWORD}"'.encode("utf-16-le")]),
                ],
            )
        return dn

    def with_expired_password(self, name: str) -> str:
        """A user who has to change the password first: pwdLastSet 0, for which the KDC says the same as for an old password."""
        dn = self.user(name)
        with self._controller.as_system() as connection:
            connection.modify_s(dn, [(ldap.MOD_REPLACE, "pwdLastSet", [b"0"])])
        return dn

    def who_may_not_read_the_dacl(self, name: str, of: str) -> str:
        """A user for whom the security descriptor of an object, by DN, does not exist; the rest of it is there."""
        dn = self.user(name)
        self._editor.deny(name, _READ_CONTROL | _WRITE_DAC, of)
        return dn
