# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of groups: security or distribution, and their scope (C(groupType), MS-ADTS 2.2.12)."""

from __future__ import annotations

import struct

from .._core.errors import ActivationError
from .principals import Principal

_SECURITY = 0x80000000
_SCOPES = {"global": 0x2, "domain_local": 0x4, "universal": 0x8}


def group_type(scope: str) -> bytes:
    """The attribute's value for a security group."""
    return str(struct.unpack("<i", struct.pack("<I", _SECURITY | _SCOPES[scope]))[0]).encode()


def demand(found: Principal, scope: str) -> None:
    """Fail where an object is no security group of this scope.

    Raises:
        ActivationError: It is not.
    """
    kind = (found.entry.number("groupType") or 0) & 0xFFFFFFFF
    if not kind:
        what = f"is a {(found.entry.texts('objectClass') or ['?'])[-1]}"
    elif not kind & _SECURITY:
        what = "is a distribution group, which grants no rights"
    elif not kind & _SCOPES[scope]:
        other = next((name for name, bit in _SCOPES.items() if kind & bit), "unknown").replace("_", " ")
        what = f"has the scope {other}, and the scope of a group is not changed here"
    else:
        return
    raise ActivationError(f"{found.account} ({found.dn}) exists and {what}. Choose another name or scope.", source="ldap")
