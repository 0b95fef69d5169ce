# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may log on to the hosts of a lab."""

from __future__ import annotations

from collections.abc import Iterable

from . import names
from .wsman import authentication


def accounts(realms: Iterable[names.Realm] = (names.CONTOSO,)) -> list[authentication.Account]:
    """Who may log on to the hosts, in every spelling that a client may send."""
    local = ((names.LOCAL_ADMIN, names.LOCAL_ADMIN_PASSWORD), (names.LOCAL_USER, names.LOCAL_USER_PASSWORD))
    found = [authentication.Account(*each) for each in local]
    for realm in realms:
        for user in (names.WINRM_USER, names.OPERATOR, names.ADMINISTRATOR):
            spellings = (f"{realm.netbios}\\{user}", realm.principal(user), f"{user}@{realm.domain}")
            found += [authentication.Account(spelling, realm.password(user)) for spelling in spellings]
    return found
