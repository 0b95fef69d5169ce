# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run over several sites has to do, finds before it, and says after it."""

from __future__ import annotations

from typing import Any

import error_catalogue
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms import findings as kms_findings
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms import records as kms_records
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms import summary as kms_summary
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms import work as kms_work
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms.settings import read_settings
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
N_SID, S_SID = "S-1-5-21-1-2-3-1104", "S-1-5-21-4-5-6-1104"
ACCOUNTS = {NORTH: {"account": "N1$", "sid": N_SID}, "s1": {"account": "S1$", "sid": S_SID}}


def topology(**defaults: Any) -> dict[str, Any]:
    return derived(read_sites(SITES, defaults))


def looked(grants: list[dict[str, Any]], *there: str) -> list[dict[str, Any]]:
    """A loop over grants that found these records."""
    return [{"item": grant, "dn": f"DC={grant['record']}" if grant["record"] in there else ""} for grant in grants]


def test_a_run_of_all_hosts_needs_every_group_and_right():
    work = kms_work.work(topology(), list(ACCOUNTS), ACCOUNTS)
    assert [(group["group"], group["members"], group["complete"]) for group in work["groups"]] == [
        ("KMS_NORTH", [N_SID], True),
        ("KMS_SOUTH", [S_SID], True),
    ]
    assert {grant["record"]: grant["groups"] for grant in work["grants"]} == {
        f"_vlmcs._tcp.{domain}": {"north": "KMS_NORTH", "south": "KMS_SOUTH"} for domain in ("north.example", "south.example")
    }
    assert {grant["dns_servers"][0] for grant in work["grants"]} == {"dc.north.example", "dc.south.example"}
    assert work["static"] == []


def test_a_limited_run_leaves_the_other_site_alone():
    work = kms_work.work(topology(remote_publish="static"), ["s1"], ACCOUNTS)
    assert [group["name"] for group in work["groups"]] == ["south"]
    assert [grant["groups"] for grant in work["grants"]] == [{"south": "KMS_SOUTH"}]
    assert [(zone["zone"], [value["target"] for value in zone["values"]]) for zone in work["static"]] == [("north.example", [SOUTH])]


def test_an_audit_looks_at_every_site_also_where_no_host_could_be_read():
    work = kms_work.work(topology(remote_publish="static"), [NORTH], ACCOUNTS, every_site=True)
    assert [(group["name"], group["members"], group["complete"]) for group in work["groups"]] == [
        ("north", [N_SID], True),
        ("south", [], False),
    ]
    assert [grant["groups"] for grant in work["grants"]] == [{"north": "KMS_NORTH"}, {"south": "KMS_SOUTH"}]
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
    assert kms_records.first_publishers(sites, [NORTH, "s1", "a-stranger"], looked(sites["grants"], *there)) == first


def test_rights_that_are_missing_are_said_of_the_own_site_alone():
    grants = kms_work.work(topology(remote_publish="static"), list(ACCOUNTS), ACCOUNTS)["grants"]
    rights = [
        {"item": grant, "missing": ["write"], "grants": [{"principal": name, "missing": ["write"]} for name in grant["groups"].values()]}
        for grant in grants
    ]
    assert kms_records.missing_rights(rights, "north") == "KMS_NORTH lacks write on the record _vlmcs._tcp.north.example."
    assert kms_records.missing_rights([], "north") == ""


def test_old_values_are_those_that_the_hosts_found_beside_the_right_ones():
    old = {"port": 1688, "priority": 0, "weight": 0}
    publications = [
        {"record": "_vlmcs._tcp.north.example", "target": NORTH, "old_values": []},
        {"record": "_vlmcs._tcp.south.example", "target": NORTH, "old_values": [old]},
    ]
    (zone,) = kms_records.old_values(topology(), publications)
    assert (zone["zone"], zone["values"]) == ("south.example", [{"target": NORTH, **old}])


def license_of(channel: str = "csvlk") -> dict[str, Any]:
    system = {"caption": "Windows Server 2022", "computer_name": "N1", "clock_offset": 0.0}
    return {"windows": {"channel": channel, "status": "licensed"}, "operating_system": system, "service": {"current_count": 7}}


def read(site: str, *values: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"item": topology()["sites"][site], "records": list(values), **more}


def findings(kms_hosts: list[str], records: list[dict[str, Any]] | None = None, **licenses: Any) -> list[tuple[str, bool]]:
    known = {host: license_of() for host in kms_hosts} | licenses
    keys = {host: {"given": True} for host in kms_hosts}
    look = kms_findings.Look(kms_hosts, kms_hosts, ["pc"], ["pc"], known, keys, records or [])
    found = kms_findings.findings(read_settings("kms_multi_site", {}), topology(), look)
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


def test_the_summary_names_hosts_records_and_orders():
    endpoints = [{"host": NORTH, "state": "answering"}]
    hosts = {NORTH: kms_summary.KmsHostResults({"service": {"current_count": 0}}, license_of(), NORTH, endpoints)}
    value = {"target": NORTH, "port": 1688, "priority": 10, "weight": 60}
    rows = [{"principal": name, "granted": ["read", "write"]} for name in ("KMS_NORTH", "N1$")]
    rights = [{"item": topology()["grants"][0], "grants": [*rows, {"principal": "KMS_SOUTH", "granted": []}]}]
    clients = kms_summary.Clients(licensed=2, remarks=["Remark"])
    text = "\n".join(kms_summary.summary(topology(), hosts, clients, [read("north", value)], rights, 25, True, False))
    for line in (
        "KMS at north (north.example), south (south.example)",
        f"KMS host {NORTH}: licensed, answering, clients counted 0 -> 7, activates from 25 clients on",
        f"Record _vlmcs._tcp.north.example: {NORTH}:1688 (10 60); KMS_NORTH, N1$ have read, write on it; KMS_SOUTH has no rights on it",
        f"Clients of south try: {SOUTH} (100 %), then {NORTH} (100 %)",
        "Clients: 2 of 2 licensed",
        "Remark",
    ):
        assert line in text


def test_lines_of_a_publish_list_that_name_no_domain_are_told_apart():
    lines = kms_summary.foreign_publish_lines({"kms-1": {"foreign": ["x.net, 1", "contoso.com;10;100"]}, "kms-2": {"foreign": []}})
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
    found = kms_findings.findings(read_settings("kms_multi_site", {}), sites, kms_findings.Look([], [], [], []))
    assert [(finding.object, finding.blocks) for finding in found if finding.text == swapped[0][1]] == [
        ("_vlmcs._tcp.north.example", False),
        ("_vlmcs._tcp.south.example", False),
    ]


@pytest.mark.parametrize("written", [NORTH.upper(), NORTH.title(), f"{NORTH}.", NORTH])
def test_a_host_is_found_however_the_inventory_writes_its_name(written: str):
    sites = topology()
    assert [entry["name"] for entry in kms_work.hosts_of(sites, [written, "s1"]).values()] == [NORTH, SOUTH]
    assert list(kms_work.hosts_of(sites, [written])) == [written]
    assert kms_work.as_inventory_names(sites, [written])["hosts"][NORTH]["inventory_hostname"] == written
    (group,) = kms_work.work(sites, [written], {written: ACCOUNTS[NORTH]})["groups"]
    assert (group["name"], group["members"]) == ("north", [N_SID])
    assert [text for text, _blocks in findings([written, "s1"])] == []


def test_of_two_spellings_in_one_inventory_the_declared_one_counts():
    assert list(kms_work.hosts_of(topology(), [NORTH.upper(), NORTH])) == [NORTH]


@pytest.mark.parametrize(
    ("records", "writer"), [("published", "dynamic"), ("dynamic", "updated"), ("static", "static"), ("printed", "printed"), ("", "dynamic")]
)
def test_a_site_says_who_writes_its_record(records: str, writer: str):
    sites = derived(read_sites({**SITES, "north": {**SITES["north"], "records": records}}))
    zone = sites["zones"]["north.example"]
    assert {kind: len(zone[kind]) for kind in ("dynamic", "updated", "static", "printed")} == dict.fromkeys(
        ("dynamic", "updated", "static", "printed"), 0
    ) | {writer: 2}
    published = [line["domain"] for line in sites["hosts"][NORTH]["publish_list"]]
    assert published == (["north.example", "south.example"] if writer == "dynamic" else ["south.example"])
    due = kms_work.work(sites, list(ACCOUNTS), ACCOUNTS)
    assert [(entry["zone"], entry["method"]) for entry in due["written"]] == (
        [("north.example", records)] if writer in ("updated", "static") else []
    )
    assert {grant["record"] for grant in due["grants"]} == {
        f"_vlmcs._tcp.{domain}" for domain in (("north.example", "south.example") if writer == "dynamic" else ("south.example",))
    }
    lines = kms_records.lacking_lines(sites, {NORTH}, [], listed=True)
    assert lines == ([f"_vlmcs._tcp.north.example. IN SRV 10 60 1688 {NORTH}."] if writer == "printed" else [])
