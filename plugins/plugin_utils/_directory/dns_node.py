# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The object behind a DNS name in Active Directory, and who may write it. Private to the collection.

A name of an integrated zone is one C(dnsNode), whatever its number of records and however many dots it has
(C(DC=_vlmcs._tcp)); the zone lies in one of several partitions (MS-DNSP 2.3.1.1).
"""

from __future__ import annotations

from dataclasses import dataclass

from .._errors import ActivationError
from . import session as ldap_session
from .dn import rdn_value, same_dn
from .security_descriptor import SecurityDescriptor
from .session import Entry, Session

_ATTRIBUTES = ("nTSecurityDescriptor", "dNSTombstoned", "sDRightsEffective", "replPropertyMetaData", "objectClass")


@dataclass(frozen=True, slots=True)
class DnsNode:
    """A DNS name as it was read.

    Attributes:
        dn: Its distinguished name.
        partition: The partition that its zone lies in.
        descriptor: Owner, group and DACL.
        tombstoned: All its records were deleted; a new record of the name makes it live again, with the same DACL.
        may_write_dacl: The session's account may change the DACL; C(None) where the controller does not tell.
        descriptor_version: How often the descriptor was written, as replication counts; 0 where it cannot be read.
    """

    dn: str
    partition: str
    descriptor: SecurityDescriptor
    tombstoned: bool
    may_write_dacl: bool | None
    descriptor_version: int


def find_node(session: Session, zone: str, record: str) -> DnsNode | None:
    """The node of a name; C(None) where the zone is there and has no such name.

    Args:
        session: A session with a controller that holds the zone.
        zone: The zone's name.
        record: The name relative to the zone, or C(@) for the zone's own.

    Raises:
        ActivationError: No partition holds the zone, or the node's descriptor cannot be read.
    """
    tried = []
    for partition in _partitions(session):
        zone_dn = f"DC={rdn_value(zone)},CN=MicrosoftDNS,{partition}"
        node = read_node(session, f"DC={rdn_value(record)},{zone_dn}", partition)
        if node is not None or session.read(zone_dn, ["objectClass"]) is not None:
            return node
        tried.append(zone_dn)
    raise ActivationError(
        f"The zone {zone} is not in Active Directory as far as {session.server} and this account see: "
        f"searched for {'; '.join(tried)}. Check the zone's name, that it is AD-integrated, and that this controller runs its DNS.",
        name="noSuchObject",
        source="ldap",
    )


def read_node(session: Session, dn: str, partition: str) -> DnsNode | None:
    """The node of this distinguished name; C(None) where there is none.

    Raises:
        ActivationError: Its descriptor cannot be read.
    """
    entry = session.read(dn, _ATTRIBUTES, sd_flags=ldap_session.SD_OWNER_GROUP_DACL)
    if entry is None:
        return None
    if not entry.first("nTSecurityDescriptor"):
        raise ActivationError(
            f"{session.server} does not show who may write {dn}. The account lacks READ_CONTROL on {dn}.",
            code="50",
            name="insufficientAccessRights",
            source="ldap",
        )
    effective = entry.text("sDRightsEffective")
    return DnsNode(
        entry.dn or dn,
        partition,
        SecurityDescriptor.from_bytes(entry.first("nTSecurityDescriptor")),
        entry.text("dNSTombstoned").upper() == "TRUE",
        bool(int(effective) & ldap_session.SD_DACL) if effective else None,
        _descriptor_version(entry),
    )


def _partitions(session: Session) -> list[str]:
    """Where a zone can lie, in the order in which it usually does; the last is where Windows 2000 kept zones."""
    root = session.root
    usual = [f"DC=DomainDnsZones,{root.domain_dn}", f"DC=ForestDnsZones,{root.forest_dn}"]
    legacy = f"CN=System,{root.domain_dn}"
    known = [*usual, root.domain_dn, root.forest_dn, root.configuration_dn, f"CN=Schema,{root.configuration_dn}"]
    custom = [name for name in root.partitions if not any(same_dn(name, other) for other in known)]
    return [*usual, *custom, legacy]


_DESCRIPTOR_ATTRIBUTE = 0x00020119
"""nTSecurityDescriptor (1.2.840.113556.1.2.281) by the prefix table of MS-DRSR 5.16.4."""


def _descriptor_version(entry: Entry) -> int:
    """The version of nTSecurityDescriptor in replPropertyMetaData (MS-DRSR 5.154: a header of 16 bytes, then 48 for each)."""
    data = entry.first("replPropertyMetaData")
    for offset in range(16, len(data) - 47, 48):
        if int.from_bytes(data[offset : offset + 4], "little") == _DESCRIPTOR_ATTRIBUTE:
            return int.from_bytes(data[offset + 4 : offset + 8], "little")
    return 0
