# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes made in the directory behind everybody's back: over Samba's own socket, as the system itself.

Security descriptors are taken apart by hand (MS-DTYP 2.4.5, 2.4.6) so that the lab shares no such code with the collection.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ldap
import ldap.controls

from .. import names
from . import entries
from .controller import Domain

ACCESS_ALLOWED_ACE = 0
ACCESS_DENIED_ACE = 1
WRITE_PROPERTY = 0x20
RIGHTS = {"read": 0x20014, "write": WRITE_PROPERTY, "delete": 0x10000}
"""Access mask bits (MS-ADTS 5.1.3.2): read = READ_CONTROL, LIST_CHILDREN, READ_PROPERTY; write = WRITE_PROPERTY; delete = DELETE."""

_HEADER = 24  # of a dnsRecord: all but its data, which is as long after a change as it was
_SD_FLAGS = "1.2.840.113556.1.4.801"
_DACL_ONLY = bytes([0x30, 3, 2, 1, 4])


class NothingToChange(Exception):
    """What was to be changed is not there."""


def split_dacl(descriptor: bytes) -> tuple[int, int, list[bytes]]:
    """Control bits, ACL revision and ACEs of a self-relative descriptor that has a DACL."""
    control, _owner, _group, _sacl, offset = struct.unpack_from("<2xHIIII", descriptor)
    revision, _size, count = struct.unpack_from("<BxHH", descriptor, offset)
    aces = []
    offset += 8
    for _index in range(count):
        (size,) = struct.unpack_from("<H", descriptor, offset + 2)
        aces.append(descriptor[offset : offset + size])
        offset += size
    return control, revision, aces


def join_dacl(control: int, revision: int, aces: list[bytes]) -> bytes:
    """A descriptor that holds nothing but a DACL, for a write with SD_FLAGS 4."""
    body = b"".join(aces)
    return struct.pack("<BxHIIII", 1, control, 0, 0, 0, 20) + struct.pack("<BxHHxx", revision, 8 + len(body), len(aces)) + body


def _allows(ace: bytes, sid: bytes) -> bool:
    return ace[0] == ACCESS_ALLOWED_ACE and ace[8:] == sid


class Editor:
    """Edits objects of a running domain on one of its controllers. Every method raises NothingToChange if there is nothing of the kind."""

    def __init__(self, domain: Domain, controller: str = names.DC_NAME) -> None:
        self._controller = domain.controller(controller)
        self._realm = domain.realm

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        try:
            with self._controller.as_system() as connection:
                yield connection
        except ldap.NO_SUCH_OBJECT as error:
            raise NothingToChange(f"no such object: {error}") from error

    def _sid(self, connection: Any, account: str) -> bytes:
        found = connection.search_s(self._realm.base_dn, ldap.SCOPE_SUBTREE, f"(sAMAccountName={account})", ["objectSid"])
        sids = [values["objectSid"][0] for dn, values in found if dn]
        if not sids:
            raise NothingToChange(f"there is no account {account}")
        sid: bytes = sids[0]
        return sid

    def remove_srv(self, target: str, name: str = names.KMS_RECORD, zone: str = "") -> str:
        """Remove every SRV value of a target from a name of a zone, the domain's own unless told otherwise."""
        dn = self._realm.record_dn(zone, name)
        with self._connection() as connection:
            ((_dn, values),) = connection.search_s(dn, ldap.SCOPE_BASE, attrlist=["dnsRecord"])
            gone = [value for value in values.get("dnsRecord", []) if (srv := entries.srv_of(value)) and srv[3].lower() == target.lower()]
            if not gone:
                raise NothingToChange(f"{name} has no value for {target}")
            connection.modify_s(dn, [(ldap.MOD_DELETE, "dnsRecord", gone)])
        return f"removed {target} from {name}.{zone or self._realm.domain}"

    def add_srv(self, zone: str, priority: int, weight: int, port: int, target: str) -> str:
        """Add a static value to the KMS hosts' record of a zone."""
        with self._connection() as connection:
            try:
                added = [entries.srv_record(priority, weight, port, target)]
                connection.modify_s(self._realm.record_dn(zone), [(ldap.MOD_ADD, "dnsRecord", added)])
            except ldap.TYPE_OR_VALUE_EXISTS as error:
                raise NothingToChange(f"the record of {zone} has that value of {target}") from error
        return f"added {priority} {weight} {port} {target} to {names.KMS_RECORD}.{zone}"

    def change_srv(self, target: str, zone: str, priority: int | None = None, weight: int | None = None) -> str:
        """Give every value of a target in the KMS hosts' record of a zone another priority or weight."""

        def edit(record: bytes, value: tuple[int, int, int, str]) -> bytes:
            old_priority, old_weight, port, name = value
            new = (old_priority if priority is None else priority, old_weight if weight is None else weight)
            return record[:_HEADER] + entries.srv_record(*new, port, name)[_HEADER:]

        self._edit_srv(target, zone, edit)
        return f"changed {target} in {names.KMS_RECORD}.{zone}: {'priority' if weight is None else 'weight'} {priority if weight is None else weight}"

    def stamp_srv(self, target: str, zone: str) -> str:
        """Make the values of a target dynamic as of now, so that scavenging takes them when nobody refreshes them."""
        hours = entries.hours_now()
        self._edit_srv(target, zone, lambda record, _value: entries.stamped(record, hours))
        return f"gave {target} in {names.KMS_RECORD}.{zone} a time stamp"

    def _edit_srv(self, target: str, zone: str, edit: Callable[[bytes, tuple[int, int, int, str]], bytes]) -> None:
        dn = self._realm.record_dn(zone)
        with self._connection() as connection:
            ((_dn, values),) = connection.search_s(dn, ldap.SCOPE_BASE, attrlist=["dnsRecord"])
            before = values.get("dnsRecord", [])
            parsed = [(record, entries.srv_of(record)) for record in before]
            after = [edit(record, value) if value and value[3].lower() == target.lower() else record for record, value in parsed]
            if after == before:
                raise NothingToChange(f"nothing about {target} in the record of {zone} is to be changed")
            connection.modify_s(dn, [(ldap.MOD_REPLACE, "dnsRecord", after)])

    def _edit_dacl(self, dn: str, principal: str, edit: Callable[[bytes, list[bytes]], list[bytes]]) -> None:
        """Write the ACEs that ``edit`` makes of a principal's SID and those that are there."""
        control = ldap.controls.RequestControl(_SD_FLAGS, True, _DACL_ONLY)
        with self._connection() as connection:
            sid = self._sid(connection, principal)
            ((_dn, values),) = connection.search_ext_s(dn, ldap.SCOPE_BASE, attrlist=["nTSecurityDescriptor"], serverctrls=[control])
            bits, revision, aces = split_dacl(values["nTSecurityDescriptor"][0])
            changed = edit(sid, aces)
            if changed == aces:
                raise NothingToChange(f"no ACE of {principal} on {dn} is to be changed")
            descriptor = join_dacl(bits, revision, changed)
            connection.modify_ext_s(dn, [(ldap.MOD_REPLACE, "nTSecurityDescriptor", [descriptor])], serverctrls=[control])

    def deny(self, principal: str, mask: int, dn: str) -> str:
        """Put an ACE that denies rights at the front of an object's DACL."""

        def add(sid: bytes, aces: list[bytes]) -> list[bytes]:
            return [struct.pack("<BBHI", ACCESS_DENIED_ACE, 0, 8 + len(sid), mask) + sid, *aces]

        self._edit_dacl(dn, principal, add)
        return f"denied 0x{mask:X} on {dn} to {principal}"

    def remove_denials(self, principal: str, dn: str) -> str:
        """Remove the ACEs that deny a principal something on an object."""
        self._edit_dacl(dn, principal, lambda sid, aces: [ace for ace in aces if not (ace[0] == ACCESS_DENIED_ACE and ace[8:] == sid)])
        return f"denied nothing on {dn} to {principal} any more"

    def remove_ace(self, principal: str = names.KMS_GROUP, name: str = names.KMS_RECORD, zone: str = "") -> str:
        """Remove the allowing ACEs of a principal from a record."""
        dn = self._realm.record_dn(zone, name)
        self._edit_dacl(dn, principal, lambda sid, aces: [ace for ace in aces if not _allows(ace, sid)])
        return f"removed the ACE of {principal} from {name}.{zone or self._realm.domain}"

    def remove_right(self, right: str, principal: str = names.KMS_GROUP, name: str = names.KMS_RECORD, zone: str = "") -> str:
        """Take one of :data:`RIGHTS` out of the ACEs of a principal on a record."""
        bits = RIGHTS[right]

        def narrow(ace: bytes) -> bytes:
            (mask,) = struct.unpack_from("<I", ace, 4)
            return ace[:4] + struct.pack("<I", mask & ~bits) + ace[8:]

        dn = self._realm.record_dn(zone, name)
        self._edit_dacl(dn, principal, lambda sid, aces: [narrow(ace) if _allows(ace, sid) else ace for ace in aces])
        return f"removed the right {right} of {principal} from {name}.{zone or self._realm.domain}"

    def remove_member(self, member_dn: str, group: str = names.KMS_GROUP) -> str:
        """Remove a member from a group."""
        self._change_members(group, member_dn, ldap.MOD_DELETE)
        return f"removed {member_dn} from {group}"

    def add_member(self, member_dn: str, group: str = names.KMS_GROUP) -> str:
        """Add a member to a group."""
        self._change_members(group, member_dn, ldap.MOD_ADD)
        return f"added {member_dn} to {group}"

    def _change_members(self, group: str, member_dn: str, change: int) -> None:
        with self._connection() as connection:
            found = connection.search_s(self._realm.base_dn, ldap.SCOPE_SUBTREE, f"(sAMAccountName={group})", ["member"])
            groups = [(dn, values.get("member", [])) for dn, values in found if dn]
            if not groups:
                raise NothingToChange(f"there is no group {group}")
            is_member = member_dn.lower() in [value.decode().lower() for value in groups[0][1]]
            if is_member != (change == ldap.MOD_DELETE):
                raise NothingToChange(f"{member_dn} is {'a' if is_member else 'no'} member of {group}")
            connection.modify_s(groups[0][0], [(change, "member", [member_dn.encode()])])
