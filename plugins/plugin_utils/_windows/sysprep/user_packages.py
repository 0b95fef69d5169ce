# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""App packages that a user has and that are not provisioned for all: since Windows 8 sysprep /generalize stops at them.

Windows keeps both in the registry: a key for each user (by its SID), Applications for what is provisioned, InboxApplications for what
belongs to Windows. Versions differ between the lists, so that packages are compared by name and publisher.
"""

from __future__ import annotations

from ..._wsman.session import Session
from ..platform import registry

_STORE = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Appx\\AppxAllUserStore"
_FOR_ALL = ("Applications", "InboxApplications")
# Accounts of people, and of Windows' own services not.
_USERS = ("S-1-5-21-", "S-1-12-1-")
# Libraries that come along with apps, and with which sysprep has no quarrel.
_LIBRARIES = (
    "microsoft.vclibs.",
    "microsoft.net.native.",
    "microsoft.ui.xaml.",
    "microsoft.windowsappruntime.",
    "microsoft.services.store.",
)


def blocking_packages(session: Session) -> list[str]:
    """The full names of packages that only single users have, in order."""
    stored = registry.subkeys(session, _STORE)
    if stored is None:
        return []
    for_all = {_family(name) for place in _FOR_ALL for name in registry.subkeys(session, f"{_STORE}\\{place}") or ()}
    found: set[str] = set()
    for user in stored:
        if user.upper().startswith(_USERS):
            found.update(registry.subkeys(session, f"{_STORE}\\{user}") or ())
    return sorted(name for name in found if _family(name) not in for_all and not name.lower().startswith(_LIBRARIES))


def _family(package: str) -> tuple[str, str]:
    """Name and publisher of C(Name_Version_Architecture_Resource_Publisher)."""
    parts = package.lower().split("_")
    return parts[0], parts[-1]
