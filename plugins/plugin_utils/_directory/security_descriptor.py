# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security descriptors as bytes and as objects (MS-DTYP 2.4.4 to 2.4.6).

What is read and written again unchanged is the same byte for byte: ACE types that are not needed here stay opaque,
and surplus bytes behind an ACE or an ACL are kept.
"""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass, replace

from .._core.errors import ActivationError
from .sid import Sid

ALLOWED, DENIED, AUDIT = 0, 1, 2
ALLOWED_OBJECT, DENIED_OBJECT, AUDIT_OBJECT = 5, 6, 7
_PLAIN = frozenset((ALLOWED, DENIED, AUDIT))
_OBJECT = frozenset((ALLOWED_OBJECT, DENIED_OBJECT, AUDIT_OBJECT))

INHERIT_ONLY, INHERITED = 0x08, 0x10
"""ACE flags (MS-DTYP 2.4.4.1): does not apply to the object itself; came from the parent."""

DACL_PRESENT, DACL_DEFAULTED, DACL_AUTO_INHERIT_REQ = 0x0004, 0x0008, 0x0100
DACL_AUTO_INHERITED, DACL_PROTECTED, SELF_RELATIVE = 0x0400, 0x1000, 0x8000
SACL_PRESENT, SACL_AUTO_INHERIT_REQ, SACL_AUTO_INHERITED, SACL_PROTECTED = 0x0010, 0x0200, 0x0800, 0x2000
_DACL_CONTROL = DACL_PRESENT | DACL_DEFAULTED | DACL_AUTO_INHERIT_REQ | DACL_AUTO_INHERITED | DACL_PROTECTED

_PARTS = ("owner", "group", "sacl", "dacl")
_HEADER = struct.Struct("<BBHIIII")


@dataclass(frozen=True, slots=True)
class Ace:
    """An ACE that grants, denies or audits.

    Attributes:
        type: C(ALLOWED), C(DENIED), C(AUDIT) or one of their object forms.
        flags: Inheritance and audit flags.
        mask: Access mask, as stored: generic rights are not mapped here.
        sid: Whom it is about.
        object_type: Only this attribute, property set, extended right or child class (object forms).
        inherited_object_type: Only children of this class inherit it (object forms).
        object_flags: Further bits of an object ACE's Flags, normally 0.
        extra: Bytes behind the SID, normally none.
    """

    type: int
    flags: int
    mask: int
    sid: Sid
    object_type: uuid.UUID | None = None
    inherited_object_type: uuid.UUID | None = None
    object_flags: int = 0
    extra: bytes = b""

    def to_bytes(self) -> bytes:
        """The ACE with its header."""
        body = struct.pack("<I", self.mask)
        if self.type in _OBJECT:
            present = (self.object_type is not None) | (self.inherited_object_type is not None) << 1
            body += struct.pack("<I", self.object_flags | present)
            body += b"".join(guid.bytes_le for guid in (self.object_type, self.inherited_object_type) if guid is not None)
        return _with_ace_header(self.type, self.flags, body + self.sid.to_bytes() + self.extra)


@dataclass(frozen=True, slots=True)
class OpaqueAce:
    """An ACE of a type that is only carried along, such as a conditional one or an integrity label."""

    type: int
    flags: int
    body: bytes

    def to_bytes(self) -> bytes:
        """The ACE with its header."""
        return _with_ace_header(self.type, self.flags, self.body)


AnyAce = Ace | OpaqueAce


@dataclass(frozen=True, slots=True)
class Acl:
    """An access control list; an ACE's place in it counts.

    Attributes:
        aces: The entries in order.
        revision: 2, or 4 where object ACEs may stand.
        reserved: The two Sbz fields, normally 0.
        slack: Bytes behind the last ACE that the list's size covers.
    """

    aces: tuple[AnyAce, ...]
    revision: int = 4
    reserved: tuple[int, int] = (0, 0)
    slack: bytes = b""

    @classmethod
    def from_bytes(cls, data: bytes) -> Acl:
        """The list at the start of C(data).

        Raises:
            ActivationError: The bytes are no ACL.
        """
        if len(data) < 8:
            raise _malformed()
        revision, sbz1, size, count, sbz2 = struct.unpack_from("<BBHHH", data)
        if size < 8 or size > len(data):
            raise _malformed()
        aces: list[AnyAce] = []
        offset = 8
        for _number in range(count):
            if offset + 4 > size:
                raise _malformed()
            length = int.from_bytes(data[offset + 2 : offset + 4], "little")
            if length < 4 or offset + length > size:
                raise _malformed()
            aces.append(_ace(data[offset], data[offset + 1], data[offset + 4 : offset + length]))
            offset += length
        return cls(tuple(aces), revision, (sbz1, sbz2), data[offset:size])

    def to_bytes(self) -> bytes:
        """The list with its header.

        Raises:
            ActivationError: It has become longer than the 64 KB that an ACL can be.
        """
        body = b"".join(ace.to_bytes() for ace in self.aces) + self.slack
        if len(body) + 8 > 0xFFFF:
            raise ActivationError("The DACL is full: it would become longer than 64 KB. Remove entries that nobody needs.", source="ldap")
        return struct.pack("<BBHHH", self.revision, self.reserved[0], len(body) + 8, len(self.aces), self.reserved[1]) + body


@dataclass(frozen=True, slots=True)
class SecurityDescriptor:
    """A self-relative security descriptor.

    Attributes:
        control: The control bits as stored, among them C(DACL_PROTECTED).
        resource_manager: The Sbz1 byte, normally 0.
        order: In which order the parts lie in the bytes; Windows and Samba differ.
    """

    control: int
    owner: Sid | None = None
    group: Sid | None = None
    sacl: Acl | None = None
    dacl: Acl | None = None
    resource_manager: int = 0
    order: tuple[str, ...] = _PARTS

    @classmethod
    def from_bytes(cls, data: bytes) -> SecurityDescriptor:
        """The descriptor in C(data), without gaps between its parts.

        Raises:
            ActivationError: The bytes are no self-relative security descriptor.
        """
        if len(data) < _HEADER.size:
            raise _malformed()
        revision, manager, control, *offsets = _HEADER.unpack_from(data)
        if revision != 1 or not control & SELF_RELATIVE or any(offset > len(data) for offset in offsets):
            raise _malformed()
        at = dict(zip(_PARTS, offsets, strict=True))
        return cls(
            control,
            Sid.from_bytes(data[at["owner"] :]) if at["owner"] else None,
            Sid.from_bytes(data[at["group"] :]) if at["group"] else None,
            Acl.from_bytes(data[at["sacl"] :]) if at["sacl"] else None,
            Acl.from_bytes(data[at["dacl"] :]) if at["dacl"] else None,
            manager,
            tuple(sorted(_PARTS, key=lambda part: at[part])),
        )

    def to_bytes(self) -> bytes:
        """The self-relative form."""
        parts = {"owner": self.owner, "group": self.group, "sacl": self.sacl, "dacl": self.dacl}
        offsets = dict.fromkeys(_PARTS, 0)
        body = b""
        for name in self.order:
            part = parts[name]
            if part is not None:
                offsets[name] = _HEADER.size + len(body)
                body += part.to_bytes()
        return _HEADER.pack(1, self.resource_manager, self.control | SELF_RELATIVE, *(offsets[name] for name in _PARTS)) + body

    def with_dacl(self, dacl: Acl) -> SecurityDescriptor:
        """The same descriptor with another DACL; whether it is protected from inheritance stays as it was."""
        return replace(self, dacl=dacl, control=self.control | DACL_PRESENT)

    def dacl_alone(self) -> SecurityDescriptor:
        """What is sent when only the DACL shall change: owner, group and SACL are not even in the message."""
        return SecurityDescriptor(self.control & _DACL_CONTROL, dacl=self.dacl)


def _ace(kind: int, flags: int, body: bytes) -> AnyAce:
    """The ACE of this body; opaque where the type is not known or the body is not what the type promises."""
    opaque = OpaqueAce(kind, flags, body)
    if kind not in _PLAIN | _OBJECT or len(body) < 4:
        return opaque
    mask = int.from_bytes(body[:4], "little")
    offset, object_flags = 4, 0
    guids: list[uuid.UUID | None] = [None, None]
    if kind in _OBJECT:
        if len(body) < 8:
            return opaque
        object_flags = int.from_bytes(body[4:8], "little")
        offset = 8
        for number in (0, 1):
            if object_flags & 1 << number:
                if len(body) < offset + 16:
                    return opaque
                guids[number] = uuid.UUID(bytes_le=body[offset : offset + 16])
                offset += 16
    try:
        sid = Sid.from_bytes(body[offset:])
    except ActivationError:
        return opaque
    extra = body[offset + len(sid.to_bytes()) :]
    return Ace(kind, flags, mask, sid, guids[0], guids[1], object_flags & ~3, extra)


def _with_ace_header(kind: int, flags: int, body: bytes) -> bytes:
    return struct.pack("<BBH", kind, flags, len(body) + 4) + body


def _malformed() -> ActivationError:
    return ActivationError("A security descriptor from the directory is malformed.", source="ldap")
