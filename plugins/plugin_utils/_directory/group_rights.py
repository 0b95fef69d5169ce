# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which right on a group or on its container an account lacks, as far as the controller tells (MS-ADTS 3.1.1.4.5)."""

from __future__ import annotations

from collections.abc import Collection

from .dn import parent_dn
from .session import DirectorySession

_NAMES = frozenset({"cn", "name"})


def to_create(session: DirectorySession, container: str) -> str | None:
    """What a new group in a container takes and the account does not have; empty where it has it, C(None) without the container."""
    found = session.read(container, ["allowedChildClassesEffective"])
    if found is None:
        return None
    return "" if "group" in found.texts("allowedChildClassesEffective") else creation(container)


def creation(container: str) -> str:
    """The right to create a group in a container."""
    return f"CREATE_CHILD (group) on {container}"


def to_write(session: DirectorySession, dn: str, attributes: Collection[str]) -> str:
    """What writing attributes of a group takes and the account does not have; empty where it has it."""
    needed = set(attributes) - _writable(session, dn)
    return f"WRITE_PROPERTY ({', '.join(sorted(needed))}) on {dn}" if needed else ""


def to_move(session: DirectorySession, dn: str, container: str) -> str:
    """The right that a refused move lacked. DELETE shows nowhere, and the name is not among what every controller shows."""
    if lacks := to_create(session, container):
        return lacks
    deletion = f"DELETE on {dn}, or DELETE_CHILD (group) on {parent_dn(dn)}"
    return deletion if _writable(session, dn) & _NAMES else f"WRITE_PROPERTY (name, cn) on {dn}, or otherwise {deletion}"


def _writable(session: DirectorySession, dn: str) -> set[str]:
    entry = session.read(dn, ["allowedAttributesEffective"])
    return set(entry.texts("allowedAttributesEffective")) if entry else set()
