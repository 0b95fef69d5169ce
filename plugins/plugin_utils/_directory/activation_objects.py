# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects by which Active Directory activates computers, one container for the whole forest.

Class and attributes: MS-ADSC (msSPP-ActivationObject), MS-ADA2; where they lie: slmgr.vbs, /ao-list.
"""

from __future__ import annotations

import typing as t
import uuid

from .._core.errors import ActivationError
from .._core.plan import Plan, Step
from .dn import parent_dn, rdn_value, same_dn
from .entry import DirectoryEntry
from .session import DirectorySession

_CONTAINER = "CN=Activation Objects,CN=Microsoft SPP,CN=Services"
_CLASS = "msSPP-ActivationObject"
_ATTRIBUTES = (
    "cn",
    "displayName",
    "objectClass",
    "msSPP-CSVLKSkuId",
    "msSPP-CSVLKPid",
    "msSPP-CSVLKPartialProductKey",
)
_RIGHT = "the right to delete it (DELETE on it, or DELETE_CHILD on CN=Activation Objects), which enterprise administrators have"


class ActivationObjects:
    """The activation objects of the forest that a domain controller belongs to.

    Args:
        session: The controller.
    """

    def __init__(self, session: DirectorySession) -> None:
        self._session = session
        self._container = f"{_CONTAINER},{session.root.configuration_dn}"

    def shown(self) -> list[dict[str, t.Any]]:
        """All of them; none where the forest has no container for them, which Windows makes with the first."""
        found = self._session.search(self._container, f"(objectClass={_CLASS})", _ATTRIBUTES, one_level=True)
        return sorted((_shown(entry) for entry in found), key=lambda entry: str(entry["dn"]))

    def plan_removal(self, name: str) -> Plan:
        """The step that removes an object.

        Args:
            name: Its distinguished name, its relative one, or the name alone.

        Returns:
            No step where there is no such object.

        Raises:
            ActivationError: What has that name is no activation object.
        """
        dn = self._dn_of(name)
        plan = Plan()
        entry = self._session.read(dn, _ATTRIBUTES)
        if entry is None:
            return plan
        if _CLASS.lower() not in [kind.lower() for kind in entry.texts("objectClass")] or not same_dn(parent_dn(entry.dn), self._container):
            raise ActivationError(f"{entry.dn} is no activation object, so it is left alone.", source="options")
        step = Step(entry.dn, "activation object", entry.text("displayName") or entry.text("cn"), None, "LDAP delete")
        plan.add(step, lambda: self._session.delete(entry.dn, _RIGHT))
        return plan

    def _dn_of(self, name: str) -> str:
        text = name.strip()
        if ",cn=" in text.lower():
            return text
        relative = text[3:] if text.lower().startswith("cn=") else rdn_value(text)
        return f"CN={relative},{self._container}"


def _shown(entry: DirectoryEntry) -> dict[str, t.Any]:
    sku = entry.first("msSPP-CSVLKSkuId")
    return {
        "name": entry.text("displayName") or entry.text("cn"),
        "dn": entry.dn,
        # As every GUID in the directory, with its first three parts in little-endian order (MS-DTYP 2.3.4.2).
        "csvlk_activation_id": str(uuid.UUID(bytes_le=sku)) if len(sku) == 16 else None,
        "csvlk_pid": entry.text("msSPP-CSVLKPid"),
        "partial_key": entry.text("msSPP-CSVLKPartialProductKey"),
    }
