# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can't work is refused, with the line that is wrong, and all such lines at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from declared_topologies import Declared, contoso

from ansible_collections.winops.volume_activation.plugins.filter.kms_topology import kms_topology

pytestmark = pytest.mark.tier("quick")

EAST, WEST = "volume_activation_sites.east", "volume_activation_sites.west"


def refusals(sites: Any, **options: Any) -> list[str]:
    with pytest.raises(AnsibleFilterError) as refused:
        kms_topology(sites, **options)
    return str(refused.value).split("\n")


def host(sites: Declared, **more: Any) -> None:
    sites["east"]["kms_hosts"][1].update(more)


CASES: list[tuple[str, Callable[[Declared], Any], str]] = [
    (
        "override of an unknown site",
        lambda sites: host(sites, overrides={"wets": {"priority": 80}}),
        f"{EAST}.kms_hosts[1].overrides.wets: there is no site wets. Did you mean west?",
    ),
    (
        "override of the own site",
        lambda sites: host(sites, overrides={"east": {"priority": 80}}),
        f"{EAST}.kms_hosts[1].overrides.east: it is the host's own site; use priority and weight of the host itself.",
    ),
    ("overrides as a text", lambda sites: host(sites, overrides="west"), f"{EAST}.kms_hosts[1].overrides: west is no dictionary."),
    (
        "key of an override",
        lambda sites: host(sites, overrides={"west": {"prio": 1}}),
        f"{EAST}.kms_hosts[1].overrides.west: there is no key prio. Did you mean priority?",
    ),
    (
        "publish as a number",
        lambda sites: host(sites, overrides={"west": {"publish": 7}}),
        f"{EAST}.kms_hosts[1].overrides.west.publish: 7 is neither true nor false.",
    ),
    ("weight too great", lambda sites: host(sites, weight=65536), f"{EAST}.kms_hosts[1].weight: 65536 is not in 0 to 65535."),
    ("weight as a text, too great", lambda sites: host(sites, weight="70000"), f"{EAST}.kms_hosts[1].weight: 70000 is not in 0 to 65535."),
    ("negative priority", lambda sites: host(sites, priority=-1), f"{EAST}.kms_hosts[1].priority: -1 is not in 0 to 65535."),
    ("priority as a fraction", lambda sites: host(sites, priority=1.5), f"{EAST}.kms_hosts[1].priority: 1.5 is no whole number."),
    ("priority as a truth value", lambda sites: host(sites, priority=True), f"{EAST}.kms_hosts[1].priority: True is no whole number."),
    ("port 0", lambda sites: host(sites, port=0), f"{EAST}.kms_hosts[1].port: 0 is not in 1 to 65535."),
    ("port of many digits", lambda sites: host(sites, port="0" * 5000), f"{EAST}.kms_hosts[1].port: {'0' * 77}... is no whole number."),
    ("key of many letters", lambda sites: host(sites, **{"q" * 99: 1}), f"{EAST}.kms_hosts[1]: there is no key {'q' * 77}...."),
    (
        "port in other digits",
        lambda sites: sites["west"].update(dns_servers=["10.0.0.1:\u00b2"]),
        f"{WEST}.dns_servers[0]: 10.0.0.1:\u00b2 is no full DNS name, such as kms-1.contoso.com.",
    ),
    ("unknown key of a host", lambda sites: host(sites, wieght=1), f"{EAST}.kms_hosts[1]: there is no key wieght. Did you mean weight?"),
    ("unlike any key", lambda sites: host(sites, colour="red"), f"{EAST}.kms_hosts[1]: there is no key colour."),
    ("address", lambda sites: host(sites, address="10.1.0.300"), f"{EAST}.kms_hosts[1].address: 10.1.0.300 is no IP address."),
    (
        "host without a domain",
        lambda sites: host(sites, name="kms-e2"),
        f"{EAST}.kms_hosts[1].name: kms-e2 is no full DNS name, such as kms-1.contoso.com.",
    ),
    ("host without a name", lambda sites: host(sites, name=""), f"{EAST}.kms_hosts[1].name: it is missing."),
    (
        "host as a text",
        lambda sites: sites["east"]["kms_hosts"].append("kms-e3.east.contoso.com"),
        f"{EAST}.kms_hosts[2]: kms-e3.east.contoso.com is no dictionary.",
    ),
    (
        "host twice",
        lambda sites: host(sites, name="KMS-W1.west.contoso.com."),
        f"{WEST}.kms_hosts[0].name: kms-w1.west.contoso.com is at {EAST}.kms_hosts[1] already; a host belongs to one site.",
    ),
    (
        "name in the inventory twice",
        lambda sites: host(sites, inventory_hostname="kms-e1.east.contoso.com"),
        f"{EAST}.kms_hosts[1].inventory_hostname: kms-e1.east.contoso.com is at {EAST}.kms_hosts[0] already.",
    ),
    (
        "site without hosts",
        lambda sites: sites["west"].update(kms_hosts=[]),
        f"{WEST}.kms_hosts: the site has no KMS host; list at least one.",
    ),
    ("hosts as a text", lambda sites: sites["west"].update(kms_hosts="kms"), f"{WEST}.kms_hosts: kms is no list."),
    ("site as a text", lambda sites: sites.update(north="here"), "volume_activation_sites.north: here is no dictionary."),
    ("key of a site", lambda sites: sites["west"].update(dns_server="x"), f"{WEST}: there is no key dns_server. Did you mean dns_servers?"),
    ("no domain", lambda sites: sites["west"].update(domain=None), f"{WEST}.domain: it is missing."),
    (
        "a list without controllers",
        lambda sites: sites["west"].update(domain_controllers=[]),
        f"{WEST}.domain_controllers: the list is empty; name at least one.",
    ),
    (
        "a text without controllers",
        lambda sites: sites["west"].update(domain_controllers="[]"),
        f"{WEST}.domain_controllers: the list is empty; name at least one.",
    ),
    (
        "servers as a text that is no list",
        lambda sites: sites["west"].update(dns_servers="['127.0.0.10'"),
        f"{WEST}.dns_servers: it can't be read as a list. Give a name, a list of names, or names with commas between them.",
    ),
    ("controllers as a number", lambda sites: sites["west"].update(domain_controllers=1), f"{WEST}.domain_controllers: 1 is no list."),
    ("no controllers", lambda sites: sites["west"].pop("domain_controllers"), f"{WEST}.domain_controllers: it is missing."),
    (
        "domain twice",
        lambda sites: sites["west"].update(domain="EAST.contoso.com"),
        f"{WEST}.domain: east.contoso.com is the domain of {EAST} already; clients of one domain follow one record, so make them one site.",
    ),
    (
        "zone of another domain",
        lambda sites: sites["west"].update(zone="east.contoso.com"),
        f"{WEST}.zone: east.contoso.com is neither west.contoso.com nor above it, so it can't hold the record of that domain.",
    ),
    (
        "server",
        lambda sites: sites["west"].update(dns_servers=["dc 1"]),
        f"{WEST}.dns_servers[0]: dc 1 is no full DNS name, such as kms-1.contoso.com.",
    ),
    (
        "network",
        lambda sites: sites["west"].update(client_networks=["10.2.0.1/16"]),
        f"{WEST}.client_networks[0]: 10.2.0.1/16 is no IP network, such as 10.1.0.0/16, or has bits set behind its prefix.",
    ),
    (
        "network of two sites",
        lambda sites: [site.update(client_networks=["10.1.0.0/16"]) for site in sites.values()],
        f"{WEST}.client_networks: 10.1.0.0/16 is a network of {EAST} already.",
    ),
    (
        "address of two hosts",
        lambda sites: [site["kms_hosts"][0].update(address="10.1.0.5") for site in sites.values()],
        f"{WEST}.kms_hosts[0].address: 10.1.0.5 is at {EAST}.kms_hosts[0] already.",
    ),
    (
        "way of publishing",
        lambda sites: sites["west"].update(remote_publish="dynamical"),
        f"{WEST}.remote_publish: dynamical is not dynamic or static. Did you mean dynamic?",
    ),
    (
        "scope",
        lambda sites: sites["west"].update(group_scope="forest"),
        f"{WEST}.group_scope: forest is not global, universal or domain_local.",
    ),
    ("name of a group", lambda sites: sites["west"].update(group="KMS/W"), f"{WEST}.group: KMS/W holds /, which no name of a group may."),
    (
        "group whose host is in another domain",
        lambda sites: host(sites, ad_domain="fabrikam.com"),
        (
            f"{EAST}.kms_hosts[1].ad_domain: kms-e2.east.contoso.com is in fabrikam.com, and the group KMS_E of east.contoso.com can't have it as"
            " a member, because a global group takes members of its own domain only; put the host into a site of fabrikam.com, or set group_scope:"
            " universal if both domains are in one forest."
        ),
    ),
    (
        "domain local group that needs rights in another domain",
        lambda sites: sites["east"].update(group_scope="domain_local"),
        (
            f"{EAST}.group_scope: the hosts of east publish themselves in west.contoso.com, where KMS_E needs rights, and a domain local group"
            " counts only in its own domain, east.contoso.com; use a global group, or set remote_publish: static for west."
        ),
    ),
]


@pytest.mark.parametrize(("change", "sentence"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_wrong_line_is_named_and_nothing_else(change: Callable[[Declared], Any], sentence: str):
    sites = contoso()
    change(sites)
    assert refusals(sites) == [sentence]


def test_every_wrong_line_is_named_at_once():
    sites = contoso()
    host(sites, weight=70000, port="x")
    sites["west"]["domain"] = "west"
    sites["west"]["kms_hosts"][0]["priority"] = [1]
    found = refusals(sites, local_priority=-3, remote_publish="magic")
    assert [line.partition(":")[0] for line in found] == [
        "volume_activation_local_priority",
        "volume_activation_remote_publish",
        f"{EAST}.kms_hosts[1].weight",
        f"{EAST}.kms_hosts[1].port",
        f"{WEST}.domain",
        f"{WEST}.kms_hosts[0].priority",
    ]


@pytest.mark.parametrize(
    "text", ["['dc1.west.contoso.com', '127.0.0.10:53']", "dc1.west.contoso.com, 127.0.0.10:53", "- DC1.west.contoso.com.\n- 127.0.0.10:53"]
)
def test_lists_of_a_site_are_read_as_those_of_surveys(text: str):
    sites = contoso()
    sites["west"].update(dns_servers=text)
    assert kms_topology(sites)["sites"]["west"]["dns_servers"] == ["dc1.west.contoso.com", "127.0.0.10:53"]


@pytest.mark.parametrize("sites", [None, "", {}, [], "east", 3])
def test_without_sites_there_is_no_topology(sites: Any):
    assert [line.partition(":")[0] for line in refusals(sites)] == ["volume_activation_sites"]


def test_one_key_covers_only_so_many_hosts():
    sites = contoso()
    assert kms_topology(sites, csvlk_hosts="4")["hosts"]
    (line,) = refusals(sites, csvlk_hosts=3)
    assert line.startswith("volume_activation_sites: there are 4 KMS hosts, and one KMS host key covers 3 computers;")


def test_a_credential_that_is_not_there_is_named_where_the_names_are_known():
    sites = contoso(credential="eastt")
    assert kms_topology(sites)["sites"]["east"]["credential"] == "eastt"
    found = refusals(sites, credentials=["east", "west"])
    assert found[0] == f"{EAST}.credential: volume_activation_credentials has no eastt. Did you mean east?"


def test_groups_of_one_domain_differ_by_more_than_case():
    sites = contoso(ad_domain="contoso.com")
    sites["west"]["group"] = "kms_e"
    (line,) = refusals(sites)
    assert line.startswith(f"{WEST}.group: kms_e in contoso.com is the group of {EAST} already;")


def test_a_universal_group_takes_hosts_of_other_domains_and_a_domain_local_one_stays_at_home():
    sites = contoso(group_scope="universal")
    host(sites, ad_domain="fabrikam.com")
    assert kms_topology(sites)["hosts"]["kms-e2.east.contoso.com"]["ad_domain"] == "fabrikam.com"
    assert kms_topology(contoso(group_scope="domain_local"), remote_publish="static")["grants"]
