# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit finds each planted deviation, names it as what it is, and finds nothing else."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from declared_topologies import contoso
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.filter.kms_topology import kms_topology
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.audit import report
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.audit.clients import Expected, judge
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.audit.computer import computer_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.audit.deviation import Deviation

pytestmark = pytest.mark.tier("quick")

TOPOLOGY = kms_topology(contoso(remote_publish="static"))
EAST = "_vlmcs._tcp.east.contoso.com"
E1, E2, W1 = "kms-e1.east.contoso.com", "kms-e2.east.contoso.com", "kms-w1.west.contoso.com"
REFUSED = {"failed": True, "msg": "The account may not read it.", "error": {"code": "50"}}
DOMAINS = ["east.contoso.com", "west.contoso.com"]
HELP = "https://help.contoso.com"

Seen = dict[str, Any]


def row_of(host: str, channel: str, *, server: bool = True, count: int | None = None, days: int | None = None) -> Seen:
    """A row of a survey about a computer that is as declared."""
    return {
        "host": host,
        "outcome": "read",
        "state": "licensed",
        "channel": channel,
        "partial_key": "2YT43",
        "expires_in_days": days,
        "count": count,
        "reason": None,
        "operating_system": {"version": "10.0.20348", "server": server, "computer_name": "PC"},
        "kms_client_settings": {
            "client_machine_id": str(uuid.uuid4()),
            "kms_machine": "",
            "kms_machine_port": None,
            "lookup_domain": "",
            "host_caching": False,
            "required_count": 5 if server else 25,
            "domain_member": False,
            "suffixes": {"own": "", "search_list": list(DOMAINS), "source": "set", "effective": list(DOMAINS)},
            "setup_key": None,
            "alternate_url": HELP,
            "error": None,
        },
    }


def unread(host: str, outcome: str, reason: str) -> Seen:
    return {"host": host, "outcome": outcome, "state": None, "channel": None, "reason": reason}


def answering(host: dict[str, Any]) -> dict[str, Any]:
    return {"host": host["name"], "port": host["port"], "state": "answering", "detail": ""}


def as_declared() -> Seen:
    """What an audit sees where nothing deviates."""
    zones = {}
    for domain, zone in TOPOLOGY["zones"].items():
        held = [{**value, "ttl": 3600} for value in zone["values"]]
        zones[domain] = {
            "records": {
                "records": held,
                "servers": [{"server": name, "lacks": [], "error": ""} for name in ("dc1", "dc2")],
                "steps": [],
            },
            "ports": {"endpoints": [answering(host) for host in TOPOLOGY["hosts"].values() if host["site"] == zone["site"]], "steps": []},
            "rights": {"item": {"complete": True}, "missing": [], "steps": []},
            "static": {"before": [{**value, "static": value in zone["static"]} for value in zone["values"]], "steps": []},
        }
    return {
        "zones": zones,
        "groups": {site: {"steps": []} for site in TOPOLOGY["sites"]},
        "kms_hosts": {name: row_of(name, "csvlk", count=30) for name in TOPOLOGY["hosts"]},
        "checked": {name: {"steps": []} for name in TOPOLOGY["hosts"]},
        "clients": {"pc-1": row_of("pc-1", "gvlk", server=False, days=175), "srv-1": row_of("srv-1", "gvlk", days=180)},
    }


def audit(seen: Seen, topology: Seen = TOPOLOGY, **options: Any) -> list[dict[str, Any]]:
    """The deviations as variables hold them."""
    return [entry.as_result() for entry in audited(seen, topology, **options)]


def audited(seen: Seen, topology: Seen = TOPOLOGY, validity_days: int = 30, **options: Any) -> list[Deviation]:
    return report.deviations(topology, looked_at(seen, topology, validity_days), **options)


def looked_at(seen: Seen, topology: Seen = TOPOLOGY, validity_days: int = 30) -> report.AuditSeen:
    expected = Expected({name: site["domain"] for name, site in topology["sites"].items()}, validity_days=validity_days, alternate_url=HELP)
    return report.AuditSeen(
        zones=seen["zones"],
        groups=seen["groups"],
        kms_hosts={name: computer_of(row) for name, row in seen["kms_hosts"].items()},
        checked={name: result for name, result in seen["checked"].items() if result},
        clients={name: judge(computer_of(row), "", expected) for name, row in seen["clients"].items()},
        links=seen.get("links", []),
    )


def value(seen: Seen, host: str) -> Seen:
    return next(entry for entry in records(seen)["records"] if entry["target"] == host)


def records(seen: Seen) -> Seen:
    return seen["zones"]["east.contoso.com"]["records"]


def add(seen: Seen, target: str, priority: int, weight: int, port: int = 1688) -> None:
    records(seen)["records"].append({"target": target, "priority": priority, "weight": weight, "port": port, "ttl": 60})


def remove(seen: Seen, target: str) -> None:
    records(seen)["records"].remove(value(seen, target))


def step(of: str, attribute: str, before: Any, after: Any) -> Seen:
    return {"object": of, "attribute": attribute, "before": before, "after": after, "how": ""}


def row(seen: Seen, kind: str, name: str) -> Seen:
    return seen[kind][name]


def settings(seen: Seen, name: str) -> Seen:
    return seen["clients"][name]["kms_client_settings"]


def endpoint_is(seen: Seen, state: str) -> None:
    for zone in seen["zones"].values():
        for entry in zone["ports"]["endpoints"]:
            if entry["host"] == W1:
                entry.update(state=state, detail=f"{W1} is {state}.")


def a_rogue_host(seen: Seen) -> None:
    add(seen, "rogue.contoso.com", 0, 0)


def lose_a_value(seen: Seen) -> None:
    records(seen)["servers"][1]["lacks"] = [f"10 25 1688 {E2}"]


def late_replication(seen: Seen) -> None:
    add(seen, E2, 0, 0)
    records(seen)["servers"][0]["lacks"] = [f"0 0 1688 {E2}"]


def list_step(seen: Seen) -> None:
    seen["checked"][E1]["steps"] = [
        step(E1, "DnsDomainPublishList line west.contoso.com", None, "west.contoso.com, 90, 75"),
        # The record says these.
        step(E1, f"SRV {EAST}", None, f"{E1}:1688"),
        step(E1, "license status", "licensed", "licensed"),
    ]


def stamp(seen: Seen) -> None:
    for entry in seen["zones"]["east.contoso.com"]["static"]["before"]:
        if entry["target"] == W1:
            entry["static"] = False


PLANTED: list[tuple[str, Callable[[Seen], Any], tuple[str, str, Any, Any]]] = [
    ("value missing", lambda seen: remove(seen, E2), (EAST, f"value of {E2}", f"10 25 1688 {E2}", None)),
    ("priority", lambda seen: value(seen, E2).update(priority=90), (EAST, f"priority of {E2}", "priority 10", "priority 90")),
    ("weight", lambda seen: value(seen, E2).update(weight=75), (EAST, f"weight of {E2}", "weight 25", "weight 75")),
    ("port", lambda seen: value(seen, E2).update(port=1689), (EAST, f"port of {E2}", "port 1688", "port 1689")),
    (
        "priority and weight",
        lambda seen: value(seen, E2).update(priority=0, weight=0),
        (EAST, f"priority and weight of {E2}", "priority 10, weight 25", "priority 0, weight 0"),
    ),
    ("old value", lambda seen: add(seen, E2, 0, 0), (EAST, f"old value of {E2}", None, f"0 0 1688 {E2}")),
    (
        "unknown target",
        a_rogue_host,
        (EAST, "value of rogue.contoso.com", None, "0 0 1688 rogue.contoso.com"),
    ),
    ("server lacks a value", lose_a_value, (EAST, "DNS server dc2", f"10 25 1688 {E2}", None)),
    ("server still has an old value", late_replication, (EAST, "DNS server dc1", f"0 0 1688 {E2}", None)),
    (
        "server is silent",
        lambda seen: records(seen)["servers"][1].update(error="The DNS server dc2 does not answer."),
        (EAST, "DNS server dc2", "answers", "does not answer"),
    ),
    ("port closed", lambda seen: endpoint_is(seen, "filtered"), (W1, "KMS port 1688", "answering", "filtered")),
    ("static value with a time stamp", stamp, (EAST, f"time stamp of {W1}", "static", "with a time stamp")),
    (
        "rights",
        lambda seen: seen["zones"]["east.contoso.com"]["rights"].update(
            missing=["write"], steps=[step(f"dnsNode {EAST}", "DACL EAST\\KMS_E", ["read"], ["read", "write"])]
        ),
        (f"dnsNode {EAST}", "DACL EAST\\KMS_E", ["read", "write"], ["read"]),
    ),
    (
        "owner of a record",
        lambda seen: seen["zones"]["east.contoso.com"]["rights"].update(
            steps=[step(f"dnsNode {EAST}", "owner", "EAST\\E1$", "EAST\\Domain Admins")]
        ),
        (f"dnsNode {EAST}", "owner", "EAST\\Domain Admins", "EAST\\E1$"),
    ),
    (
        "rights of a computer that is no KMS host",
        lambda seen: seen["zones"]["east.contoso.com"]["rights"].update(
            other_computers=[{"principal": "EAST\\OLD$", "granted": ["full_control"]}]
        ),
        (EAST, "rights of EAST\\OLD$", [], ["full_control"]),
    ),
    (
        "member",
        lambda seen: seen["groups"]["west"].update(steps=[step("group KMS_W", "member OLD$", "present", "absent")]),
        ("group KMS_W", "member OLD$", "absent", "present"),
    ),
    ("publish list", list_step, (E1, "DnsDomainPublishList line west.contoso.com", "west.contoso.com, 90, 75", None)),
    (
        "host not licensed",
        lambda seen: row(seen, "kms_hosts", E1).update(state="notification"),
        (E1, "license status", "licensed", "notification"),
    ),
    ("key of a host", lambda seen: row(seen, "kms_hosts", E1).update(channel="gvlk"), (E1, "key", "csvlk", "gvlk")),
    ("host without a key", lambda seen: row(seen, "kms_hosts", E1).update(state=None, channel=None), (E1, "key", "csvlk", None)),
    ("count", lambda seen: row(seen, "kms_hosts", E1).update(count=24), (E1, "client count", 25, 24)),
    ("nobody asked", lambda seen: row(seen, "kms_hosts", E1).update(count=None), (E1, "client count", 25, 0)),
    (
        "client in grace",
        lambda seen: row(seen, "clients", "pc-1").update(state="oob_grace", expires_in_days=12),
        ("pc-1", "license status", "licensed", "oob_grace"),
    ),
    (
        "client near its end",
        lambda seen: row(seen, "clients", "pc-1").update(expires_in_days=29),
        ("pc-1", "license expiry", "at least 30 days", "29 days"),
    ),
    ("client without a key", lambda seen: row(seen, "clients", "pc-1").update(state=None, channel=None), ("pc-1", "key", "gvlk", None)),
    (
        "fixed host",
        lambda seen: settings(seen, "pc-1").update(kms_machine="old.contoso.com"),
        ("pc-1", "KMS host", None, "old.contoso.com"),
    ),
    ("port", lambda seen: settings(seen, "pc-1").update(kms_machine_port=1689), ("pc-1", "KMS port", None, 1689)),
    (
        "setup key of another kind",
        lambda seen: (row(seen, "clients", "pc-1").update(channel="mak"), settings(seen, "pc-1").update(setup_key="J447Y")),
        ("pc-1", "product key", "J447Y", "2YT43"),
    ),
    (
        "search list",
        lambda seen: settings(seen, "pc-1")["suffixes"].update(own="corp.example", search_list=["corp.example"]),
        ("pc-1", "DNS suffix search list", ["corp.example", *DOMAINS], ["corp.example"]),
    ),
    (
        "no search list",
        lambda seen: settings(seen, "pc-1")["suffixes"].update(search_list=[], source="none"),
        ("pc-1", "DNS suffix search list", DOMAINS, None),
    ),
    (
        "lookup domain of no site",
        lambda seen: settings(seen, "pc-1").update(lookup_domain="fabrikam.com"),
        ("pc-1", "KMS lookup domain", ["east.contoso.com", "west.contoso.com"], "fabrikam.com"),
    ),
    (
        "host caching",
        lambda seen: settings(seen, "pc-1").update(host_caching=True),
        ("pc-1", "KMS host caching", False, True),
    ),
    (
        "address for users",
        lambda seen: settings(seen, "pc-1").update(alternate_url="https://elsewhere.example"),
        ("pc-1", "alternate URL", HELP, "https://elsewhere.example"),
    ),
    (
        "no address for users",
        lambda seen: settings(seen, "pc-1").update(alternate_url=None),
        ("pc-1", "alternate URL", HELP, None),
    ),
    (
        "search list by policy that names no site",
        lambda seen: settings(seen, "pc-1")["suffixes"].update(source="policy", effective=["fabrikam.com"]),
        ("pc-1", "DNS suffix search list", ["east.contoso.com", "west.contoso.com"], ["fabrikam.com"]),
    ),
    (
        "two of the clients with one CMID",
        lambda seen: (
            settings(seen, "pc-1").update(client_machine_id="AA11"),
            settings(seen, "srv-1").update(client_machine_id="aa11"),
        ),
        ("clients", "client machine ID aa11", "of one computer", ["pc-1", "srv-1"]),
    ),
    # What could not be checked.
    (
        "record unread",
        lambda seen: seen["zones"]["east.contoso.com"].update(records=REFUSED),
        (EAST, "DNS record", "checked", "not checked"),
    ),
    (
        "rights unread",
        lambda seen: seen["zones"]["east.contoso.com"].pop("rights"),
        (EAST, "rights", "checked", "not checked"),
    ),
    (
        "ports untried",
        lambda seen: seen["zones"]["east.contoso.com"].update(ports=REFUSED),
        ("KMS hosts of east", "ports", "checked", "not checked"),
    ),
    ("stamps unread", lambda seen: seen["zones"]["east.contoso.com"].pop("static"), (EAST, "time stamps", "checked", "not checked")),
    ("group unread", lambda seen: seen["groups"].update(east=REFUSED), ("group KMS_E", "membership", "checked", "not checked")),
    (
        "host unreachable",
        lambda seen: (seen["kms_hosts"].update({E1: unread(E1, "unreachable", "no route to host")}), seen["checked"].pop(E1)),
        (E1, "license", "checked", "not checked"),
    ),
    (
        "settings of a host unread",
        lambda seen: seen["checked"].update({E1: REFUSED}),
        (E1, "settings", "checked", "not checked"),
    ),
    (
        "client unreachable",
        lambda seen: seen["clients"].update({"srv-1": unread("srv-1", "unreachable", "no route to host")}),
        ("srv-1", "license", "checked", "not checked"),
    ),
    (
        "client that broke off",
        lambda seen: seen["clients"].update({"srv-1": unread("srv-1", "failed", "The account may not read it.")}),
        ("srv-1", "license", "checked", "not checked"),
    ),
    (
        "settings of a client refused",
        lambda seen: settings(seen, "pc-1").update(error="Access is denied.", suffixes=None, domain_member=None),
        ("pc-1", "settings", "checked", "not checked"),
    ),
]


def test_where_all_is_as_declared_nothing_is_found():
    assert audit(as_declared()) == []


def test_an_activation_may_end_on_the_last_day_allowed():
    seen = as_declared()
    row(seen, "clients", "pc-1").update(expires_in_days=30)
    assert audit(seen) == []
    assert [entry["attribute"] for entry in audit(seen, validity_days=31)] == ["license expiry"]


@pytest.mark.parametrize(("plant", "expected"), [case[1:] for case in PLANTED], ids=[case[0] for case in PLANTED])
def test_a_planted_deviation_is_found_and_nothing_else(plant: Callable[[Seen], Any], expected: tuple[str, str, Any, Any]):
    seen = as_declared()
    plant(seen)
    found = audit(seen)
    assert [(entry["object"], entry["attribute"], entry["expected"], entry["found"]) for entry in found] == [expected]
    assert found[0]["severity"] == ("unknown" if expected[3] == "not checked" else "deviation")
    assert found[0]["text"].endswith(".")
    json.dumps(found)


@given(st.sets(st.sampled_from(["priority", "port closed", "member", "publish list", "client near its end", "group unread"])))
def test_deviations_do_not_hide_one_another(names: set[str]):
    seen, expected = as_declared(), []
    for name, plant, what in PLANTED:
        if name in names:
            plant(seen)
            expected.append(what)
    found = [(entry["object"], entry["attribute"], entry["expected"], entry["found"]) for entry in audit(seen)]
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_a_topology_host_that_is_to_stay_out_of_a_record_is_named_there():
    sites = contoso()
    sites["west"]["kms_hosts"][0]["overrides"] = {"east": {"publish": False}}
    topology = kms_topology(sites)
    found = audit(as_declared(), topology)
    named = [(entry["object"], entry["attribute"], entry["found"]) for entry in found if "value" in entry["attribute"]]
    assert named == [(EAST, f"value of {W1}", f"90 75 1688 {W1}")]


def test_what_was_not_handed_over_at_all_was_not_looked_at():
    found = audit({"zones": {}, "groups": {}, "kms_hosts": {}, "checked": {}, "clients": {}})
    assert {entry["found"] for entry in found} == {"not checked"}
    # Of each site record, ports, time stamps, rights of one group, and the group; of each host license and settings.
    assert len(found) == 2 * 5 + 4 * 2


def test_what_windows_does_by_itself_is_a_note_and_comes_last():
    seen = as_declared()
    row(seen, "clients", "pc-1")["operating_system"].update(version="6.0.6002")
    settings(seen, "pc-1").update(domain_member=True, host_caching=None)
    settings(seen, "srv-1").update(domain_member=True)
    settings(seen, "srv-1")["suffixes"].update(source="policy", effective=["corp.example", "West.contoso.com"])
    row(seen, "clients", "srv-1").update(channel="mak", expires_in_days=None)
    row(seen, "kms_hosts", W1).update(count=3)
    found = audit(seen)
    assert [(entry["severity"], entry["object"], entry["attribute"]) for entry in found] == [
        ("deviation", W1, "client count"),
        ("note", "pc-1", "priority and weight"),
        ("note", "srv-1", "key"),
        ("note", "srv-1", "DNS suffix search list"),
        ("note", "clients", "domain members"),
    ]
    # One that is told where to look does not follow its own domain.
    settings(seen, "pc-1").update(lookup_domain="west.contoso.com")
    assert audit(seen)[-1]["found"] == ["srv-1"]


@pytest.mark.parametrize(("options", "clients", "found"), [({}, True, 25), ({}, False, 5), ({"required_count": 50}, True, 50)])
def test_how_many_clients_have_to_be_counted_follows_from_those_that_there_are(options: Seen, clients: bool, found: int):
    seen = as_declared()
    if not clients:
        del seen["clients"]["pc-1"]
    row(seen, "kms_hosts", W1).update(count=0)
    assert audit(seen, **options)[-1]["expected"] == found
    assert audit(seen, required_count=0) == []


def test_the_table_and_the_report_say_how_it_stands():
    seen = as_declared()
    assert report.table(audited(seen)) == ["0 deviations, 0 unknown, 0 notes"]
    clean = report.report(audited(seen), looked_at(seen), TOPOLOGY, "2026-11-24T17:00:00Z")
    assert (clean["verdict"], clean["counts"], clean["deviations"]) == ("as declared", {"deviation": 0, "unknown": 0, "note": 0}, [])
    remove(seen, E2)
    row(seen, "clients", "pc-1")["operating_system"].update(version="6.0.6002")
    found = audited(copy.deepcopy(seen))
    assert report.table(found) == [
        f"deviation  {EAST}  {E2} is not in it; it should be, as 10 25 1688 {E2}.",
        f"note       {'pc-1':<{len(EAST)}}  This version of Windows ignores priority and weight and takes any of the hosts.",
        "1 deviation, 0 unknown, 1 note",
    ]
    made = json.loads(json.dumps(report.report(found, looked_at(seen), TOPOLOGY, "2026-11-24T17:00:00Z")))
    assert (made["version"], made["time"], made["verdict"]) == (1, "2026-11-24T17:00:00Z", "deviations")
    assert (made["counts"], made["deviations"]) == ({"deviation": 1, "unknown": 0, "note": 1}, audit(seen))
    assert made["topology"]["east"]["kms_hosts"] == [E1, E2]
    assert [step["priority"] for step in made["topology"]["east"]["order"]] == [10, 90]
