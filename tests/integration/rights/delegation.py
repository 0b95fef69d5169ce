# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain that is hardened, with an account that has no rights but those that it is given for one step.

Everything is done over Samba's own socket, as the system itself. Nothing has to be reset: what a step leaves is made anew.
"""

from __future__ import annotations

import contextlib
import struct
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import ldap
import ldap.controls
import least_rights

from lab import names
from lab.domain import entries
from lab.domain.accounts import PASSWORD, Accounts
from lab.domain.controller import Domain
from lab.domain.editor import join_dacl, split_dacl

from ..directory.helpers import GROUP_DN, KMS_1, MEMBERS

ACCOUNT = "svc-activation"
USER = f"{ACCOUNT}@{names.REALM}"
USER_PASSWORD = PASSWORD

OU = f"OU=Activation,{names.BASE_DN}"
OU_GROUP_DN = f"CN={names.KMS_GROUP},{OU}"
COMPUTERS = f"CN=Computers,{names.BASE_DN}"
RECORD_DN = names.CONTOSO.record_dn()
CONFIGURATION = f"CN=Configuration,{names.BASE_DN}"
SPP = f"CN=Microsoft SPP,CN=Services,{CONFIGURATION}"
ACTIVATION_OBJECTS = f"CN=Activation Objects,{SPP}"
ACTIVATION_OBJECT = f"CN=Contoso 2022,{ACTIVATION_OBJECTS}"

# S-1-5-18, S-1-5-9 and S-1-5-11 (MS-DTYP 2.4.2.2).
_SYSTEM, _CONTROLLERS, _AUTHENTICATED = (bytes.fromhex("0101000000000005") + struct.pack("<I", last) for last in (18, 9, 11))
_ALL, _READ, _HOST = 0xF01FF, 0x20094, 0x200BC | 0x10000
_INHERITED_BY_ALL = 2
_PROTECTED = 0x9004
_SD_FLAGS = "1.2.840.113556.1.4.801"
_OWNER, _DACL = 1, 4


def _allow(mask: int, sid: bytes, flags: int = 0) -> bytes:
    return struct.pack("<BBHI", 0, flags, 8 + len(sid), mask) + sid


class Delegation:
    """The hardened domain."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._controller = domain.first
        accounts = Accounts(domain)
        user = accounts.user(ACCOUNT)
        with self._system() as connection:
            trustee = f"CN={least_rights.TRUSTEE},CN=Users,{names.BASE_DN}"
            _group(connection, trustee, least_rights.TRUSTEE, [user])
            connection.add_s(OU, [("objectClass", [b"organizationalUnit"])])
            connection.add_s(SPP, [("objectClass", [b"container"])])
            connection.add_s(ACTIVATION_OBJECTS, [("objectClass", [b"msSPP-ActivationObjectsContainer"])])
            self._sids = {name: self._sid(connection, name) for name in ("Domain Admins", least_rights.TRUSTEE, *MEMBERS)}
            self._schema = dict(self._guids(connection))

    @contextmanager
    def _system(self) -> Iterator[Any]:
        with self._controller.as_system() as connection:
            yield connection

    def _sid(self, connection: Any, account: str) -> bytes:
        found = connection.search_s(names.BASE_DN, ldap.SCOPE_SUBTREE, f"(sAMAccountName={account})", ["objectSid"])
        sid: bytes = next(values["objectSid"][0] for dn, values in found if dn)
        return sid

    def _guids(self, connection: Any) -> Iterator[tuple[str, bytes]]:
        wanted = {entry.of for right in least_rights.of("directory") for entry in least_rights.given(right)} | {"group"}
        for name in wanted - {""}:
            found = connection.search_s(f"CN=Schema,{CONFIGURATION}", ldap.SCOPE_ONELEVEL, f"(lDAPDisplayName={name})", ["schemaIDGUID"])
            yield name, next(values["schemaIDGUID"][0] for dn, values in found if dn)

    def harden(self, *, accounts_hidden: bool = False) -> None:
        """Nobody but administrators has a right on the zone and the record, and nobody but them writes anywhere else.

        There is a record that KMS_1 owns, the group in CN=Users and an activation object; OU=Activation is empty.

        Args:
            accounts_hidden: The accounts of computers may not be.
        """
        everybody = [_allow(_READ, _AUTHENTICATED, _INHERITED_BY_ALL)]
        with self._system() as connection:
            for dn in (OU_GROUP_DN, GROUP_DN, RECORD_DN, ACTIVATION_OBJECT):
                with contextlib.suppress(ldap.NO_SUCH_OBJECT):
                    connection.delete_s(dn)
            self._describe(connection, names.ZONE_DN, [])
            self._describe(connection, OU, everybody)
            self._describe(connection, COMPUTERS, [] if accounts_hidden else everybody)
            self._describe(connection, ACTIVATION_OBJECTS, everybody)
            _group(connection, GROUP_DN, names.KMS_GROUP, [KMS_1.dn])
            _activation_object(connection)
        self._make_record()

    def _make_record(self) -> None:
        """The record of KMS_1, which owns it and may write it."""
        host = self._sids[KMS_1.account]
        with self._system() as connection:
            value = entries.srv_record(0, 0, 1688, KMS_1.fqdn)
            connection.add_s(RECORD_DN, [("objectClass", [b"top", b"dnsNode"]), ("dnsRecord", [value])])
            self._describe(connection, RECORD_DN, [_allow(_HOST, host)])
            owner = struct.pack("<BxHIIII", 1, 0x8000, 20, 0, 0, 0) + host
            _write(connection, RECORD_DN, owner, _OWNER)

    def remove_record(self) -> None:
        """For a step that makes it."""
        with self._system() as connection:
            connection.delete_s(RECORD_DN)

    def move_group(self) -> None:
        """Into OU=Activation, before a step that has its rights there."""
        with self._system() as connection:
            connection.delete_s(GROUP_DN)
            _group(connection, OU_GROUP_DN, names.KMS_GROUP, [])

    def remove_group(self) -> None:
        """For a step that makes it."""
        with self._system() as connection:
            connection.delete_s(GROUP_DN)

    def exists(self, dn: str) -> bool:
        """Whether an object is there."""
        with self._system() as connection:
            try:
                return bool(connection.search_s(dn, ldap.SCOPE_BASE, attrlist=["objectClass"]))
            except ldap.NO_SUCH_OBJECT:
                return False

    def values(self, dn: str, attribute: str) -> list[bytes]:
        """What an object has, past every ACL."""
        with self._system() as connection:
            ((_dn, found),) = connection.search_s(dn, ldap.SCOPE_BASE, attrlist=[attribute])
            values: list[bytes] = found.get(attribute, [])
            return values

    def give(self, rights: Iterable[str]) -> None:
        """Carry out the commands of the page for some rights."""
        with self._system() as connection:
            for right in rights:
                for entry in least_rights.given(right):
                    control, revision, aces = self._dacl(connection, entry.dn)
                    own = [ace for ace in aces if not ace[1] & 0x10]
                    _write(connection, entry.dn, join_dacl(control, revision, [self._ace(entry), *own]), _DACL)

    def _ace(self, entry: least_rights.Entry) -> bytes:
        sid = self._sids[entry.whom]
        if not (entry.of or entry.children):
            return _allow(entry.mask, sid, entry.flags)
        guids = b"".join(self._schema[name] for name in (entry.of, entry.children) if name)
        present = bool(entry.of) | bool(entry.children) << 1
        return struct.pack("<BBHII", 5, entry.flags, 12 + len(guids) + len(sid), entry.mask, present) + guids + sid

    def _describe(self, connection: Any, dn: str, more: list[bytes]) -> None:
        admins = self._sids["Domain Admins"]
        aces = [_allow(_ALL, sid, _INHERITED_BY_ALL) for sid in (admins, _SYSTEM, _CONTROLLERS)]
        _write(connection, dn, join_dacl(_PROTECTED, 4, [*aces, *more]), _DACL)

    def _dacl(self, connection: Any, dn: str) -> tuple[int, int, list[bytes]]:
        asked = connection.search_ext(dn, ldap.SCOPE_BASE, attrlist=["nTSecurityDescriptor"], serverctrls=[_control(7)])
        ((_dn, found),) = connection.result3(asked)[1]
        return split_dacl(found["nTSecurityDescriptor"][0])


def _control(flags: int) -> Any:
    return ldap.controls.RequestControl(_SD_FLAGS, True, bytes((0x30, 3, 2, 1, flags)))


def _write(connection: Any, dn: str, descriptor: bytes, flags: int) -> None:
    connection.modify_ext_s(dn, [(ldap.MOD_REPLACE, "nTSecurityDescriptor", [descriptor])], serverctrls=[_control(flags)])


def _group(connection: Any, dn: str, name: str, members: list[str]) -> None:
    attributes = [("objectClass", [b"group"]), ("sAMAccountName", [name.encode()]), ("groupType", [b"-2147483646"])]
    connection.add_s(dn, attributes + ([("member", [member.encode() for member in members])] if members else []))


def _activation_object(connection: Any) -> None:
    sku = uuid.UUID("97a0acdc-b989-5704-b7bd-51ea3642ca1c").bytes_le
    attributes = {
        "objectClass": b"msSPP-ActivationObject",
        "displayName": b"Contoso 2022",
        "msSPP-CSVLKSkuId": sku,
        "msSPP-CSVLKPid": b"06401-00206-471-111111-03-1033-20348.0000-0012026",
        "msSPP-CSVLKPartialProductKey": b"AAAAA",
        "msSPP-KMSIds": sku,
    }
    connection.add_s(ACTIVATION_OBJECT, [(name, [value]) for name, value in attributes.items()])
