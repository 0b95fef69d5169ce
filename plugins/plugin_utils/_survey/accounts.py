# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose logons count together. A domain locks an account after a few bad logons, wherever they were made.

Pure.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

# With these the account is one of a domain, or may be: a computer passes on a name without domain that it does not know itself.
_WITHOUT_PASSWORD = frozenset({"certificate"})
_LOCAL_ONLY = frozenset({"basic"})


@dataclass(frozen=True, slots=True)
class SharedAccount:
    """An account that several hosts may count bad logons of.

    Attributes:
        name: As the inventory has it.
        identity: The same for the same account. For a name without domain, hosts that also have the password in common.
        credential: The same for the same password.
        strikes: How many rejected logons end all asking. Two for a name without domain over NTLM, where one host alone may have
            a local account of that name; a Negotiate logon may count twice by itself.
    """

    name: str
    identity: str
    credential: int
    strikes: int = 1


def account_of(host: str, user: str, password: str, method: str, local: Collection[str] = ()) -> SharedAccount | None:
    """The account; C(None) where a bad logon counts for this host alone, or where no password is used.

    Args:
        host: The host's name as the inventory has it.
        user: The account as its variables give it.
        password: Its password.
        method: The authentication, as C(ConnectionSettings) names it.
        local: Names, in lower case, of accounts that are each computer's own.
    """
    if not user or not password or method in _WITHOUT_PASSWORD:
        return None
    name = user.casefold()
    domain, backslash, bare = name.rpartition("\\")
    credential = hash(password)
    if backslash:
        its_own = domain in (".", host.casefold().partition(".")[0])
        return None if its_own or bare in local else SharedAccount(user, name, credential)
    if "@" in name:
        return SharedAccount(user, name, credential)
    if name in local or method in _LOCAL_ONLY:
        return None
    if method == "kerberos":
        return SharedAccount(user, name, credential)
    return SharedAccount(user, f"{name}\n{credential}", credential, strikes=2 if method == "ntlm" else 1)
