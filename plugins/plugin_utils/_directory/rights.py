# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access rights on directory objects: names for people, masks for ACEs.

Sources: MS-ADTS 5.1.3.2 (the bits and what AD makes of generic rights), MS-DTYP 2.4.3 (standard rights).
"""

from __future__ import annotations

from collections.abc import Iterable

WRITE_DAC = 0x00040000

SINGLE: dict[str, int] = {
    "create_child": 0x00000001,
    "delete_child": 0x00000002,
    "list_children": 0x00000004,
    "validated_write": 0x00000008,
    "read_property": 0x00000010,
    "write_property": 0x00000020,
    "delete_tree": 0x00000040,
    "list_object": 0x00000080,
    "control_access": 0x00000100,
    "delete": 0x00010000,
    "read_control": 0x00020000,
    "write_dac": 0x00040000,
    "write_owner": 0x00080000,
}
"""Rights of one bit."""

COMPOSITE: dict[str, int] = {
    "full_control": 0x000F01FF,
    "read": 0x00020094,
    "write": 0x00020028,
}
"""What the check boxes of the security tab stand for: AD's mapping of GENERIC_ALL, GENERIC_READ and GENERIC_WRITE."""

RIGHTS: dict[str, int] = {**COMPOSITE, **SINGLE}
"""Every name that the option C(rights) takes."""

_GENERIC: dict[int, int] = {
    0x10000000: 0x000F01FF,
    0x20000000: 0x00020004,
    0x40000000: 0x00020028,
    0x80000000: 0x00020094,
}


def mapped(mask: int) -> int:
    """The mask with generic rights replaced by what AD makes of them when it stores them."""
    for generic, specific in _GENERIC.items():
        if mask & generic:
            mask = mask & ~generic | specific
    return mask


def mask_of(names: Iterable[str]) -> int:
    """The mask of several named rights together."""
    mask = 0
    for name in names:
        mask |= RIGHTS[name]
    return mask


def granted_of(names: Iterable[str], mask: int) -> list[str]:
    """Those of the named rights that the mask covers whole, sorted."""
    return sorted({name for name in names if mask & RIGHTS[name] == RIGHTS[name]})


def names_of(mask: int) -> list[str]:
    """The fewest names that say what a mask grants, sorted; bits without a name as one hexadecimal number."""
    names: set[str] = set()
    left = mask = mapped(mask)
    for table in (COMPOSITE, SINGLE):
        for name, bits in table.items():
            if mask & bits == bits and left & bits:
                names.add(name)
                left &= ~bits
    return sorted(names) + ([f"0x{left:08x}"] if left else [])
