# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a DNS name is looked for, and what is asked of whom."""

from __future__ import annotations

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.dn import (
    dns_name_of,
    escaped,
    normal_dn,
    rdn_value,
    same_dn,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.dns_node import find_node
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.entry import DirectoryEntry, RootDse
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.principals import Domain
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.record_acl import WantedGrant
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.sddl import from_sddl

pytestmark = pytest.mark.tier("test")

FOREST = "DC=contoso,DC=com"
DOMAIN = f"DC=east,{FOREST}"
PARTITIONS = (
    DOMAIN,
    f"CN=Configuration,{FOREST}",
    f"CN=Schema,CN=Configuration,{FOREST}",
    f"DC=DomainDnsZones,{DOMAIN}",
    f"DC=forestdnszones,{FOREST}",
    "DC=dns-for-branches,DC=contoso,DC=com",
)
ROOT = RootDse(DOMAIN, FOREST, f"CN=Configuration,{FOREST}", PARTITIONS, 0.0)


class Directory:
    """The part of a session that reads, over a dictionary."""

    server = "dc1.east.contoso.com"
    root = ROOT

    def __init__(self, entries: dict[str, dict[str, list[bytes]]]) -> None:
        self.entries = {normal_dn(dn): DirectoryEntry(dn, attributes) for dn, attributes in entries.items()}
        self.asked: list[str] = []

    def read(self, dn: str, attributes: object, sd_flags: int = 0) -> DirectoryEntry | None:
        self.asked.append(dn)
        return self.entries.get(normal_dn(dn))

    def search(self, base: str, text: str, attributes: object, one_level: bool = False) -> list[DirectoryEntry]:
        self.asked.append(text)
        return [self.entries[normal_dn("CN=EAST,DC=x")]] if "crossRef" in text else []


def zone_in(partition: str, **node: bytes) -> Directory:
    zone = f"DC=east.contoso.com,CN=MicrosoftDNS,{partition}"
    entries: dict[str, dict[str, list[bytes]]] = {zone: {}, f"DC=@,{zone}": {}}
    if node:
        entries[f"DC=_vlmcs._tcp,{zone}"] = {"objectclass": [b"dnsNode"], **{name: [value] for name, value in node.items()}}
    return Directory(entries)


SOME = from_sddl("O:SYG:SYD:(A;;RP;;;WD)").to_bytes()
PLACES = [
    f"DC=DomainDnsZones,{DOMAIN}",
    f"DC=ForestDnsZones,{FOREST}",
    "DC=dns-for-branches,DC=contoso,DC=com",
    f"CN=System,{DOMAIN}",
]


@pytest.mark.parametrize("place", PLACES)
def test_a_zone_is_found_wherever_it_lies(place: str) -> None:
    directory = zone_in(place, ntsecuritydescriptor=SOME, dnstombstoned=b"TRUE", sdrightseffective=b"11")
    node = find_node(directory, "east.contoso.com", "_vlmcs._tcp")
    assert node is not None
    assert (node.partition, node.tombstoned, node.may_write_dacl) == (place, True, False)
    # Two questions for every place before it, one where it is, and one for each place behind it, where a second copy would be.
    assert len(directory.asked) == 2 * PLACES.index(place) + len(PLACES) - PLACES.index(place)


def test_a_zone_without_the_name() -> None:
    assert find_node(zone_in(PLACES[1]), "east.contoso.com", "_vlmcs._tcp") is None


def test_no_zone_names_every_place() -> None:
    with pytest.raises(ActivationError) as failed:
        find_node(Directory({}), "west.contoso.com", "_vlmcs._tcp")
    for place in PLACES:
        assert f"DC=west.contoso.com,CN=MicrosoftDNS,{place}" in str(failed.value)


def test_a_descriptor_that_may_not_be_read() -> None:
    with pytest.raises(ActivationError, match="lacks READ_CONTROL on DC=_vlmcs"):
        find_node(zone_in(PLACES[0], dnstombstoned=b"FALSE"), "east.contoso.com", "_vlmcs._tcp")


def test_what_is_hidden_is_not_taken_for_missing() -> None:
    directory = zone_in(PLACES[0])
    zone = f"DC=east.contoso.com,CN=MicrosoftDNS,{PLACES[0]}"
    del directory.entries[normal_dn(f"DC=@,{zone}")]
    with pytest.raises(ActivationError, match=f"lacks LIST_CHILDREN on {zone}"):
        find_node(directory, "east.contoso.com", "_vlmcs._tcp")
    directory.entries[normal_dn(f"DC=_vlmcs._tcp,{zone}")] = DirectoryEntry(f"DC=_vlmcs._tcp,{zone}", {})
    with pytest.raises(ActivationError, match=f"lacks READ_PROPERTY on DC=_vlmcs._tcp,{zone}"):
        find_node(directory, "east.contoso.com", "_vlmcs._tcp")


def test_the_version_of_the_descriptor_is_that_of_replication() -> None:
    """MS-DRSR 5.154: header of 16 bytes, entries of 48 that begin with attribute and version."""
    entries = [(0x20001, 9), (0x20119, 7)]
    data = bytes(16) + b"".join(a.to_bytes(4, "little") + v.to_bytes(4, "little") + bytes(40) for a, v in entries)
    node = find_node(zone_in(PLACES[0], ntsecuritydescriptor=SOME, replpropertymetadata=data), "east.contoso.com", "_vlmcs._tcp")
    assert node is not None
    assert node.descriptor_version == 7
    assert node.may_write_dacl is None


@pytest.mark.parametrize(
    ("zone", "record", "wanted", "name"),
    [
        ("contoso.com", "_vlmcs._tcp", ("contoso.com", "_vlmcs._tcp"), "_vlmcs._tcp.contoso.com"),
        ("contoso.com.", "_vlmcs._tcp.Contoso.com.", ("contoso.com", "_vlmcs._tcp"), "_vlmcs._tcp.contoso.com"),
        ("contoso.com", "contoso.com", ("contoso.com", "@"), "contoso.com"),
        ("contoso.com", "@", ("contoso.com", "@"), "contoso.com"),
        ("contoso.com", "notcontoso.com", ("contoso.com", "notcontoso.com"), "notcontoso.com.contoso.com"),
    ],
)
def test_names_as_dns_and_as_ad_have_them(zone: str, record: str, wanted: tuple[str, str], name: str) -> None:
    grant = WantedGrant.of(zone, record, "g", ["write", "read", "write"], "present", "")
    assert (grant.zone, grant.record) == wanted
    assert grant.node_name == f"dnsNode {name}"
    assert grant.rights == ("read", "write")


@pytest.mark.parametrize("zone", ["", ".", "contoso..com", "contoso com", "contoso.com..", "x" * 64 + ".com"])
def test_a_zone_that_cannot_be_is_refused_before_anybody_is_asked(zone: str) -> None:
    with pytest.raises(ActivationError, match="is no name of a DNS zone") as failed:
        WantedGrant.of(zone, "_vlmcs._tcp", "g", ["write"], "present", "")
    assert failed.value.source == "options"
    with pytest.raises(ActivationError, match="is no DNS name"):
        WantedGrant.of("contoso.com", "_vlmcs.._tcp", "g", ["write"], "present", "")
    assert WantedGrant.of("0/25.2.0.192.in-addr.arpa", "*", "g", ["write"], "present", "").record == "*"


@pytest.mark.parametrize(
    ("given", "named", "own"),
    [
        ("KMS_Hosts", "EAST\\KMS_Hosts", True),
        ("EAST\\KMS_Hosts", "EAST\\KMS_Hosts", True),
        ("east.contoso.com\\KMS_Hosts", "EAST\\KMS_Hosts", True),
        ("KMS_Hosts@contoso.com", "EAST\\KMS_Hosts", True),
        (f"CN=KMS_Hosts,CN=Users,{DOMAIN}", "EAST\\KMS_Hosts", True),
        ("S-1-5-21-1-2-3-1110", "S-1-5-21-1-2-3-1110", True),
        ("WEST\\KMS_Hosts", "EAST\\KMS_Hosts", False),
        (f"CN=KMS_Hosts,CN=Users,DC=west,{FOREST}", "EAST\\KMS_Hosts", False),
        (f"CN=KMS_Hosts,CN=Users,DC=sub,{DOMAIN}", "EAST\\KMS_Hosts", False),
    ],
)
def test_names_of_a_domain(given: str, named: str, own: bool) -> None:
    domain = Domain(Directory({"CN=EAST,DC=x": {"netbiosname": [b"EAST"]}}))
    assert domain.is_own(given) is own
    if own:
        assert domain.named(given) == named
        assert domain.find([given]) == {given: None}
    else:
        with pytest.raises(ActivationError, match=r"of another domain than east\.contoso\.com"):
            domain.find([given])


def test_what_goes_into_filters_and_names_is_escaped() -> None:
    assert escaped("a*(b)\\") == "a\\2a\\28b\\29\\5c"
    assert escaped(b"\x01\xff") == "\\01\\ff"
    assert rdn_value("a,b=c+") == "a\\,b\\=c\\+"
    assert same_dn("CN=a\\,b, DC=X", "cn=A\\2cB,dc=x")
    assert not same_dn("CN=a,DC=x", "CN=b,DC=x")
    assert dns_name_of("DC=East,DC=contoso,DC=com") == "east.contoso.com"
