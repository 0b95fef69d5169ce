# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is in a group beside its direct members, and who is more than wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .._core.errors import ActivationError
from .dn import escaped, normal_dn
from .principals import Principal
from .session import Change, DirectorySession

_AT_ONCE = 100
_TRIES = 5
_OVERTAKEN = frozenset({"entryAlreadyExists", "attributeOrValueExists", "noSuchAttribute"})
"""Somebody else put the account in or took it out first, which a permissive change does not spare everywhere (docs/facts/samba-and-bind.md#ldap)."""


def through_groups(session: DirectorySession, group: Principal, accounts: Iterable[Principal]) -> dict[str, str]:
    """Accounts that are in the group only through another group, and the sAMAccountName of that one.

    What counts is the token that the controller would make for the account (C(tokenGroups)): a distribution group hands
    nothing on, although its members are members of members.

    Returns:
        Distinguished name of the account to the direct member that it comes through.
    """
    text = f"(&(objectClass=group)(memberOf={escaped(group.dn)}))"
    inner = session.search(session.root.domain_dn, text, ["sAMAccountName", "objectSid"])
    if not inner:
        return {}
    found = {}
    for account in accounts:
        entry = session.read(account.dn, ["tokenGroups"])
        token = set(entry.attributes.get("tokengroups", [])) if entry else set()
        if group.sid is not None and group.sid.to_bytes() in token:
            through = next((each for each in inner if each.first("objectSid") in token), None)
            found[account.dn] = through.text("sAMAccountName") if through else ""
    return found


def direct_members(session: DirectorySession, group_dn: str) -> list[str]:
    """Distinguished names of all direct members; a controller gives 1500 values at once (MS-ADTS 3.1.1.3.1.3.3).

    Accounts of which it is the primary group are not among them.
    """
    found: list[str] = []
    while True:
        entry = session.read(group_dn, [f"member;range={len(found)}-*"])
        ranges = [name for name in entry.attributes if name.startswith("member")] if entry else []
        values = [value for name in ranges for value in (entry.texts(name) if entry else [])]
        found += values
        if not values or any(name.endswith("-*") or name == "member" for name in ranges):
            return found


def write(session: DirectorySession, group_dn: str, add: Sequence[str], remove: Sequence[str]) -> None:
    """Put accounts into a group and take others out, by their distinguished names, whoever else does so at the same time.

    Raises:
        ActivationError: The controller refused, with its reason.
    """
    for left in reversed(range(_TRIES)):
        changes: list[Change] = [("add", "member", [dn.encode() for dn in add])] if add else []
        changes += [("delete", "member", [dn.encode() for dn in remove])] if remove else []
        if not changes:
            return
        try:
            session.modify(group_dn, changes, f"WRITE_PROPERTY (member) on {group_dn}", permissive=True)
        except ActivationError as failure:
            if failure.name not in _OVERTAKEN or not left:
                raise
        else:
            return
        there = {normal_dn(dn) for dn in direct_members(session, group_dn)}
        add = [dn for dn in add if normal_dn(dn) not in there]
        remove = [dn for dn in remove if normal_dn(dn) in there]


def surplus(session: DirectorySession, group_dn: str, wanted: Sequence[Principal]) -> dict[str, str]:
    """Direct members beside those that are wanted: distinguished name to sAMAccountName, or again the distinguished name."""
    kept = {normal_dn(member.dn) for member in wanted}
    more = [dn for dn in direct_members(session, group_dn) if normal_dn(dn) not in kept]
    names: dict[str, str] = {}
    for start in range(0, len(more), _AT_ONCE):
        text = f"(|{''.join(f'(distinguishedName={escaped(dn)})' for dn in more[start : start + _AT_ONCE])})"
        found = session.search(session.root.domain_dn, text, ["sAMAccountName"])
        names |= {normal_dn(entry.dn): entry.text("sAMAccountName") for entry in found}
    return {dn: names.get(normal_dn(dn)) or dn for dn in sorted(more)}
