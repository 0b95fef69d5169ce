# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grants in a DACL: what a principal has, and the least change that gives or takes rights.

Pure functions. Every ACE that is not of that principal keeps its bytes and its place relative to the others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from . import rights
from .security_descriptor import ALLOWED, ALLOWED_OBJECT, DENIED, DENIED_OBJECT, INHERIT_ONLY, INHERITED, Ace, Acl, AnyAce
from .sid import Sid

# Besides the two known forms the conditional ones, which stay opaque (MS-DTYP 2.4.4.1).
_DENYING = frozenset((DENIED, DENIED_OBJECT, 0x0A, 0x0C))


def granted(dacl: Acl, sid: Sid) -> int:
    """The rights that the principal has on the object itself by explicit ACEs of its own, generic rights mapped.

    Inherited ACEs do not count: they come and go with the parent. Nor do ACEs for one attribute only.
    """
    mask = 0
    for ace in dacl.aces:
        if isinstance(ace, Ace) and _grants_whole_object(ace, sid):
            mask |= rights.mapped(ace.mask)
    return mask


def partial_grants(dacl: Acl, sid: Sid) -> list[Ace]:
    """The principal's explicit allow ACEs that C(granted) does not count: for one attribute, or for children only."""
    return [
        ace
        for ace in dacl.aces
        if isinstance(ace, Ace) and _is_explicit_allow(ace) and ace.sid == sid and not _grants_whole_object(ace, sid)
    ]


def grant(dacl: Acl, sid: Sid, mask: int) -> Acl:
    """The DACL in which the principal has at least these rights; the same DACL where it has them already.

    An ACE of its own that applies to this object only is widened. Otherwise one is added, in its canonical place: behind
    the explicit ACEs that deny or allow, before those that allow for one attribute only and before the inherited ones.
    """
    missing = mask & ~granted(dacl, sid)
    if not missing:
        return dacl
    aces = list(dacl.aces)
    for number, ace in enumerate(aces):
        # Widening an ACE that children inherit would give them more, too; such a one is left alone.
        if isinstance(ace, Ace) and ace.type == ALLOWED and ace.flags == 0 and ace.sid == sid:
            aces[number] = replace(ace, mask=ace.mask | missing)
            return replace(dacl, aces=tuple(aces))
    aces.insert(_place_for_allow(aces), Ace(ALLOWED, 0, missing, sid))
    return replace(dacl, aces=tuple(aces))


def revoke(dacl: Acl, sid: Sid, mask: int) -> Acl:
    """The DACL in which the principal's explicit ACEs for the whole object grant none of these rights.

    What is shared with a right that shall stay (READ_CONTROL is part of read and of write) is the caller's concern, see
    C(revocable).
    """

    def narrowed(ace: Ace) -> Ace | None:
        left = rights.mapped(ace.mask) & ~mask
        if left == rights.mapped(ace.mask):
            return ace
        return replace(ace, mask=left) if left else None

    return _change_own(dacl, lambda ace: _grants_whole_object(ace, sid), narrowed)


def revocable(names: Collection[str], mask: int) -> int:
    """The bits to take so that the named rights are gone and no other right that is held whole loses a part.

    Args:
        names: Rights to take.
        mask: What is granted now.
    """
    asked = rights.mask_of(names)
    kept = 0
    for bits in rights.COMPOSITE.values():
        # One that a taken right is part of, or that is part of a taken right, goes with it.
        goes = any(taken & bits in (taken, bits) for taken in map(rights.RIGHTS.__getitem__, names))
        if mask & bits == bits and not goes:
            kept |= bits
    return asked & ~kept


def grant_exactly(dacl: Acl, sid: Sid, mask: int) -> Acl:
    """The DACL in which the principal's explicit allow ACEs grant these rights on the whole object and nothing else."""
    if not partial_grants(dacl, sid) and granted(dacl, sid) == mask:
        return dacl
    own = [ace for ace in dacl.aces if isinstance(ace, Ace) and ace.type == ALLOWED and ace.flags == 0 and ace.sid == sid]
    first = own[:1]

    def only_first(ace: Ace) -> Ace | None:
        if first and ace is first[0]:
            first.clear()
            return replace(ace, mask=mask) if mask else None
        return None

    return grant(_change_own(dacl, lambda ace: _is_explicit_allow(ace) and ace.sid == sid, only_first), sid, mask)


def denials(dacl: Acl, sids: Collection[Sid], mask: int) -> list[Ace]:
    """ACEs, explicit or inherited, that deny one of these principals one of these rights on the object itself."""
    return [
        ace
        for ace in dacl.aces
        if isinstance(ace, Ace)
        and ace.type in (DENIED, DENIED_OBJECT)
        and not ace.flags & INHERIT_ONLY
        and ace.sid in sids
        and rights.mapped(ace.mask) & mask
    ]


def _is_explicit_allow(ace: Ace) -> bool:
    return ace.type in (ALLOWED, ALLOWED_OBJECT) and not ace.flags & INHERITED


def _grants_whole_object(ace: Ace, sid: Sid) -> bool:
    return _is_explicit_allow(ace) and not ace.flags & INHERIT_ONLY and ace.sid == sid and ace.object_type is None


def _place_for_allow(aces: list[AnyAce]) -> int:
    """Behind the last explicit ACE that denies, or allows on the whole object; in an unordered list before all inherited ones."""
    explicit = next((number for number, ace in enumerate(aces) if ace.flags & INHERITED), len(aces))
    place = 0
    for number, ace in enumerate(aces[:explicit]):
        if ace.type == ALLOWED or ace.type in _DENYING:
            place = number + 1
    return place


def _change_own(dacl: Acl, is_own: Callable[[Ace], bool], change: Callable[[Ace], Ace | None]) -> Acl:
    aces: list[AnyAce] = []
    for ace in dacl.aces:
        changed = change(ace) if isinstance(ace, Ace) and is_own(ace) else ace
        if changed is not None:
            aces.append(changed)
    return replace(dacl, aces=tuple(aces))


def partial_name(ace: Ace) -> str:
    """What a person is told of such an ACE."""
    what = str(ace.object_type) if ace.object_type else "children"
    return f"{'+'.join(rights.names_of(ace.mask))} ({what})"
