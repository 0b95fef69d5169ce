# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones as they are found in companies: with aging, or in another partition; and time, which a test cannot wait for."""

from __future__ import annotations

import struct
import time
from typing import Literal

import ldap

from .. import names
from . import entries, programs
from .controller import Domain
from .programs import DomainError

Place = Literal["domain", "forest", "legacy"]
CONTAINERS: dict[Place, str] = {
    "domain": f"CN=MicrosoftDNS,DC=DomainDnsZones,{names.BASE_DN}",
    "forest": f"CN=MicrosoftDNS,DC=ForestDnsZones,{names.BASE_DN}",
    "legacy": f"CN=MicrosoftDNS,CN=System,{names.BASE_DN}",
}
"""Where a zone can be: for all DNS servers of the domain, of the forest, or as in Windows 2000."""

_STAMP = struct.Struct("<I")
# MS-DNSP 2.3.2.1: DataLength, NameLength, Flag, Version and Id before the data of a dNSProperty; 2.3.2.1.1 has the Ids.
_PROPERTY = struct.Struct("<5I")
_NO_REFRESH, _REFRESH, _AGING = 0x10, 0x20, 0x40


class Zones:
    """Changes to zones on one controller of a running domain. All methods raise DomainError or ldap.LDAPError."""

    def __init__(self, domain: Domain, controller: str = names.DC_NAME) -> None:
        self._controller = domain.controller(controller)

    def set_aging(self, on: bool = True, zone: str = names.ZONE, no_refresh_hours: int = 168, refresh_hours: int = 168) -> None:
        """Turn a zone's aging on or off, as ``samba-tool dns zoneoptions`` and ``Set-DnsServerZoneAging`` do."""
        self._run(
            programs.find("samba-tool"),
            "dns",
            "zoneoptions",
            self._controller.address,
            zone,
            f"--aging={int(on)}",
            f"--norefreshinterval={no_refresh_hours}",
            f"--refreshinterval={refresh_hours}",
            f"--configfile={self._controller.smb_conf}",
            programs.as_administrator(self._controller.name.realm),
        )

    def time_stamps(self, name: str = names.KMS_RECORD, zone_dn: str = names.ZONE_DN) -> list[int]:
        """The time stamps of a node's records, in hours since 1601; 0 is a static record."""
        with self._controller.as_system() as connection:
            ((_dn, values),) = connection.search_s(f"DC={name},{zone_dn}", ldap.SCOPE_BASE, attrlist=["dnsRecord"])
        return sorted(map(_stamp, values.get("dnsRecord", [])))

    def age(self, hours: int, name: str = names.KMS_RECORD, zone_dn: str = names.ZONE_DN, target: str | None = None) -> int:
        """Let the dynamic records of a node be older by so many hours, those of one SRV target only or all; returns how many there were."""
        dn = f"DC={name},{zone_dn}"
        with self._controller.as_system() as connection:
            ((_dn, values),) = connection.search_s(dn, ldap.SCOPE_BASE, attrlist=["dnsRecord"])
            before = values.get("dnsRecord", [])
            after = [_older(record, hours) if target is None or _names(record, target) else record for record in before]
            connection.modify_s(dn, [(ldap.MOD_REPLACE, "dnsRecord", after)])
        return sum(one != other for one, other in zip(before, after, strict=True))

    def scavenge(self, zone_dn: str = names.ZONE_DN) -> None:
        """Take away what nobody has refreshed in a zone with aging, which is what is older than its two intervals together.

        Values go one by one, and with the last one the node. Not by Samba's own scavenging, which in 4.17 now and then takes static
        values as well: C(dns_tombstone_records_zone) goes on reading an element of a message after C(ldb_msg_add_empty) has moved
        the array that it was in, and finds no values there.
        """
        with self._controller.as_system() as connection:
            ((_dn, zone),) = connection.search_s(zone_dn, ldap.SCOPE_BASE, attrlist=["dNSProperty"])
            settings = dict(map(_property, zone["dNSProperty"]))
            if not settings.get(_AGING):
                return
            oldest = entries.hours_now() - settings[_NO_REFRESH] - settings[_REFRESH]
            living = "(&(objectClass=dnsNode)(!(dNSTombstoned=TRUE)))"
            for dn, values in connection.search_s(zone_dn, ldap.SCOPE_ONELEVEL, living, ["dc", "dnsRecord"]):
                records = values.get("dnsRecord", [])
                expired = [record for record in records if 0 < _stamp(record) <= oldest]
                if expired and len(expired) == len(records):
                    self.tombstone(values["dc"][0].decode(), zone_dn)
                elif expired:
                    connection.modify_s(dn, [(ldap.MOD_DELETE, "dnsRecord", expired)])

    def tombstone(self, name: str = names.KMS_RECORD, zone_dn: str = names.ZONE_DN) -> None:
        """Make a node what deletion and scavenging leave for a week: dNSTombstoned, one record of type 0 (MS-DNSP 2.2.2.2.4.23)."""
        now = int((time.time() + entries.UNIX_EPOCH) * 10_000_000)
        record = entries.dns_record(0, struct.pack("<Q", now), ttl=0)
        with self._controller.as_system() as connection:
            changes = [(ldap.MOD_REPLACE, "dnsRecord", [record]), (ldap.MOD_REPLACE, "dNSTombstoned", [b"TRUE"])]
            connection.modify_s(f"DC={name},{zone_dn}", changes)

    def create(self, zone: str, place: Place) -> str:
        """Make a zone with SOA and NS records in one of :data:`CONTAINERS`; the DNS server starts anew to serve it. Returns its DN."""
        dn = f"DC={zone},{CONTAINERS[place]}"
        server = self._controller.name.fqdn
        with self._controller.as_system() as connection:
            ((_dn, model),) = connection.search_s(names.ZONE_DN, ldap.SCOPE_BASE, attrlist=["dNSProperty"])
            connection.add_s(dn, [("objectClass", [b"dnsZone"]), ("dNSProperty", model["dNSProperty"])])
            records = [entries.soa_record(server, f"hostmaster.{zone}"), entries.name_server_record(server)]
            connection.add_s(f"DC=@,{dn}", [("objectClass", [b"dnsNode"]), ("dnsRecord", records)])
        self._controller.stop()
        self._controller.start()
        self._controller.wait_ready()
        return dn

    def _run(self, *argv: str) -> None:
        programs.run(self._controller.layout, argv)


def _stamp(record: bytes) -> int:
    return int(_STAMP.unpack_from(record, entries.STAMP_OFFSET)[0])


def _property(value: bytes) -> tuple[int, int]:
    """The Id of a dNSProperty and its data as a number, whose length differs by Id."""
    length, _name_length, _flag, _version, number = _PROPERTY.unpack_from(value)
    return number, int.from_bytes(value[_PROPERTY.size : _PROPERTY.size + length], "little")


def _older(record: bytes, hours: int) -> bytes:
    stamp = _stamp(record)
    if not stamp:
        return record
    if stamp <= hours:
        raise DomainError("no record is older than 1601")
    return entries.stamped(record, stamp - hours)


def _names(record: bytes, target: str) -> bool:
    srv = entries.srv_of(record)
    return srv is not None and srv[3].lower() == target.lower()
