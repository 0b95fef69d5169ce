# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from a topology, for the one of the scenarios and for any other."""

from __future__ import annotations

import random
import re
from collections import Counter
from typing import Any

import dns.rdataset
import pytest
from declared_topologies import Declared, contoso, topologies
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.filter.kms_topology import kms_topology

pytestmark = pytest.mark.tier("quick")

MANY = 1000


def derive(sites: Declared, **options: Any) -> dict[str, Any]:
    return kms_topology(sites, csvlk_hosts=MANY, **options)


def values(zone: dict[str, Any], which: str = "values") -> list[tuple[str, int, int, int]]:
    return [(value["target"], value["port"], value["priority"], value["weight"]) for value in zone[which]]


def test_table_5_of_the_scenarios():
    found = derive(contoso())
    assert values(found["zones"]["east.contoso.com"]) == [
        ("kms-e1.east.contoso.com", 1688, 10, 75),
        ("kms-e2.east.contoso.com", 1688, 10, 25),
        ("kms-w1.west.contoso.com", 1688, 90, 75),
        ("kms-w2.west.contoso.com", 1688, 90, 25),
    ]
    assert values(found["zones"]["west.contoso.com"]) == [
        ("kms-w1.west.contoso.com", 1688, 10, 75),
        ("kms-w2.west.contoso.com", 1688, 10, 25),
        ("kms-e1.east.contoso.com", 1688, 90, 75),
        ("kms-e2.east.contoso.com", 1688, 90, 25),
    ]
    assert found["hosts"]["kms-w2.west.contoso.com"]["publish_lines"] == ["west.contoso.com, 10, 25", "east.contoso.com, 90, 25"]
    assert [(grant["record"], grant["group"], grant["home"]) for grant in found["grants"]] == [
        ("_vlmcs._tcp.east.contoso.com", "KMS_E", True),
        ("_vlmcs._tcp.east.contoso.com", "KMS_W", False),
        ("_vlmcs._tcp.west.contoso.com", "KMS_W", True),
        ("_vlmcs._tcp.west.contoso.com", "KMS_E", False),
    ]
    assert [(step["priority"], [(host["target"][:6], host["share"]) for host in step["hosts"]]) for step in found["orders"]["west"]] == [
        (10, [("kms-w1", 75.0), ("kms-w2", 25.0)]),
        (90, [("kms-e1", 75.0), ("kms-e2", 25.0)]),
    ]


def test_with_static_the_control_node_writes_the_remote_half_and_each_group_needs_its_own_record_alone():
    found = derive(contoso(), remote_publish="static")
    for site in ("east", "west"):
        zone = found["zones"][f"{site}.contoso.com"]
        assert [target[4] for target, *_ in values(zone, "dynamic")] == [site[0]] * 2
        assert [target[4] for target, *_ in values(zone, "static")] == [{"east": "w", "west": "e"}[site]] * 2
        assert [grant["site"] for grant in zone["grants"]] == [site]
    assert found["hosts"]["kms-e1.east.contoso.com"]["publish_lines"] == ["east.contoso.com, 10, 75"]
    assert {flow["port"] for flow in found["flows"]} == {1688}


def test_an_override_changes_one_site_alone():
    sites = contoso()
    sites["north"] = {**contoso()["east"], "domain": "north.contoso.com", "group": "KMS_N"}
    sites["north"]["kms_hosts"] = [{"name": "kms-n1.north.contoso.com"}]
    plain = derive(sites)
    sites["east"]["kms_hosts"][0]["overrides"] = {"west": {"priority": 80, "weight": 10}, "north": {"publish": "no"}}
    found = derive(sites)
    assert values(found["zones"]["west.contoso.com"])[2] == ("kms-e1.east.contoso.com", 1688, 80, 10)
    assert values(found["zones"]["east.contoso.com"]) == values(plain["zones"]["east.contoso.com"])
    assert "kms-e1.east.contoso.com" not in [target for target, *_ in values(found["zones"]["north.contoso.com"])]
    assert found["hosts"]["kms-e1.east.contoso.com"]["publish_lines"] == ["east.contoso.com, 10, 75", "west.contoso.com, 80, 10"]


def test_a_group_none_of_whose_hosts_publishes_in_a_zone_gets_no_rights_there():
    sites = contoso()
    for host in sites["east"]["kms_hosts"]:
        host["overrides"] = {"west": {"publish": False}}
    assert [grant["group"] for grant in derive(sites)["zones"]["west.contoso.com"]["grants"]] == ["KMS_W"]


def test_what_awx_hands_over_as_text_is_a_number_and_an_empty_text_is_unset():
    sites = contoso(remote_publish="", client_networks="10.1.0.0/16", zone="")
    sites["west"]["client_networks"] = ""
    sites["east"]["kms_hosts"][0] |= {"weight": "75", "priority": "", "port": " 1688 ", "overrides": {"west": ""}}
    found = derive(sites, local_priority="10", remote_priority="", remote_publish="")
    assert found["zones"] == derive(contoso())["zones"]
    assert [found["sites"][site]["client_networks"] for site in sites] == [["10.1.0.0/16"], []]


@pytest.mark.parametrize(("ad_domain", "ports"), [("contoso.com", {53}), ("", {53, 88})])
def test_a_host_needs_the_other_sites_kdc_only_where_that_is_another_domain(ad_domain: str, ports: set[int]):
    found = derive(contoso(ad_domain=ad_domain, dns_servers=["ns.contoso.com", "10.9.0.1:5353"]))
    published = [flow for flow in found["flows"] if "from_host" in flow]
    assert {(flow["from_site"], flow["to_site"]) for flow in published} == {("east", "west"), ("west", "east")}
    assert {flow["port"] for flow in published} == ports | {5353}
    assert {flow["to_server"] for flow in published if flow["port"] == 53} == {"ns.contoso.com"}
    assert {flow["purpose"] for flow in published} == {"publication in east.contoso.com", "publication in west.contoso.com"}


@given(topologies())
def test_each_record_holds_every_publishing_host_once_and_the_ways_of_getting_there_make_the_whole(sites: Declared):
    found = derive(sites)
    hosts = {host["name"]: (name, host) for name, site in sites.items() for host in site["kms_hosts"]}
    for name, site in sites.items():
        zone = found["zones"][site["domain"]]
        hidden = {
            host for host, (home, raw) in hosts.items() if home != name and not raw.get("overrides", {}).get(name, {}).get("publish", True)
        }
        assert Counter(target for target, *_ in values(zone)) == Counter(hosts.keys() - hidden)
        assert Counter(values(zone, "dynamic") + values(zone, "static")) == Counter(values(zone))


@given(topologies())
def test_the_lines_that_the_hosts_publish_give_the_dynamic_values_back(sites: Declared):
    found = derive(sites)
    published: dict[str, set[tuple[str, int, int, int]]] = {}
    for host in found["hosts"].values():
        # The form of the value as Microsoft describes it: domain, priority, weight.
        lines = [re.fullmatch(r"([a-z0-9.-]+), ([0-9]+), ([0-9]+)", line).groups() for line in host["publish_lines"]]
        assert lines[0][0] == found["sites"][host["site"]]["domain"]
        for (domain, priority, weight), entry in zip(lines, host["publish_list"], strict=True):
            assert entry == {"domain": domain, "priority": int(priority), "weight": int(weight), "dns_servers": entry["dns_servers"]}
            published.setdefault(domain, set()).add((host["name"], host["port"], int(priority), int(weight)))
    for domain, zone in found["zones"].items():
        assert published[domain] == set(values(zone, "dynamic"))


@given(topologies())
def test_rights_are_given_exactly_where_a_host_of_the_group_publishes_itself(sites: Declared):
    found = derive(sites)
    needed = {
        (found["sites"][host["site"]]["group"], entry["domain"]) for host in found["hosts"].values() for entry in host["publish_list"]
    }
    granted = [(grant["group"], grant["domain"]) for grant in found["grants"]]
    assert Counter(granted) == Counter(needed)
    assert sorted(granted) == sorted((grant["group"], domain) for domain, zone in found["zones"].items() for grant in zone["grants"])
    assert all(grant["home"] == (found["sites"][grant["site"]]["domain"] == grant["domain"]) for grant in found["grants"])


@given(topologies(ordered=True))
def test_clients_try_the_hosts_of_their_own_site_before_all_others(sites: Declared):
    for name, order in derive(sites)["orders"].items():
        own = {host["name"] for host in sites[name]["kms_hosts"]}
        tried = [host["target"] in own for step in order for host in step["hosts"]]
        assert tried == sorted(tried, reverse=True)
        assert sum(tried) == len(own)


@given(topologies())
def test_each_client_network_reaches_every_host_that_its_record_names(sites: Declared):
    found = derive(sites)
    for name, site in found["sites"].items():
        flows = [flow for flow in found["flows"] if flow["from_site"] == name and "to_host" in flow]
        assert [(flow["to_host"], flow["port"]) for flow in flows] == [(t, port) for t, port, *_ in values(found["zones"][site["domain"]])]
        assert all((flow["purpose"] == "activation") == (flow["to_site"] == name) for flow in flows)


@given(topologies(), st.data())
def test_the_names_of_sites_mean_nothing(sites: Declared, data: st.DataObject):
    new = data.draw(
        st.lists(st.text(min_size=1), min_size=len(sites), max_size=len(sites), unique=True).filter(
            lambda names: all(n.strip() for n in names)
        )
    )
    called = dict(zip(sites, new, strict=True))
    renamed = {
        called[name]: {**site, "kms_hosts": [with_overrides(host, called) for host in site["kms_hosts"]]} for name, site in sites.items()
    }
    assert with_names(derive(sites), called) == derive(renamed)


def with_overrides(host: dict[str, Any], called: dict[str, str]) -> dict[str, Any]:
    return {**host, "overrides": {called[site]: override for site, override in host.get("overrides", {}).items()}}


def with_names(found: dict[str, Any], called: dict[str, str]) -> dict[str, Any]:
    """A result in which only the names of the sites are others."""

    def renamed(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: renamed(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [renamed(item) for item in value]
        return called[value] if key in ("site", "from_site", "to_site") else value

    found = renamed(found)
    found["sites"] = {called[name]: {**site, "name": called[name]} for name, site in found["sites"].items()}
    found["orders"] = {called[name]: order for name, order in found["orders"].items()}
    return found


def test_another_authors_selection_gives_three_quarters_and_one_and_then_the_other_site():
    """dnspython chooses among the values that the topology derives."""
    zone = derive(contoso())["zones"]["east.contoso.com"]
    rrset = dns.rdataset.from_text(
        "IN", "SRV", 600, *(f"{priority} {weight} {port} {target}." for target, port, priority, weight in values(zone))
    )
    random.seed(20)
    orders = [[str(value.target)[4:6] for value in rrset.processing_order()] for _ in range(4000)]
    first = Counter(order[0] for order in orders)
    assert first["e1"] + first["e2"] == 4000
    # Five standard deviations of a share of 75 % in 4000 draws are 3.4 %.
    assert 0.716 < first["e1"] / 4000 < 0.784
    assert all({*order[:2]} == {"e1", "e2"} and {*order[2:]} == {"w1", "w2"} for order in orders)
    fallback = Counter(order[2] for order in orders)
    assert 0.716 < fallback["w1"] / 4000 < 0.784
