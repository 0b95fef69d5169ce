# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run over several sites has to do, finds before it, and says after it."""

from __future__ import annotations

from typing import Any

import error_catalogue
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils import _multi_site, _report, _report_multi_site
from ansible_collections.winops.volume_activation.plugins.plugin_utils._errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._results import Results
from ansible_collections.winops.volume_activation.plugins.plugin_utils._topology.derived import derived
from ansible_collections.winops.volume_activation.plugins.plugin_utils._topology.doubts import doubts
from ansible_collections.winops.volume_activation.plugins.plugin_utils._topology.sites import read_sites

pytestmark = pytest.mark.tier("quick")

NORTH, SOUTH = "n1.north.example", "s1.south.example"
SITES = {
    "north": {"domain": "north.example", "domain_controllers": ["dc.north.example"], "kms_hosts": [{"name": NORTH, "weight": 60}]},
    "south": {
        "domain": "south.example",
        "domain_controllers": ["dc.south.example"],
        "kms_hosts": [{"name": SOUTH, "weight": 40, "inventory_hostname": "s1"}],
    },
}
SWAPPED, FORGOTTEN = "a topology whose priorities are swapped", "a topology with a weight that is missing at one host"
DOUBTS = error_catalogue.paired("Topologies that may be meant otherwise", [SWAPPED, FORGOTTEN])
ACCOUNTS = {NORTH: "N1$", "s1": "S1$"}


def topology(**defaults: Any) -> dict[str, Any]:
    return derived(read_sites(SITES, defaults))


def looked(grants: list[dict[str, Any]], *there: str) -> dict[str, Any]:
    """A loop over grants that found these records."""
    return {"results": [{"item": grant, "dn": f"DC={grant['record']}" if grant["record"] in there else ""} for grant in grants]}


def test_a_run_of_all_hosts_needs_every_group_and_right():
    work = _multi_site.work(topology(), ACCOUNTS)
    assert [(group["group"], group["members"], group["complete"]) for group in work["groups"]] == [
        ("KMS_NORTH", ["N1$"], True),
        ("KMS_SOUTH", ["S1$"], True),
    ]
    assert {(grant["group"], grant["record"]) for grant in work["grants"]} == {
        (group, f"_vlmcs._tcp.{domain}") for group in ("KMS_NORTH", "KMS_SOUTH") for domain in ("north.example", "south.example")
    }
    assert {grant["dns_servers"][0] for grant in work["grants"]} == {"dc.north.example", "dc.south.example"}
    assert work["static"] == []


def test_a_limited_run_leaves_the_other_site_alone():
    work = _multi_site.work(topology(remote_publish="static"), {"s1": "S1$"})
    assert [group["name"] for group in work["groups"]] == ["south"]
    assert {grant["site"] for grant in work["grants"]} == {"south"}
    assert [(zone["zone"], [value["target"] for value in zone["values"]]) for zone in work["static"]] == [("north.example", [SOUTH])]


def test_an_audit_looks_at_every_site_also_where_no_host_could_be_read():
    work = _multi_site.work(topology(remote_publish="static"), {NORTH: "N1$"}, every_site=True)
    assert [(group["name"], group["members"], group["complete"]) for group in work["groups"]] == [
        ("north", ["N1$"], True),
        ("south", [], False),
    ]
    assert {grant["site"] for grant in work["grants"]} == {"north", "south"}
    assert {zone["zone"] for zone in work["static"]} == {"north.example", "south.example"}


@pytest.mark.parametrize(
    ("publish", "there", "first"),
    [
        ("dynamic", (), {NORTH: ["north.example", "south.example"]}),
        ("static", (), {NORTH: ["north.example"], "s1": ["south.example"]}),
        ("dynamic", ("_vlmcs._tcp.north.example",), {NORTH: ["south.example"]}),
        ("static", ("_vlmcs._tcp.north.example",), {"s1": ["south.example"]}),
        ("dynamic", ("_vlmcs._tcp.north.example", "_vlmcs._tcp.south.example"), {}),
    ],
)
def test_each_missing_record_is_made_by_one_host(publish: str, there: tuple[str, ...], first: dict[str, list[str]]):
    sites = topology(remote_publish=publish)
    assert _multi_site.first_publishers(sites, [NORTH, "s1", "a-stranger"], looked(sites["grants"], *there)) == first


def test_a_group_is_named_by_its_sid_where_that_is_known():
    grant = topology()["grants"][0]
    assert _multi_site.principal({"results": []}, grant) == "KMS_NORTH"
    made = {"results": [{"item": {"name": "south"}, "sid": "S-1-5-21-9"}, {"item": {"name": "north"}, "sid": "S-1-5-21-7"}]}
    assert _multi_site.principal(made, grant) == "S-1-5-21-7"


def test_rights_that_are_missing_are_said_of_the_own_site_alone():
    grants = topology()["grants"]
    rights = {"results": [{"item": grant, "missing": ["write"] if grant["record"].endswith("south.example") else []} for grant in grants]}
    assert _multi_site.missing_rights(rights, "north") == "KMS_NORTH lacks write on the record _vlmcs._tcp.south.example."
    assert _multi_site.missing_rights({"results": []}, "north") == ""


def test_old_values_are_those_that_the_hosts_found_beside_the_right_ones():
    old = {"port": 1688, "priority": 0, "weight": 0}
    publications = [
        {"record": "_vlmcs._tcp.north.example", "target": NORTH, "old_values": []},
        {"record": "_vlmcs._tcp.south.example", "target": NORTH, "old_values": [old]},
    ]
    (zone,) = _multi_site.old_values(topology(), publications)
    assert (zone["zone"], zone["values"]) == ("south.example", [{"target": NORTH, **old}])


def license_of(channel: str = "csvlk") -> dict[str, Any]:
    system = {"caption": "Windows Server 2022", "computer_name": "N1", "clock_offset": 0.0}
    return {"windows": {"channel": channel, "status": "licensed"}, "operating_system": system, "service": {"current_count": 7}}


def read(site: str, *values: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"item": topology()["sites"][site], "records": list(values), **more}


def findings(kms_hosts: list[str], records: list[dict[str, Any]] | None = None, **licenses: Any) -> list[tuple[str, bool]]:
    known = {host: license_of() for host in kms_hosts} | licenses
    found = _report_multi_site.findings(
        topology(), known, kms_hosts, ["pc"], {host: {"given": True} for host in kms_hosts}, records or [], []
    )
    return [(f"{finding.object}: {finding.text}", finding.blocks) for finding in found]


def test_a_world_without_a_finding_has_none():
    values = [{"target": NORTH, "port": 1688, "priority": 10, "weight": 60}, {"target": SOUTH, "port": 1688, "priority": 90, "weight": 40}]
    assert findings([NORTH, "s1"], [read("north", *values)], pc=license_of("gvlk")) == []


@pytest.mark.parametrize(
    ("kms_hosts", "records", "sentence", "blocks"),
    [
        ([], [], "inventory: The play has no KMS host", True),
        ([NORTH, "s1", "pc"], [], "pc: It is in both groups", True),
        ([NORTH, "s1", "stray"], [], "stray: It is in the group kms_hosts, but at no site", True),
        ([NORTH], [], f"{SOUTH}: It is a KMS host of south, but not in the group kms_hosts", False),
        (
            [NORTH, "s1"],
            [read("south", {"target": "old.south.example", "port": 1688, "priority": 0, "weight": 0})],
            "_vlmcs._tcp.south.example: It also names old.south.example:1688 (0 0), which is no KMS host of the sites; it is left alone.",
            False,
        ),
        (
            [NORTH, "s1"],
            [read("south", {"target": SOUTH, "port": 1690, "priority": 10, "weight": 40})],
            f"_vlmcs._tcp.south.example: It names {SOUTH}:1690 (10 40), which is not what the sites say; the value will be removed.",
            False,
        ),
        ([NORTH, "s1"], [{"item": topology()["sites"]["south"], "msg": "no answer"}], "_vlmcs._tcp.south.example: no answer", True),
        (
            [NORTH, "s1"],
            [
                read(
                    "north",
                    consistent=False,
                    servers=[{"server": "a", "error": "", "lacks": []}, {"server": "b", "error": "x", "lacks": []}],
                )
            ],
            "_vlmcs._tcp.north.example: Its DNS servers do not hold the same: b did not answer",
            False,
        ),
    ],
)
def test_each_finding_is_one_sentence(kms_hosts: list[str], records: list[dict[str, Any]], sentence: str, blocks: bool):
    assert [stops for text, stops in findings(kms_hosts, records) if text.startswith(sentence)] == [blocks]


def test_the_summary_names_hosts_records_orders_and_who_does_not_follow():
    hosts = {NORTH: _report.KmsHostResults({"service": {"current_count": 0}}, license_of(), NORTH)}
    licensed = {"activation": {"state": "licensed"}}
    clients = {
        "pc-1": {"license": license_of("gvlk"), "client": {**licensed, "honours_priority_and_weight": False, "domain_member": True}},
        "pc-2": {"license": license_of("gvlk"), "client": {**licensed, "suffixes": {"source": "policy"}}},
    }
    value = {"target": NORTH, "port": 1688, "priority": 10, "weight": 60}
    rights = [{"item": topology()["grants"][0], "granted": ["read", "write"]}]
    endpoints = [{"host": NORTH, "state": "answering"}]
    text = "\n".join(_report_multi_site.summary(topology(), hosts, clients, endpoints, [read("north", value)], rights, False))
    for line in (
        "KMS at north (north.example), south (south.example)",
        f"KMS host {NORTH}: licensed, answering, clients counted 0 -> 7",
        f"Record _vlmcs._tcp.north.example: {NORTH}:1688 (10 60); KMS_NORTH has read, write on it",
        f"Clients of south try: {SOUTH} (100 %), then {NORTH} (100 %)",
        "Clients: 2 of 2 licensed",
        "Do not follow priority and weight, because their Windows is older than 7: 1 (pc-1)",
        "Have their DNS suffix search list from a policy, which wins: 1 (pc-2)",
        "Ask their own domain first wherever they are, because they are members of one: 1 (pc-1).",
    ):
        assert line in text


def test_results_of_a_role_are_found_by_host():
    hostvars = {"a": {}, "b": {"_x_loop": {"results": [{"item": 1}, {"item": 2, "skipped": True}]}, "_x_license": license_of()}}
    results = Results(hostvars, "_x_")
    assert results.loop(["a", "b"], "loop") == [{"item": 1}]
    assert results.once(["a"], "loop") == {}
    assert results.accounts(["a", "b"]) == {"b": "N1$"}
    assert list(results.clients(["a", "b"])) == ["b"]
    with pytest.raises(ActivationError, match="_x_loop of c is no task result but list"):
        Results({"c": {"_x_loop": []}}, "_x_").of("c", "loop")


def test_lines_of_a_publish_list_that_name_no_domain_are_told_apart():
    lines = _report_multi_site.foreign_publish_lines({"kms-1": {"foreign": ["x.net, 1", "contoso.com;10;100"]}, "kms-2": {"foreign": []}})
    assert [line.partition("; it is left alone.")[0] for line in lines] == [
        "kms-1 has x.net, 1 in its publish list, which no site has",
        "kms-1 has contoso.com;10;100 in its publish list, which is no domain, priority and weight with commas between them",
    ]


def two_hosts(first: dict[str, Any], second: dict[str, Any], **defaults: Any) -> list[tuple[str, str]]:
    """What is doubtful about a topology whose first site has two hosts."""
    hosts = [{"name": NORTH, **first}, {"name": "n2.north.example", **second}]
    sites = {**SITES, "north": {**SITES["north"], "kms_hosts": hosts}}
    return list(doubts(derived(read_sites(sites, defaults))))


@pytest.mark.parametrize(
    ("first", "second", "defaults", "records"),
    [
        ({"weight": 60}, {"weight": 40}, {}, []),
        ({}, {}, {}, []),
        ({"weight": 60}, {"priority": 20}, {}, []),
        ({"weight": 60}, {}, {}, ["north"]),
        ({"weight": 60}, {"weight": "0"}, {}, ["north"]),
        ({}, {}, {"local_priority": 90, "remote_priority": 10}, ["north", "south"]),
        ({}, {}, {"local_priority": 10, "remote_priority": 10}, []),
        ({"priority": 95}, {}, {}, []),
        ({"priority": 95}, {"priority": 95}, {}, ["north"]),
        ({"overrides": {"south": {"priority": 5}}}, {}, {}, ["south"]),
    ],
)
def test_swapped_priorities_and_a_forgotten_weight(
    first: dict[str, Any], second: dict[str, Any], defaults: dict[str, Any], records: list[str]
):
    assert [record for record, _said in two_hosts(first, second, **defaults)] == [f"_vlmcs._tcp.{site}.example" for site in records]


def test_what_is_said_of_a_doubtful_topology():
    swapped = two_hosts({}, {}, local_priority=90, remote_priority=10)
    ((_record, forgotten),) = two_hosts({"weight": 60}, {})
    assert [swapped[0][1], forgotten] == [error_catalogue.said(DOUBTS[case]) for case in (SWAPPED, FORGOTTEN)]
    sites = derived(read_sites(SITES, {"local_priority": 90, "remote_priority": 10}))
    found = _report_multi_site.findings(sites, {}, [], [], {}, [], [])
    assert [(finding.object, finding.blocks) for finding in found if finding.text == swapped[0][1]] == [
        ("_vlmcs._tcp.north.example", False),
        ("_vlmcs._tcp.south.example", False),
    ]


@pytest.mark.parametrize("written", [NORTH.upper(), NORTH.title(), f"{NORTH}.", NORTH])
def test_a_host_is_found_however_the_inventory_writes_its_name(written: str):
    sites = topology()
    assert [entry["name"] for entry in _multi_site.hosts_of(sites, [written, "s1"]).values()] == [NORTH, SOUTH]
    assert list(_multi_site.hosts_of(sites, [written])) == [written]
    assert _multi_site.as_inventory_names(sites, [written])["hosts"][NORTH]["inventory_hostname"] == written
    (group,) = _multi_site.work(sites, {written: "N1$"})["groups"]
    assert (group["name"], group["members"]) == ("north", ["N1$"])
    assert [text for text, _blocks in findings([written, "s1"])] == []


def test_of_two_spellings_in_one_inventory_the_declared_one_counts():
    assert list(_multi_site.hosts_of(topology(), [NORTH.upper(), NORTH])) == [NORTH]
