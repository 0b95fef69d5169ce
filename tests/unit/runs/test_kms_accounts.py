# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which KMS hosts are looked up, and what a run makes of their machine accounts and names."""

from __future__ import annotations

from typing import Any

import error_catalogue
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.fleet import fleet_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms import steps
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms.accounts import account_findings, foreign_homes, leaving
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms.settings import read_settings
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.registered import Registered

pytestmark = pytest.mark.tier("quick")

SINGLE, SEVERAL = "kms_single_site", "kms_multi_site"
EAST, WEST = "kms-e1.east.example", "kms-w1.west.example"
SITES = {
    name: {"domain": f"{name}.example", "domain_controllers": [f"dc1.{name}.example"], "kms_hosts": [{"name": host}]}
    for name, host in (("east", EAST), ("west", WEST))
}
SID, OTHER = "S-1-5-21-1-2-3-1104", "S-1-5-21-4-5-6-1104"
NAMELESS, ELSEWHERE, SILENT, TWO_DOMAINS = (
    "a KMS host that has no full name",
    "a KMS host of another domain than that of its clients",
    "a domain controller that does not tell machine accounts",
    "a KMS host that goes and has accounts in two domains",
)
WRITTEN = error_catalogue.paired("Names and accounts of the KMS hosts of a run", [NAMELESS, ELSEWHERE, SILENT, TWO_DOMAINS])


def entry(account: str = "", sid: str = "", dns_name: str = "", problem: str = "") -> dict[str, str]:
    return {"account": account, "sid": sid, "dns_name": dns_name, "problem": problem}


def run_of(
    face: str, settings: dict[str, Any], computers: dict[str, str], looked: list[dict[str, Any]] | None = None, **variables: dict[str, str]
) -> steps.Run:
    """A run whose KMS hosts were read; C(computers) are the names that they give themselves."""
    hosts = list(computers)
    licenses = {host: {"operating_system": {"computer_name": name}} if name else {"msg": "dark"} for host, name in computers.items()}
    once = {"declared": steps.declare(face, settings, [], []), "accounts": {"results": looked or []}}
    results = {name: dict.fromkeys(hosts, result) for name, result in once.items()}
    found = Registered(hosts, {**results, "license": licenses}, {f"{face}_{name}": given for name, given in variables.items()})
    return steps.Run(fleet_of(hosts, hosts, {"kms_hosts": hosts}, steps.GROUPS), found)


def test_hosts_that_publish_are_looked_up_with_all_names_and_what_they_say():
    (site,) = run_of(SINGLE, {"domain": "contoso.com"}, {"kms1": "KMS-1", "10.0.0.7": ""}, account={"kms1": "K$"}).decide("lookups", False)[
        "sites"
    ]
    assert site["accounts"] is True
    assert site["hosts"] == [{"host": "kms1", "names": ["kms1", "kms1"], "account": "K$", "computer_name": "KMS-1"}]


def test_hosts_of_sites_are_looked_up_at_the_controllers_of_each():
    run = run_of(SEVERAL, {"sites": SITES}, {EAST: "KMS-E1", WEST: "KMS-W1"})
    found = run.decide("lookups", False)["sites"]
    assert [(site["domain_controllers"], [host["host"] for host in site["hosts"]]) for site in found] == [
        (["dc1.east.example"], [EAST]),
        (["dc1.west.example"], [WEST]),
    ]


def test_a_host_of_another_domain_is_looked_up_where_that_is_known():
    west = {**SITES["west"], "group_scope": "universal", "kms_hosts": [{"name": WEST, "ad_domain": "east.example"}]}
    found = run_of(SEVERAL, {"sites": {**SITES, "west": west}}, {EAST: "KMS-E1", WEST: "KMS-W1"}).decide("lookups", False)["sites"]
    assert [(site["name"], [host["host"] for host in site["hosts"]]) for site in found] == [("east", [EAST, WEST])]


@pytest.mark.parametrize(("domains", "records"), [((), 2), (("east.example", "west.example"), 2), (("corp.example", "corp.example"), 0)])
def test_trusts_are_asked_for_where_the_domains_of_the_hosts_differ(domains: tuple[str, ...], records: int):
    places = zip(("east", "west"), (EAST, WEST), domains, strict=False)
    looked = [{"item": {"name": site}, "domain": domain, "hosts": {host: entry("K$", SID)}} for site, host, domain in places]
    work = run_of(SEVERAL, {"sites": SITES}, {EAST: "KMS-E1", WEST: "KMS-W1"}, looked).decide("work", False)
    assert len(work["trusts"]) == records


@pytest.mark.parametrize("records", ["printed", "static", "dynamic"])
def test_hosts_that_get_no_rights_are_looked_up_for_a_name_alone(records: str):
    settings = {"domain": "contoso.com", "records": records}
    computers = {"kms1": "KMS-1", "kms-2.contoso.com": "KMS-2", "kms3": "KMS-3"}
    (site,) = run_of(SINGLE, settings, computers, target={"kms3": "kms-3.contoso.com"}).decide("lookups", False)["sites"]
    assert (site["accounts"], [host["host"] for host in site["hosts"]]) == (False, ["kms1"])
    assert run_of(SINGLE, settings, {"kms-2.contoso.com": "KMS-2"}).decide("lookups", False)["sites"] == []


def test_the_word_of_a_host_gives_no_account_and_no_name():
    looked = [{"hosts": {"kms1": entry("K1$", SID, "k1.contoso.com"), "kms2": entry(problem="Two.", dns_name="k2.contoso.com")}}]
    work = run_of(SINGLE, {"domain": "contoso.com"}, {"kms1": "PC-001", "kms2": "DC1"}, looked).decide("work", False)
    (group,) = work["groups"]
    assert (group["members"], group["complete"]) == ([SID], False)
    assert [host["name"] for host in work["hosts"].values()] == ["k1.contoso.com", "k2.contoso.com"]


def test_a_name_that_is_cut_is_no_name_in_dns():
    settings = {"domain": "contoso.com", "records": "static"}
    work = run_of(
        SINGLE, settings, {"kms1": "KMS-OF-THE-EAST"}, [{"hosts": {"kms1": entry(dns_name="kms-of-the-east-1.contoso.com")}}]
    ).work()
    (zone,) = work["written"]
    assert [value["target"] for value in zone["values"]] == ["kms-of-the-east-1.contoso.com"]


def test_what_is_not_clear_stands_in_the_way():
    looked = [{"hosts": {"kms1": entry(problem="Nobody knows.")}}, {"item": {"group": "KMS_Hosts"}, "msg": "dc1 is dark.", "failed": True}]
    run = run_of(SINGLE, {"domain": "contoso.com"}, {"kms1": "KMS-1"}, looked)
    found = list(account_findings(run.work()["topology"], looked, ["kms1"], "kms_single_site_target"))
    assert [(finding.object, finding.text, finding.blocks) for finding in found] == [
        ("group KMS_Hosts", error_catalogue.said(WRITTEN[SILENT]), True),
        ("kms1", "Nobody knows.", True),
    ]


@pytest.mark.parametrize(("dns_name", "said"), [("", [error_catalogue.said(WRITTEN[NAMELESS])]), ("kms-1.contoso.com", [])])
def test_a_host_without_a_full_name_stands_in_the_way(dns_name: str, said: list[str]):
    looked = [{"hosts": {"10.0.0.7": entry(dns_name=dns_name)}}]
    run = run_of(SINGLE, {"domain": "contoso.com", "records": "printed"}, {"10.0.0.7": "KMS-1"}, looked)
    found = list(account_findings(run.work()["topology"], looked, ["10.0.0.7"], "kms_single_site_target"))
    assert [finding.text for finding in found if finding.blocks] == said


@pytest.mark.parametrize(
    ("settings", "dns_name", "said"),
    [
        ({"domain": "contoso.com"}, "kms-1.Fabrikam.com", [error_catalogue.said(WRITTEN[ELSEWHERE])]),
        ({"domain": "Contoso.com."}, "KMS-1.contoso.com", []),
        ({"domain": "contoso.com", "records": "dynamic"}, "kms-1.fabrikam.com", []),
        ({"domain": "contoso.com"}, "", []),
    ],
)
def test_a_host_that_publishes_itself_where_no_client_looks_stands_in_the_way(settings: dict[str, str], dns_name: str, said: list[str]):
    found = foreign_homes(read_settings(SINGLE, settings), [{"hosts": {"kms-1": entry("KMS-1$", SID, dns_name)}}])
    assert [(finding.text, finding.blocks) for finding in found] == [(text, True) for text in said]


def test_the_account_that_leaves_is_that_of_the_directory():
    found, none = {"hosts": {"old": entry("OLD$", SID)}}, {"hosts": {"old": entry(problem="No computer.")}}
    loops = {
        "once": {"results": [found, none]},
        "twice": {"results": [found, found]},
        "never": {"results": [none, none]},
        "apart": {"results": [found, {"hosts": {"old": entry("OLD$", OTHER)}}]},
        "not at all": {"results": []},
    }
    seen = {name: leaving({"old": loop}) for name, loop in loops.items()}
    assert seen["once"] == seen["twice"] == {"accounts": {"old": SID}, "problems": {}}
    assert seen["never"] == {"accounts": {}, "problems": {"old": "No computer."}}
    assert seen["apart"] == {"accounts": {}, "problems": {"old": error_catalogue.said(WRITTEN[TWO_DOMAINS])}}
    assert seen["not at all"] == {"accounts": {}, "problems": {}}
