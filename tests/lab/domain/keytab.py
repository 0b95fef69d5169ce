# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A keytab for the Windows hosts' services, made from the keytab that Samba exports.

Samba names the keys after accounts (``PC-001$``); a GSSAPI acceptor wants them under the services' names. The file format
is MIT's (krb5 documentation, "The Keytab Binary File Format", version 0x502).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .. import names

SERVICES = ("HTTP", "WSMAN", "HOST", "host")
"""What a client may ask a ticket for: pywinrm HTTP; pypsrp WSMAN, or host since 0.9.0 (docs/facts/wire.md#connections)."""

_VERSION = b"\x05\x02"
_NAME_TYPE_PRINCIPAL = 1


class KeytabError(ValueError):
    """Not a keytab, or one that lacks a machine's key."""


@dataclass(frozen=True)
class Entry:
    """One key of a principal."""

    realm: str
    components: tuple[str, ...]
    kvno: int
    enctype: int
    key: bytes


def _counted(data: bytes, offset: int) -> tuple[bytes, int]:
    (length,) = struct.unpack_from(">H", data, offset)
    return data[offset + 2 : offset + 2 + length], offset + 2 + length


def _parse_entry(data: bytes) -> Entry:
    (count,) = struct.unpack_from(">H", data, 0)
    realm, offset = _counted(data, 2)
    components = []
    for _index in range(count):
        component, offset = _counted(data, offset)
        components.append(component.decode())
    offset += 8  # name type and time stamp
    kvno, enctype = struct.unpack_from(">BH", data, offset)
    key, offset = _counted(data, offset + 3)
    if len(data) - offset >= 4:
        (kvno,) = struct.unpack_from(">I", data, offset)
    return Entry(realm.decode(), tuple(components), kvno, enctype, key)


def parse(data: bytes) -> list[Entry]:
    """The entries of a keytab file. Raises KeytabError."""
    if data[:2] != _VERSION:
        raise KeytabError("not a keytab of version 0x502")
    entries = []
    offset = 2
    while offset + 4 <= len(data):
        (size,) = struct.unpack_from(">i", data, offset)
        offset += 4
        if size > 0:
            entries.append(_parse_entry(data[offset : offset + size]))
        offset += abs(size)  # a negative size is a hole
    return entries


def _bytes(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def serialize(entries: Sequence[Entry]) -> bytes:
    """A keytab file."""
    parts = [_VERSION]
    for entry in entries:
        body = struct.pack(">H", len(entry.components)) + _bytes(entry.realm) + b"".join(_bytes(item) for item in entry.components)
        body += struct.pack(">IIBHH", _NAME_TYPE_PRINCIPAL, 0, entry.kvno & 0xFF, entry.enctype, len(entry.key)) + entry.key
        body += struct.pack(">I", entry.kvno)
        parts.append(struct.pack(">i", len(body)) + body)
    return b"".join(parts)


def for_services(exported: bytes, machines: Sequence[names.Machine]) -> bytes:
    """The keytab of all machines' services. Raises KeytabError if a machine has no key in the exported file."""
    by_account: dict[str, list[Entry]] = {}
    for entry in parse(exported):
        if len(entry.components) == 1:
            by_account.setdefault(entry.components[0], []).append(entry)
    entries = []
    for machine in machines:
        if machine.account not in by_account:
            raise KeytabError(f"the domain exported no key of {machine.account}")
        for service in SERVICES:
            keys = by_account[machine.account]
            entries += [replace(key, components=(service, machine.fqdn)) for key in keys]
    return serialize(entries)
