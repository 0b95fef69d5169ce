# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The object behind a DNS name in Active Directory, and who may write it.

A name of an integrated zone is one C(dnsNode), whatever its number of records and however many dots it has
(C(DC=_vlmcs._tcp)); the zone lies in one of several partitions (MS-DNSP 2.3.1.1).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .._core.codes.code import plain
from .._core.errors import ActivationError
from . import dns_record
from . import session as ldap_session
from .dn import rdn_value, same_dn
from .entry import DirectoryEntry
from .security_descriptor import SecurityDescriptor
from .session import DirectorySession

_ATTRIBUTES = ("nTSecurityDescriptor", "dNSTombstoned", "sDRightsEffective", "replPropertyMetaData")

_NAME = re.compile(r"[^\s.\\]{1,63}(\.[^\s.\\]{1,63})*")
"""Labels of at most 63 octets (RFC 1035 2.3.4). A zone of AD is not confined to the names of hosts: there are slashes and underscores."""


@dataclass(frozen=True, slots=True)
class DnsNode:
    """A DNS name as it was read.

    Attributes:
        dn: Its distinguished name.
        partition: The partition that its zone lies in.
        descriptor: Owner, group and DACL.
        tombstoned: All its records were deleted; a new record of the name makes it live again, with the same DACL.
        may_write_dacl: The session's account may change the DACL; C(None) where the controller does not tell.
        may_write_owner: The same of the owner.
        descriptor_version: How often the descriptor was written, as replication counts; 0 where it cannot be read.
        turn_version: How often the mark was, by which writers take turns; see C(turn).
    """

    dn: str
    partition: str
    descriptor: SecurityDescriptor
    tombstoned: bool
    may_write_dacl: bool | None
    may_write_owner: bool | None
    descriptor_version: int
    turn_version: int = 0


@dataclass(frozen=True, slots=True)
class NodePlace:
    """Where a name is, or would be.

    Attributes:
        dn: The distinguished name of its node.
        zone_dn: That of its zone.
        partition: The partition that the zone lies in.
        entry: What was read of the node; C(None) where the zone has no such name.
    """

    dn: str
    zone_dn: str
    partition: str
    entry: DirectoryEntry | None


def relative_name(zone: str, record: str) -> tuple[str, str]:
    """Zone and name as DNS and AD store them: no dot at the end, the name relative to its zone, C(@) for the zone's own.

    Raises:
        ActivationError: One of them can't be a name of DNS.
    """
    zone, record = zone.removesuffix("."), record.removesuffix(".")
    if not _NAME.fullmatch(zone):
        raise ActivationError(f"'{zone}' is no name of a DNS zone.", source="options")
    if not _NAME.fullmatch(record):
        raise ActivationError(f"'{record}' is no DNS name.", source="options")
    if record.lower() == zone.lower():
        record = "@"
    elif record.lower().endswith(f".{zone.lower()}"):
        record = record[: -len(zone) - 1]
    return zone, record


def node_name(zone: str, record: str) -> str:
    """A name of a zone as people write it."""
    return zone if record == "@" else f"{record}.{zone}"


class ZoneMissing(ActivationError):
    """No partition of the directory holds the zone. Whether another DNS server does, the directory cannot tell."""


def locate(session: DirectorySession, zone: str, record: str, attributes: Sequence[str], sd_flags: int = 0) -> NodePlace:
    """Find the zone, and read its node of this name.

    Args:
        session: A session with a controller that holds the zone.
        zone: The zone's name.
        record: The name relative to the zone, or C(@) for the zone's own.
        attributes: What to read of the node.
        sd_flags: Which parts of its security descriptor to read.

    Raises:
        ZoneMissing: No partition holds the zone.
        ActivationError: More than one does, so that which of them the DNS server serves cannot be known; or the account may not read the
            zone or the node.
    """
    tried = []
    partitions = _partitions(session)
    for number, partition in enumerate(partitions):
        zone_dn = f"DC={rdn_value(zone)},CN=MicrosoftDNS,{partition}"
        dn = f"DC={rdn_value(record)},{zone_dn}"
        entry = session.read(dn, [*attributes, "objectClass"], sd_flags=sd_flags)
        if entry is not None or session.read(zone_dn, ["objectClass"]) is not None:
            _check_readable(session, zone, zone_dn, dn, entry)
            _check_alone(session, zone, partition, partitions[number + 1 :])
            return NodePlace(dn, zone_dn, partition, entry)
        tried.append(zone_dn)
    raise ZoneMissing(
        f"The zone {zone} is not in Active Directory as far as {session.server} and this account see: "
        f"searched for {'; '.join(tried)}. Check the zone's name, that it is AD-integrated, and that this controller runs its DNS.",
        name="noSuchObject",
        source="ldap",
    )


def _check_readable(session: DirectorySession, zone: str, zone_dn: str, dn: str, entry: DirectoryEntry | None) -> None:
    """Check that the account sees what the zone holds: what is hidden from it looks as if it were not there.

    Raises:
        ActivationError: It does not.
    """
    if entry is None:
        # Every zone has a node for its own name.
        if session.read(f"DC=@,{zone_dn}", ["objectClass"]) is not None:
            return
        lacks = f"{session.server} does not show what the zone {zone} holds. The account lacks LIST_CHILDREN on {zone_dn}."
    elif entry.texts("objectClass"):
        return
    else:
        lacks = f"{session.server} does not show what {dn} holds. The account lacks READ_PROPERTY on {dn}."
    raise ActivationError(
        f"{lacks} Have it delegated, or use another account.", code=plain(50), name="insufficientAccessRights", source="ldap"
    )


def _check_alone(session: DirectorySession, zone: str, partition: str, others: Sequence[str]) -> None:
    """Check that no further partition holds a zone of this name.

    Raises:
        ActivationError: One does.
    """
    for other in others:
        try:
            second = session.read(f"DC={rdn_value(zone)},CN=MicrosoftDNS,{other}", ["objectClass"])
        except ActivationError as failure:
            # A controller without a replica of a partition refers to another one, and its DNS server loads no zone from there.
            if failure.name != "referral":
                raise
            continue
        if second is not None:
            raise ActivationError(
                f"The zone {zone} is in two partitions of the directory, {partition} and {other}, as event 4515 of the DNS server says. "
                f"Nothing was changed, because {session.server} does not tell which of them is served. "
                "Have the copy that is not served deleted, and run this again.",
                name="zoneInTwoPartitions",
                source="ldap",
            )


def find_node(session: DirectorySession, zone: str, record: str) -> DnsNode | None:
    """The node of a name with its descriptor; C(None) where the zone is there and has no such name.

    Raises:
        ActivationError: No partition holds the zone, or the node's descriptor cannot be read.
    """
    place = locate(session, zone, record, _ATTRIBUTES, ldap_session.SD_OWNER_GROUP_DACL)
    return None if place.entry is None else _node(session, place.entry, place.dn, place.partition)


def read_node(session: DirectorySession, dn: str, partition: str) -> DnsNode | None:
    """The node of this distinguished name; C(None) where there is none.

    Raises:
        ActivationError: Its descriptor cannot be read.
    """
    entry = session.read(dn, _ATTRIBUTES, sd_flags=ldap_session.SD_OWNER_GROUP_DACL)
    return None if entry is None else _node(session, entry, dn, partition)


def next_serial(session: DirectorySession, zone_dn: str) -> int:
    """One more than the zone's serial number, which the DNS servers raise to it when they find what was written."""
    apex = session.read(f"DC=@,{zone_dn}", ["dnsRecord"])
    records = dns_record.records_in(apex.attributes.get("dnsrecord", [])) if apex else {}
    found = next((serial for record in records.values() if (serial := record.zone_serial) is not None), 0)
    return (found + 1) & 0xFFFFFFFF or 1


def _node(session: DirectorySession, entry: DirectoryEntry, dn: str, partition: str) -> DnsNode:
    if not entry.first("nTSecurityDescriptor"):
        raise ActivationError(
            f"{session.server} does not show who may write {dn}. The account lacks READ_CONTROL on {dn}. "
            "Have it delegated, or use another account.",
            code=plain(50),
            name="insufficientAccessRights",
            source="ldap",
        )
    may = entry.number("sDRightsEffective")
    versions = _versions(entry)
    return DnsNode(
        entry.dn or dn,
        partition,
        SecurityDescriptor.from_bytes(entry.first("nTSecurityDescriptor")),
        entry.text("dNSTombstoned").upper() == "TRUE",
        None if may is None else bool(may & ldap_session.SD_DACL),
        None if may is None else bool(may & ldap_session.SD_OWNER),
        versions.get(_DESCRIPTOR_ATTRIBUTE, 0),
        versions.get(_TURN_ATTRIBUTE, 0),
    )


def _partitions(session: DirectorySession) -> list[str]:
    """Where a zone can lie, in the order in which it usually does; the last is where Windows 2000 kept zones."""
    root = session.root
    usual = [f"DC=DomainDnsZones,{root.domain_dn}", f"DC=ForestDnsZones,{root.forest_dn}"]
    legacy = f"CN=System,{root.domain_dn}"
    known = [*usual, root.domain_dn, root.forest_dn, root.configuration_dn, f"CN=Schema,{root.configuration_dn}"]
    custom = [name for name in root.partitions if not any(same_dn(name, other) for other in known)]
    return [*usual, *custom, legacy]


_DESCRIPTOR_ATTRIBUTE, _TURN_ATTRIBUTE = 0x00020119, 0x000200E2
"""nTSecurityDescriptor and adminDescription (1.2.840.113556.1.2.281 and .226) by the prefix table of MS-DRSR 5.16.4."""


def _versions(entry: DirectoryEntry) -> dict[int, int]:
    """Versions by attribute in replPropertyMetaData (MS-DRSR 5.154: a header of 16 bytes, then 48 for each)."""
    data = entry.first("replPropertyMetaData")
    found = (data[offset : offset + 8] for offset in range(16, len(data) - 47, 48))
    return {int.from_bytes(each[:4], "little"): int.from_bytes(each[4:], "little") for each in found}
