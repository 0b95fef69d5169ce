# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites of the lab as data: names, addresses, who is where; and what a cut link stops."""

from __future__ import annotations

import socket
from collections import Counter

import pytest

from lab import names, park, site_inventory, sites
from lab.links import CONTROL_NODE, Links, SiteResolver
from lab.windows.kms_line import CountAnswer
from lab.windows.kms_listener import KmsListener
from lab.windows.ports import DNS_ERROR_NO_DNS_SERVERS, DNS_ERROR_RCODE_SERVER_FAILURE, DnsError

pytestmark = pytest.mark.tier("test")


@pytest.mark.parametrize("kind", sites.KINDS)
def test_no_two_machines_share_anything(kind: str) -> None:
    known = sites.make(kind, ("north", "northwest", "south"), first_network=7)
    machines = sites.machines(known, 3, 20, 5)
    for attribute in ("label", "netbios", "address", "fqdn"):
        assert max(Counter(getattr(machine, attribute) for machine in machines).values()) == 1
    assert len({site.group for site in known}) == len(known)
    assert Counter(machine.site for machine in machines if machine.role == "client") == {"north": 7, "northwest": 7, "south": 6}
    assert {machine.realm for machine in machines} == {site.realm for site in known}


def test_the_document_has_two_sites_with_two_hosts_and_a_spare_one() -> None:
    hosts = sites.machines(sites.make("zones", sites.SITE_NAMES), 2, 0, 0)
    assert [(machine.label, machine.account) for machine in hosts if not machine.spare] == [
        ("kms-e1", "KMS_E1$"),
        ("kms-e2", "KMS_E2$"),
        ("kms-w1", "KMS_W1$"),
        ("kms-w2", "KMS_W2$"),
    ]
    assert [machine.fqdn for machine in hosts if machine.spare] == ["kms-e3.east.contoso.com"]
    assert sites.weights(2) == [75, 25]
    assert sites.weights(3) == [75, 12, 12]


def test_each_site_has_every_client_windows_of_the_park_and_a_machine_in_no_domain() -> None:
    known = sites.make("zones", sites.SITE_NAMES)
    machines = [item for item in sites.machines(known, 2, sites.SITE_CLIENTS, 0) if item.role == "client"]
    for site in known:
        here = [item for item in machines if item.site == site.name]
        assert {park.PARKS["document"].profile(item) for item in here} == set(park.PARKS["document"].clients)
        assert {item.member for item in here} == {True, False}


@pytest.mark.parametrize(
    ("kind", "site_names", "said"),
    [
        ("zones", ("east", "east"), "one name"),
        ("zones", ("Ost",), "small letters"),
        ("zones", (), "1 to 10"),
        ("forests", ("east",), "zones or domains"),
    ],
)
def test_what_cannot_be_is_named(kind: str, site_names: tuple[str, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        sites.make(kind, site_names)


def test_a_domain_of_its_own_has_passwords_of_its_own() -> None:
    east, west = (site.realm for site in sites.make("domains", sites.SITE_NAMES))
    assert len({realm.password(names.OPERATOR) for realm in (east, west, names.CONTOSO)}) == 3
    assert (east.name, east.netbios, east.base_dn) == ("EAST.CONTOSO.COM", "EAST", "DC=east,DC=contoso,DC=com")
    assert site_inventory.of_realm("LAB_DOMAIN_PASSWORD", west) == "LAB_DOMAIN_PASSWORD_WEST"


def test_each_direction_of_a_link_is_cut_alone() -> None:
    links = Links(sites.make("zones", ("east", "west", "north")))
    links.cut("east", "west", "to")
    assert (links.reaches("east", "west"), links.reaches("west", "east")) == (False, True)
    assert links.blocked("west") == ["127.1.0.0/16"]
    links.cut("west", "north", "from")
    links.block_control_node("west")
    assert links.blocked("west") == ["127.1.0.0/16", "127.3.0.0/16", CONTROL_NODE]
    links.mend("west", "east")
    assert links.blocked("west") == ["127.3.0.0/16", CONTROL_NODE]
    links.clear()
    assert links.blocked("west") == []


@pytest.mark.parametrize(("kind", "code"), [("zones", DNS_ERROR_NO_DNS_SERVERS), ("domains", DNS_ERROR_RCODE_SERVER_FAILURE)])
def test_over_a_cut_link_the_zone_of_another_domain_is_out_of_reach_and_a_copy_is_not(kind: str, code: int) -> None:
    east, west = known = sites.make(kind, sites.SITE_NAMES)
    links = Links(known)
    links.cut("east", "west")
    resolver = SiteResolver(east, known, links)
    # Who gets as far as asking has no server to ask here.
    for name, expected in ((f"kms-w1.{west.zone}", code), (f"kms-e1.{east.zone}", DNS_ERROR_NO_DNS_SERVERS)):
        with pytest.raises(DnsError) as failed:
            resolver.addresses(name, [])
        assert failed.value.code == expected


@pytest.mark.parametrize(("first", "second", "direction"), [("east", "south", "both"), ("east", "east", "both"), ("east", "west", "up")])
def test_a_link_that_is_not_there(first: str, second: str, direction: str) -> None:
    with pytest.raises(ValueError, match=r"no site south|no link to itself|to, from, both"):
        Links(sites.make("zones", sites.SITE_NAMES)).cut(first, second, direction)  # type: ignore[arg-type]


def test_a_blocked_network_gets_no_answer_and_any_other_does() -> None:
    def connects(source: str) -> bool:
        try:
            socket.create_connection(("127.88.1.1", port), 0.2, (source, 0)).close()
        except TimeoutError:
            return False
        return True

    with socket.socket() as probe:
        probe.bind(("127.88.1.1", 0))
        port = probe.getsockname()[1]
    listener = KmsListener("127.88.1.1", lambda _request: CountAnswer(0))
    try:
        listener.block(["127.89.0.0/16", "127.0.0.1/32"])
        listener.open(port)
        sources = ("127.89.1.1", "127.89.255.254", "127.0.0.1", "127.0.0.2", "127.90.1.1")
        assert [connects(source) for source in sources] == [False, False, False, True, True]
        listener.block(["127.90.0.0/16"])
        assert [connects(source) for source in sources] == [True, True, True, True, False]
        listener.block([])
        assert all(map(connects, sources))
    finally:
        listener.close()
