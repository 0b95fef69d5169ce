# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS records as Active Directory keeps them, in C(dnsRecord) (MS-DNSP 2.3.2.2). Pure.

A node has one value of the attribute for each record. A time stamp of 0 makes a record static: what comes by dynamic
update carries the hour in which it was last refreshed, and a zone with scavenging removes it when nobody refreshes it.
"""

from __future__ import annotations

import datetime
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace

from .._core.errors import ActivationError
from .._srv.value import SrvValue

TYPE_TOMBSTONE, TYPE_SOA, TYPE_SRV = 0, 6, 33
"""MS-DNSP 2.2.2.1.1; the first is DNS_TYPE_ZERO, of which the only record is a tombstone."""

_VERSION, _RANK_ZONE = 5, 0xF0
# The TTL alone is in network byte order (MS-DNSP 2.3.2.2).
_LITTLE, _TTL = struct.Struct("<HHBBHI"), struct.Struct(">I")
_HEADER_LENGTH = 24
_SRV_NUMBERS = struct.Struct(">HHH")
_LONGEST_LABEL, _LONGEST_NAME = 63, 255
# As dnspython writes them, by which values out of the directory and out of DNS are compared.
_SPECIAL = b'"().;\\@$'
_EPOCH = datetime.datetime(1601, 1, 1, tzinfo=datetime.UTC)


def srv_data(value: SrvValue) -> bytes:
    """The data of an SRV record (MS-DNSP 2.2.2.2.4.18).

    Raises:
        ActivationError: A number is too large, or the target is no host name.
    """
    for name in ("priority", "weight", "port"):
        if not 0 <= getattr(value, name) <= 0xFFFF:
            raise ActivationError(f"The SRV value {value} has a {name} that is no number from 0 to 65535.", source="options")
    return _SRV_NUMBERS.pack(value.priority, value.weight, value.port) + _count_name(value.target)


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """One value of C(dnsRecord).

    Attributes:
        type: Its type, such as C(TYPE_SRV).
        data: The data of the type.
        ttl: Its time to live in seconds.
        serial: The serial number that the zone had when it was written.
        timestamp: Hours since 1601 of its last refresh; 0 where it is static.
        version: 5.
        rank: 0xF0 for what belongs to the zone.
        flags: 0.
        reserved: 0.
        surplus: Bytes behind the data, normally none.
    """

    type: int
    data: bytes
    ttl: int
    serial: int
    timestamp: int = 0
    version: int = _VERSION
    rank: int = _RANK_ZONE
    flags: int = 0
    reserved: int = 0
    surplus: bytes = b""

    @classmethod
    def from_bytes(cls, value: bytes) -> DnsRecord:
        """The record in a value of the attribute.

        Raises:
            ActivationError: The bytes are no record.
        """
        length = int.from_bytes(value[:2], "little")
        if len(value) < _HEADER_LENGTH + length:
            raise ActivationError("A DNS record in the directory is malformed: it is shorter than it says.", source="ldap")
        _length, kind, version, rank, flags, serial = _LITTLE.unpack_from(value)
        (ttl,) = _TTL.unpack_from(value, 12)
        reserved, timestamp = struct.unpack_from("<II", value, 16)
        end = _HEADER_LENGTH + length
        return cls(kind, value[_HEADER_LENGTH:end], ttl, serial, timestamp, version, rank, flags, reserved, value[end:])

    def to_bytes(self) -> bytes:
        """The value of the attribute."""
        head = _LITTLE.pack(len(self.data), self.type, self.version, self.rank, self.flags, self.serial)
        return head + _TTL.pack(self.ttl) + struct.pack("<II", self.reserved, self.timestamp) + self.data + self.surplus

    @property
    def is_static(self) -> bool:
        """Whether it stays however long nobody refreshes it."""
        return self.timestamp == 0

    @property
    def srv(self) -> SrvValue | None:
        """Its SRV value; C(None) where it is of another type or its data are malformed."""
        if self.type != TYPE_SRV or len(self.data) < 8:
            return None
        target = _name_in(self.data[_SRV_NUMBERS.size :])
        priority, weight, port = _SRV_NUMBERS.unpack_from(self.data)
        return None if target is None else SrvValue(priority, weight, port, target)

    @property
    def zone_serial(self) -> int | None:
        """The zone's serial number, where this is its SOA record (MS-DNSP 2.2.2.2.4.3)."""
        return int.from_bytes(self.data[:4], "big") if self.type == TYPE_SOA and len(self.data) >= 4 else None

    def made_static(self, ttl: int | None, serial: int) -> DnsRecord:
        """The same record without a time stamp, and with another TTL where one is given."""
        return replace(self, timestamp=0, ttl=self.ttl if ttl is None else ttl, serial=serial)


def static_srv(value: SrvValue, ttl: int, serial: int) -> DnsRecord:
    """A static record of an SRV value.

    Raises:
        ActivationError: The value cannot be one.
    """
    return DnsRecord(TYPE_SRV, srv_data(value), ttl, serial)


def tombstone(serial: int, now: datetime.datetime) -> DnsRecord:
    """The one record of a node without records (MS-DNSP 2.2.2.2.4.23): when it was entombed, as a FILETIME."""
    ticks = (now - _EPOCH) // datetime.timedelta(microseconds=1) * 10
    return DnsRecord(TYPE_TOMBSTONE, ticks.to_bytes(8, "little"), 0, serial)


def records_in(values: Iterable[bytes]) -> dict[bytes, DnsRecord]:
    """The records of a node, by the bytes that they are stored as; what is malformed is left out."""
    found = {}
    for value in values:
        try:
            found[value] = DnsRecord.from_bytes(value)
        except ActivationError:
            continue
    return found


def srv_values(values: Iterable[tuple[int, int, int, str]]) -> tuple[SrvValue, ...]:
    """SRV values from priority, weight, port and target; each once, in the order in which they were given."""
    return tuple(dict.fromkeys(SrvValue(*value) for value in values))


def _count_name(name: str) -> bytes:
    """DNS_COUNT_NAME (MS-DNSP 2.2.2.2.2): length, number of labels, then the name as DNS writes it."""
    labels = [] if name == "." else name.split(".")
    try:
        encoded = [label.encode("ascii") for label in labels]
    except UnicodeEncodeError:
        raise ActivationError(f"{name!r} is no host name: write one with other letters as xn--….", source="options") from None
    raw = b"".join(bytes((len(label),)) + label for label in encoded if len(label) < 64) + b"\0"
    if any(not 0 < len(label) < 64 or any(byte <= 0x20 for byte in label) for label in encoded) or len(raw) > 255:
        raise ActivationError(f"{name!r} is no host name.", source="options")
    return bytes((len(raw), len(labels))) + raw


def _written(byte: int) -> str:
    """A byte of a label as names are written (RFC 1035 5.1), so that no label looks like several, or like another one."""
    if byte in _SPECIAL:
        return f"\\{chr(byte)}"
    return chr(byte) if 0x20 < byte < 0x7F else f"\\{byte:03d}"


def _name_in(data: bytes) -> str | None:
    labels, offset = [], 2
    for _number in range(data[1]):
        length = data[offset] if offset < len(data) else 0
        label = data[offset + 1 : offset + 1 + length]
        # RFC 1035 2.3.4: at most 63 octets in a label, and 255 in a name with the lengths of its labels.
        if not 0 < length <= _LONGEST_LABEL or len(label) < length or offset + length >= _LONGEST_NAME:
            return None
        labels.append("".join(map(_written, label)))
        offset += 1 + length
    return ".".join(labels) or "."
