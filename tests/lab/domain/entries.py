# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries for the domain before its first start, as LDIF: computers, users, group memberships and DNS nodes.

They are written into the database file, which takes a fraction of a second for a whole park; ``samba-tool`` would start
a process for each.
"""

from __future__ import annotations

import base64
import ipaddress
import struct
import time
from collections.abc import Iterable, Sequence

from .. import names

_USER_FLAGS = 0x10200  # NORMAL_ACCOUNT, DONT_EXPIRE_PASSWD
_COMPUTER_FLAGS = 0x1000  # WORKSTATION_TRUST_ACCOUNT
_TTL = 1200
_TYPE_A = 1
_TYPE_NS = 2
_TYPE_CNAME = 5
_TYPE_SOA = 6
_TYPE_SRV = 33
STAMP_OFFSET = 20
"""Where dwTimeStamp is in a ``dnsRecord``."""
UNIX_EPOCH = 11_644_473_600
"""Seconds from 1601 to 1970."""


def _line(name: str, value: str | bytes) -> str:
    data = value.encode() if isinstance(value, str) else value
    return f"{name}:: {base64.b64encode(data).decode()}"


def _password(password: str) -> str:
    # MS-ADTS 3.1.1.3.1.5: unicodePwd is the password in double quotes, UTF-16LE.
    return _line("unicodePwd", f'"{password}"'.encode("utf-16-le"))


def _entry(dn: str, kind: str, lines: Iterable[str]) -> str:
    return "\n".join([f"dn: {dn}", f"changetype: {kind}", *lines, "", ""])


def computer(machine: names.Machine) -> str:
    """A computer account with the SPNs that a joined machine registers for itself.

    HTTP is not among them: the KDC finds it by HOST (sPNMappings), as on Windows.
    """
    services = [f"{service}/{name}" for service in ("HOST", "RestrictedKrbHost", "WSMAN") for name in (machine.netbios, machine.fqdn)]
    return _entry(
        machine.dn,
        "add",
        [
            "objectClass: computer",
            f"sAMAccountName: {machine.account}",
            f"userAccountControl: {_COMPUTER_FLAGS}",
            f"dNSHostName: {machine.fqdn}",
            *(f"servicePrincipalName: {service}" for service in services),
            _password(machine.password),
        ],
    )


def user(name: str, realm: names.Realm, groups: Sequence[str] = ()) -> str:
    """A user with a UPN, and its memberships in groups of CN=Users."""
    dn = f"CN={name},CN=Users,{realm.base_dn}"
    account = _entry(
        dn,
        "add",
        [
            "objectClass: user",
            f"sAMAccountName: {name}",
            f"userPrincipalName: {realm.principal(name)}",
            f"userAccountControl: {_USER_FLAGS}",
            _password(realm.password(name)),
        ],
    )
    memberships = (_entry(f"CN={group},CN=Users,{realm.base_dn}", "modify", ["add: member", f"member: {dn}"]) for group in groups)
    return account + "".join(memberships)


def dns_record(rtype: int, data: bytes, ttl: int = _TTL, serial: int = 1) -> bytes:
    """A ``dnsRecord`` value (MS-DNSP 2.3.2.2) with rank 0xF0 and time stamp 0, which means static."""
    return struct.pack("<HHBBHI", len(data), rtype, 5, 0xF0, 0, serial) + struct.pack(">I", ttl) + bytes(8) + data


def address_record(address: str) -> bytes:
    """The ``dnsRecord`` of an A record."""
    return dns_record(_TYPE_A, ipaddress.IPv4Address(address).packed)


def alias_record(target: str) -> bytes:
    """The ``dnsRecord`` of a CNAME record."""
    return dns_record(_TYPE_CNAME, _counted_name(target))


def name_server_record(server: str) -> bytes:
    """The ``dnsRecord`` of an NS record."""
    return dns_record(_TYPE_NS, _counted_name(server))


def soa_record(server: str, mailbox: str) -> bytes:
    """The ``dnsRecord`` of an SOA record with serial 1 and the intervals that Windows gives a new zone (MS-DNSP 2.2.2.2.4.3)."""
    return dns_record(_TYPE_SOA, struct.pack(">5I", 1, 900, 600, 86400, 3600) + _counted_name(server) + _counted_name(mailbox))


def _counted_name(name: str) -> bytes:
    """A DNS_COUNT_NAME (MS-DNSP 2.2.2.2.2)."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    return bytes([len(labels), name.count(".") + 1]) + labels


def srv_record(priority: int, weight: int, port: int, target: str) -> bytes:
    """The ``dnsRecord`` of an SRV record (MS-DNSP 2.2.2.2.4.18)."""
    return dns_record(_TYPE_SRV, struct.pack(">HHH", priority, weight, port) + _counted_name(target))


def hours_now() -> int:
    """The present hour as dwTimeStamp has it, counted from 1601."""
    return (int(time.time()) + UNIX_EPOCH) // 3600


def stamped(record: bytes, hours: int) -> bytes:
    """A ``dnsRecord`` with that dwTimeStamp (MS-DNSP 2.3.2.2), in hours since 1601; 0 is static."""
    return record[:STAMP_OFFSET] + struct.pack("<I", hours) + record[STAMP_OFFSET + 4 :]


def srv_of(record: bytes) -> tuple[int, int, int, str] | None:
    """Priority, weight, port and target of a ``dnsRecord`` value (MS-DNSP 2.3.2.2, 2.2.2.2.4.18), None if it is no SRV."""
    length, rtype = struct.unpack_from("<HH", record)
    if rtype != _TYPE_SRV:
        return None
    data = record[24 : 24 + length]
    priority, weight, port = struct.unpack_from(">HHH", data)
    labels, offset = [], 8  # DNS_COUNT_NAME: its length and its number of labels come first
    for _index in range(data[7]):
        labels.append(data[offset + 1 : offset + 1 + data[offset]].decode())
        offset += 1 + data[offset]
    return priority, weight, port, ".".join(labels)


def _node(dn: str, *records: bytes) -> str:
    """A dnsNode."""
    return _entry(dn, "add", ["objectClass: dnsNode", *(_line("dnsRecord", record) for record in records)])


def zone(name: str, realm: names.Realm, server: str, properties: Sequence[str]) -> str:
    """A zone with SOA and NS records; ``properties`` are its dNSProperty values in base64.

    It has the security descriptor that the schema gives every zone: authenticated users may create nodes, as secure dynamic
    update needs it.
    """
    dn = realm.zone_dn(name)
    made = _entry(dn, "add", ["objectClass: dnsZone", *(f"dNSProperty:: {value}" for value in properties)])
    return made + _node(f"DC=@,{dn}", soa_record(server, f"hostmaster.{name}"), name_server_record(server))


def partner_records(label: str, records: Sequence[bytes], first: names.Controller, second: names.Controller) -> list[bytes]:
    """What the node of that label has to hold for a second controller, from what it holds for the first.

    That is its part in NS and SRV records, except for the one of the primary domain controller (``_ldap._tcp.pdc``), of
    which there is one; and in the A records of the zone and of what every controller serves.
    """
    if label.startswith("_ldap._tcp.pdc") or label == first.label:
        return []
    old, new = (bytes([len(name.label)]) + name.label.encode() for name in (first, second))
    found = [record.replace(old, new) for record in records if _type(record) in (_TYPE_NS, _TYPE_SRV) and old in record]
    addresses = (address_record(first.address), address_record(second.address))
    return found + [addresses[1] for record in records if _type(record) == _TYPE_A and record[24:] == addresses[0][24:]]


def _type(record: bytes) -> int:
    found: int = struct.unpack_from("<H", record, 2)[0]
    return found


def services(controller: names.Controller) -> list[str]:
    """The services that a controller registers for itself some time after its start, which nobody here waits for."""
    return [
        f"ldap/{controller.fqdn}",
        f"ldap/{controller.netbios}",
        f"ldap/{controller.fqdn}/{controller.realm.domain}",
        f"GC/{controller.fqdn}/{controller.realm.domain}",
    ]


def controller_services(controller: names.Controller) -> str:
    """The first controller's services."""
    lines = [f"servicePrincipalName: {service}" for service in services(controller)]
    return _entry(controller.dn, "modify", ["add: servicePrincipalName", *lines])


def domain_entries(first: names.Controller, machines: Sequence[names.Machine], zones: Sequence[str] = ()) -> str:
    """All that the domain partition gets. ``zones`` are other DNS suffixes than the domain's own that its machines have."""
    realm = first.realm
    people = [user(names.OPERATOR, realm, ["Domain Admins"]), user(names.WINRM_USER, realm)]
    # What lets a computer have a DNS name outside of its domain (MS-ADTS 3.1.1.5.3.1.1.2).
    suffixes = [_entry(realm.base_dn, "modify", ["add: msDS-AllowedDNSSuffixes", *(f"msDS-AllowedDNSSuffixes: {item}" for item in zones)])]
    members = (computer(machine) for machine in machines if machine.member)
    return "".join([controller_services(first), *people, *(suffixes if zones else []), *members])


def dns_entries(machines: Sequence[names.Machine]) -> str:
    """All that the zones get."""
    return "".join(_node(machine.realm.record_dn(machine.zone, machine.label), address_record(machine.address)) for machine in machines)
