# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The activation objects of a forest, as its members find them: class and place are those of
docs/facts/slmgr.md#activation-objects.
"""

from __future__ import annotations

import uuid

import ldap

from ..windows.ports import ActivationObject
from .controller import Domain

_CONTAINER = "CN=Activation Objects,CN=Microsoft SPP,CN=Services,CN=Configuration"
_ATTRIBUTES = ["displayName", "msSPP-CSVLKSkuId", "msSPP-CSVLKPid"]


def read(domain: Domain) -> list[ActivationObject]:
    """All of them; none where Windows has not made their container yet, or no controller answers."""
    controller = domain.controllers[0]
    base = f"{_CONTAINER},{domain.realm.base_dn}"
    try:
        with controller.as_system() as connection:
            found = connection.search_s(base, ldap.SCOPE_ONELEVEL, "(objectClass=msSPP-ActivationObject)", _ATTRIBUTES)
    except ldap.LDAPError:
        return []
    objects = [_object(dn, values) for dn, values in found if dn]
    return sorted(objects, key=lambda item: item.name)


def _object(dn: str, values: dict[str, list[bytes]]) -> ActivationObject:
    """Octets of a GUID have the order of MS-DTYP 2.3.4.2."""

    def text(name: str) -> str:
        return values.get(name, [b""])[0].decode()

    return ActivationObject(text("displayName"), dn, str(uuid.UUID(bytes_le=values["msSPP-CSVLKSkuId"][0])), text("msSPP-CSVLKPid"))
