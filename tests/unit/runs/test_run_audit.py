# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of run_audit over a whole fleet: what they decide, what they refuse, and what they cost at 10,000 clients."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import error_catalogue
import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from unit import timing

from ansible_collections.winops.volume_activation.plugins.action import run_audit
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.module_options import documented_options
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.audit import links, run
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.audit.clients import judge
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.audit.computer import computer_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.audit.settings import TARGET, expected_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.audit.survey import read_computers
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.fleet import Fleet, fleet_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.registered import Registered

pytestmark = pytest.mark.tier("quick")

E1, W1 = "kms-e1.east.contoso.com", "kms-w1.west.contoso.com"
HOSTS = [E1, W1]
SITES = {
    site: {
        "domain": f"{site}.contoso.com",
        "group": f"KMS_{site[0].upper()}",
        "domain_controllers": [f"dc1.{site}.contoso.com"],
        "kms_hosts": [{"name": f"kms-{site[0]}1.{site}.contoso.com"}],
    }
    for site in ("east", "west")
}
DOMAINS = ["east.contoso.com", "west.contoso.com"]
NODES = {"east": "node-e", "west": "node-w"}
NAMES = {name: f"__{name}" for name in ("topology", "survey", "host", "records", "ports", "links", "groups", "rights", "static")}
TIME = "2026-11-24T17:00:00Z"


def options_of(**given: Any) -> dict[str, Any]:
    checked = ArgumentSpecValidator(documented_options("run_audit")).validate(given)
    assert checked.error_messages == []
    return checked.validated_parameters


def topology_of(**given: Any) -> dict[str, Any]:
    options = options_of(step="topology", **{"sites": SITES, **given})
    return run.decide("topology", fleet([]), Registered([]), options, TIME)


def fleet(clients: Sequence[str], hosts: Sequence[str] = HOSTS, failed: Sequence[str] = (), more: Sequence[str] = ()) -> Fleet:
    everybody = [*hosts, *clients]
    groups = {"kms_hosts": HOSTS, "kms_clients": [*clients, *more]}
    return fleet_of(everybody, [name for name in everybody if name not in failed], groups, run.GROUPS)


def row(host: str, **settings: Any) -> dict[str, Any]:
    """The row of a client that is as declared, or of a KMS host."""
    is_host = host in HOSTS
    return {
        "host": host,
        "outcome": "read",
        "state": "licensed",
        "channel": "csvlk" if is_host else "gvlk",
        "partial_key": "2YT43",
        "expires_in_days": 175,
        "count": 50 if is_host else None,
        "operating_system": {"version": "10.0.22631", "server": is_host, "computer_name": host.partition(".")[0].upper()},
        "kms_client_settings": {
            "client_machine_id": f"id of {host}",
            "host_caching": False,
            "required_count": 25,
            "suffixes": {"own": "", "search_list": DOMAINS, "source": "set", "effective": DOMAINS},
            **settings,
        },
    }


def dark(host: str) -> dict[str, Any]:
    return {"host": host, "outcome": "unreachable", "reason": "http://127.0.0.1:5985/wsman did not answer within 10 seconds."}


def survey(folder: Path, rows: Sequence[dict[str, Any]]) -> str:
    path = folder / "survey.audit.jsonl"
    path.write_text("".join(f"{json.dumps(entry)}\n" for entry in rows), encoding="utf-8")
    return str(path)


def registered(topology: dict[str, Any], path: str, hosts: Sequence[str], site: dict[str, str] | None = None, **more: Any) -> Registered:
    """What tasks that found all as declared have registered."""
    sites = topology["sites"]
    zones = topology["topology"]["zones"]
    loops = {
        "records": [{"item": item, "records": zones[item["domain"]]["values"], "servers": []} for item in sites],
        "ports": [{"item": item, "endpoints": []} for item in sites],
        "groups": [{"item": item, "steps": []} for item in sites],
        "rights": [{"item": grant, "steps": [], "missing": []} for grant in topology["topology"]["grants"]],
    }
    once = {
        "topology": topology,
        "survey": {"file": path},
        **{name: {"results": results} for name, results in loops.items()},
        "static": {"skipped": True},
        "accounts": {"skipped": True},
        "links": {"results": [{"item": item, "elapsed": 0} for item in links.due(topology["topology"], NODES)]},
    }
    results = {name: dict.fromkeys(hosts, result) for name, result in once.items()}
    results["host"] = {host: {"steps": []} for host in HOSTS if host in hosts}
    read = {**results, **more}
    return Registered(hosts, read, {run.SITE: site or {}}, names={name: f"__{name}" for name in read})


def compare(topology: dict[str, Any], whole: Fleet, found: Registered) -> dict[str, Any]:
    return run.decide("compare", whole, found, options_of(step="compare", results=NAMES), TIME)


def attributes(compared: dict[str, Any]) -> list[tuple[str, str]]:
    return [(entry["object"], entry["attribute"]) for entry in compared["report"]["deviations"]]


def test_a_fleet_as_declared_has_no_deviation(tmp_path: Path):
    topology, clients = topology_of(), [f"pc-{number}" for number in range(30)]
    path = survey(tmp_path, [row(name) for name in reversed([*HOSTS, *clients])])
    compared = compare(topology, fleet(clients), registered(topology, path, [*HOSTS, *clients]))
    assert (compared["table"], compared["failure"]) == (["0 deviations, 0 unknown, 0 notes"], "")
    assert compared["stats"] == {"deviation": 0, "unknown": 0, "note": 0, "verdict": "as declared"}
    assert (compared["report"]["time"], compared["report"]["version"]) == (TIME, 1)


def test_clients_are_told_in_the_order_of_the_inventory_whoever_answered_first(tmp_path: Path):
    topology, clients = topology_of(), ["pc-2", "pc-1", "pc-3"]
    path = survey(tmp_path, [row("pc-3", host_caching=True), row(W1), dark("pc-1"), row("pc-2", host_caching=True), row(E1)])
    compared = compare(topology, fleet(clients), registered(topology, path, [*HOSTS, *clients]))
    assert attributes(compared) == [("pc-2", "KMS host caching"), ("pc-3", "KMS host caching"), ("pc-1", "license")]
    assert compared["report"]["deviations"][2]["text"] == (
        "Its license could not be checked: http://127.0.0.1:5985/wsman did not answer within 10 seconds."
    )
    assert compared["table"][0] == "deviation  2 clients (pc-2, pc-3)  KMS host caching is yes; it should be no."


def test_what_ends_the_run_is_a_number_and_a_place(tmp_path: Path):
    clients = [f"pc-{number}" for number in range(1, 121)]
    rows = [row(name, host_caching=place < 107, domain_member=place >= 107) for place, name in enumerate(clients)]
    path = survey(tmp_path, [row(E1), row(W1), *rows])
    given = (fleet(clients), [*HOSTS, *clients])
    compared = compare(topology_of(), given[0], registered(topology_of(), path, given[1]))
    assert compared["table"] == [
        "deviation  107 clients (pc-1, pc-2, pc-3 and 104 more)  KMS host caching is yes; it should be no.",
        (
            "note       clients                                      13 clients are members of a domain and follow the order of their own domain"
            " wherever they are (pc-108, pc-109, pc-110, pc-111, pc-112 and 8 more); lookup_domain is the remedy for one that stays at another site."
        ),
        "107 deviations, 0 unknown, 1 note",
    ]
    assert compared["failure"] == (
        "107 deviations, 0 unknown, 1 note: not all is as the sites declare it. The task 'Show the deviations' lists them."
    )
    file = tmp_path / "audit.json"
    topology = topology_of(report_file=str(file))
    compared = compare(topology, given[0], registered(topology, path, given[1]))
    assert compared["failure"].endswith(f" The task 'Show the deviations' lists them, and the report is in {file}.")
    assert len(json.loads(file.read_text(encoding="utf-8"))["deviations"]) == 108
    assert compared["report"] == {}
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("rows", "verdict", "said"),
    [
        ([row("pc-1")], "as declared", ""),
        ([dark("pc-1")], "unknown", "0 deviations, 1 unknown, 0 notes: not all could be checked, and what was is as declared."),
        ([row("pc-1", host_caching=True)], "deviations", "1 deviation, 0 unknown, 0 notes: not all is as the sites declare it."),
    ],
)
def test_all_well_something_deviates_and_could_not_look_are_three_endings(
    tmp_path: Path, rows: list[dict[str, Any]], verdict: str, said: str
):
    path = survey(tmp_path, [row(E1), row(W1), *rows])
    compared = compare(topology_of(), fleet(["pc-1"]), registered(topology_of(), path, [*HOSTS, "pc-1"]))
    assert compared["verdict"] == compared["stats"]["verdict"] == compared["report"]["verdict"] == verdict
    assert compared["failure"] == (f"{said} The task 'Show the deviations' lists them." if said else "")


def test_where_deviations_are_no_failure_there_is_no_sentence(tmp_path: Path):
    topology = topology_of(fail=False)
    path = survey(tmp_path, [row(E1), row(W1), row("pc-1", host_caching=True)])
    compared = compare(topology, fleet(["pc-1"]), registered(topology, path, [*HOSTS, "pc-1"]))
    assert (compared["failure"], compared["stats"]["verdict"]) == ("", "deviations")


def test_a_report_that_can_no_longer_be_written_costs_no_verdict(tmp_path: Path):
    file = tmp_path / "reports/audit.json"
    file.parent.mkdir()
    topology = topology_of(report_file=str(file))
    file.parent.rmdir()
    said = f"kms_audit_report_file: {file} can't be written: No such file or directory (ENOENT); make its folder first."
    for rows, failure in (([row("pc-1")], ""), ([row("pc-1", host_caching=True)], "1 deviation, 0 unknown, 0 notes: ")):
        path = survey(tmp_path, [row(E1), row(W1), *rows])
        compared = compare(topology, fleet(["pc-1"]), registered(topology, path, [*HOSTS, "pc-1"]))
        assert compared["unwritten"] == said
        assert compared["failure"].startswith(failure)
        assert not failure or compared["failure"].endswith(f" The task 'Show the deviations' lists them. {said}")


def test_a_file_that_is_there_stays_until_there_is_a_new_report(tmp_path: Path):
    file = tmp_path / "audit.json"
    file.write_text("old", encoding="utf-8")
    topology_of(report_file=str(file))
    assert ([path.name for path in tmp_path.iterdir()], file.read_text(encoding="utf-8")) == (["audit.json"], "old")


def test_the_own_site_of_a_client_comes_first_in_its_search_list(tmp_path: Path):
    topology = topology_of()
    path = survey(tmp_path, [row(name) for name in [*HOSTS, "pc-1", "pc-2"]])
    found = registered(topology, path, [*HOSTS, "pc-1", "pc-2"], site={"pc-1": "east", "pc-2": "west"})
    (entry,) = compare(topology, fleet(["pc-1", "pc-2"]), found)["report"]["deviations"]
    assert (entry["object"], entry["expected"]) == ("pc-2", DOMAINS[::-1])


def test_a_client_at_a_site_that_there_is_not_deviates(tmp_path: Path):
    topology = topology_of()
    path = survey(tmp_path, [row(name) for name in [*HOSTS, "pc-1", "pc-2"]])
    found = registered(topology, path, [*HOSTS, "pc-1", "pc-2"], site={"pc-1": "eastt", "pc-2": "eastt"})
    compared = compare(topology, fleet(["pc-1", "pc-2"]), found)
    assert (compared["verdict"], attributes(compared)) == ("deviations", [("pc-1", "site"), ("pc-2", "site")])
    said = "Its variable volume_activation_site is eastt, and volume_activation_sites has no such site. Did you mean east?"
    assert compared["table"][0] == f"deviation  2 clients (pc-1, pc-2)  {said}"


def test_what_a_limit_leaves_out_is_said_and_is_no_deviation(tmp_path: Path):
    topology = topology_of()
    path = survey(tmp_path, [row(E1), row("pc-1"), row("pc-2", host_caching=True)])
    compared = compare(topology, fleet(["pc-1"], [E1], more=["pc-2"]), registered(topology, path, [E1, "pc-1"]))
    assert attributes(compared) == [("KMS hosts", "limit"), ("clients", "limit")]
    assert compared["table"] == [
        "note  KMS hosts  1 KMS hosts of the inventory are not in this run, because of its limit, and were not checked.",
        "note  clients    1 clients of the inventory are not in this run, because of its limit, and were not checked.",
        "0 deviations, 0 unknown, 2 notes",
    ]
    assert (compared["verdict"], compared["failure"]) == ("as declared", "")
    assert compared["report"]["left_out"] == {"kms_hosts": 1, "kms_clients": 1}
    # All KMS hosts are left out where the limit is a client.
    path = survey(tmp_path, [row("pc-1")])
    compared = compare(topology, fleet(["pc-1"], []), registered(topology, path, ["pc-1"]))
    assert attributes(compared) == [("KMS hosts", "limit")]


def test_a_host_of_the_sites_that_no_inventory_has_is_missed(tmp_path: Path):
    sites = {**SITES, "west": {**SITES["west"], "kms_hosts": [{"name": W1}, {"name": "kms-w2.west.contoso.com"}]}}
    topology = topology_of(sites=sites)
    path = survey(tmp_path, [row(E1), row(W1)])
    found = attributes(compare(topology, fleet([]), registered(topology, path, HOSTS)))
    assert found == [("kms-w2.west.contoso.com", "license"), ("kms-w2.west.contoso.com", "settings")]


def test_who_failed_before_the_survey_is_said_to_be_unknown(tmp_path: Path):
    topology = topology_of()
    path = survey(tmp_path, [row(E1), row(W1), row("pc-1")])
    whole = fleet(["pc-1", "pc-2"], failed=["pc-2"])
    compared = compare(topology, whole, registered(topology, path, [*HOSTS, "pc-1", "pc-2"]))
    assert (attributes(compared), compared["verdict"]) == ([("pc-2", "license")], "unknown")


def test_a_host_that_is_not_what_it_says_is_told_and_its_word_counts_for_nothing(tmp_path: Path):
    topology = topology_of()
    path = survey(tmp_path, [row(E1), row(W1)])
    looked = {"results": [{"hosts": {E1: {"account": "", "sid": "", "problem": "It says that it is PC-001."}}}]}
    found = registered(topology, path, HOSTS, accounts=dict.fromkeys(HOSTS, looked))
    sites = run.decide("lookups", fleet([]), found, options_of(step="lookups"), TIME)["sites"]
    assert [host for site in sites for host in site["hosts"]] == [
        {"host": host, "names": [host, host], "account": "", "computer_name": host.partition(".")[0].upper()} for host in HOSTS
    ]
    compared = compare(topology, fleet([]), found)
    (entry,) = compared["report"]["deviations"]
    assert (entry["object"], entry["attribute"], entry["text"], entry["severity"]) == (
        E1,
        "machine account",
        "It says that it is PC-001.",
        "unknown",
    )


def test_work_is_for_the_kms_hosts_that_were_read(tmp_path: Path):
    topology = topology_of()
    path = survey(tmp_path, [row("pc-1"), dark(W1), row(E1)])
    looked = {"results": [{"hosts": {E1: {"account": "K$", "sid": "S-1-5-21-1-2-3-1104", "problem": ""}}}]}
    found = registered(topology, path, [*HOSTS, "pc-1"], accounts=dict.fromkeys(HOSTS, looked))
    work = run.decide("work", fleet(["pc-1"]), found, options_of(step="work"), TIME)
    assert work["kms_hosts"] == {
        E1: {
            "port": 1688,
            "publishes": True,
            "publish_list": [
                {"domain": DOMAINS[0], "priority": 10, "weight": 0},
                {"domain": DOMAINS[1], "priority": 90, "weight": 0},
            ],
        }
    }
    members = {group["group"]: (group["members"], group["complete"]) for group in work["groups"]}
    assert members == {"KMS_E": (["S-1-5-21-1-2-3-1104"], True), "KMS_W": ([], False)}


def without_hosts(folder: Path) -> dict[str, Any]:
    return compare(topology_of(), fleet([]), registered(topology_of(), survey(folder, [row(E1), row(W1)]), HOSTS, host={}))


def of_another_run(folder: Path) -> list[Any]:
    return list(read_computers(survey(folder, [row("pc-1")]), ["pc-1", "pc-2", "pc-3"], ["pc-1", "pc-2", "pc-3"]))


def of_one_site(*hosts: str, **targets: str) -> dict[str, Any]:
    options = options_of(step="topology", single={"domain": "contoso.com", "dns_servers": "dc1.contoso.com"})
    inventory = fleet_of(hosts, hosts, {"kms_hosts": list(hosts), "kms_clients": []}, run.GROUPS)
    return run.decide("topology", inventory, Registered(hosts, {}, {TARGET: targets}), options, TIME)


BROUGHT_ABOUT = {
    "KMS hosts of a single site that the inventory has by their addresses": lambda _folder: of_one_site("10.0.0.7", "fe80::7", "kms1"),
    "sites that are no YAML": lambda _folder: run_audit.of_text("east: [", run_audit.VARIABLE),
    "a DNS suffix search list that is none": lambda _folder: topology_of(dns_suffixes="['east"),
    "nodes that are none": lambda _folder: topology_of(nodes="node-e"),
    "a node at a site that there is not": lambda _folder: topology_of(nodes={"north": "node-n"}),
    "a report in a folder that is not there": lambda folder: topology_of(report_file=str(folder / "reports/audit.json")),
    "a report in the place of a folder": lambda folder: topology_of(report_file=str(folder)),
    "a survey of another run": of_another_run,
    "KMS hosts that nobody has looked at": without_hosts,
}
WRITTEN = error_catalogue.paired("Audits", BROUGHT_ABOUT)


@pytest.mark.parametrize("case", BROUGHT_ABOUT)
def test_what_is_wrong_is_said_as_it_is_written_down(tmp_path: Path, case: str):
    with pytest.raises(ActivationError) as caught:
        BROUGHT_ABOUT[case](tmp_path)
    known = {"file": tmp_path / "survey.audit.jsonl", "folder": tmp_path}
    assert error_catalogue.shown(caught.value) == error_catalogue.expected(WRITTEN[case], caught.value, **known)


@pytest.mark.parametrize(
    ("given", "suffixes"),
    [
        (None, None),
        ([], None),
        (["Contoso.com."], ["contoso.com"]),
        ("east.contoso.com, west.contoso.com,", DOMAINS),
        ('["east.contoso.com", "west.contoso.com"]', DOMAINS),
    ],
)
def test_a_search_list_is_a_list_or_a_text(given: Any, suffixes: Any):
    assert topology_of(dns_suffixes=given)["settings"]["dns_suffixes"] == suffixes


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"dns_suffixes": {"a": 1}}, "kms_audit_dns_suffixes has to be a name, a list of names"),
        ({"dns_suffixes": "a b"}, "dns_suffixes is 'a b', which is no DNS domain name such as contoso.com"),
        ({"lookup_domain": "a b"}, "lookup_domain is 'a b', which is no DNS domain name"),
        ({"sites": None}, "volume_activation_sites: nothing is no dictionary of sites"),
        ({"sites": {"east": {}}}, r"volume_activation_sites\.east\.domain: it is missing\."),
        ({"local_priority": "x"}, "volume_activation_local_priority: x is no whole number"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_read(given: dict[str, Any], said: str):
    with pytest.raises(ActivationError, match=said):
        topology_of(**given)


def tried(topology: dict[str, Any], **of_site: Any) -> dict[str, Any]:
    """The results of the nodes at some sites."""
    due = links.due(topology["topology"], {site: NODES[site] for site in of_site})
    return {"results": [{"item": item, **of_site[item["from_site"]]} for item in due]}


def known_links(topology: dict[str, Any], folder: Path, rows: Sequence[dict[str, Any]] = (), **more: Any) -> tuple[list[Any], list[Any]]:
    """What is known of the links, and what is found of them."""
    clients = [entry["host"] for entry in rows]
    path, hosts = survey(folder, [row(E1), row(W1), *rows]), [*HOSTS, *clients]
    found = {name: dict.fromkeys(hosts, result) for name, result in {"links": {"skipped": True}, **more}.items()}
    compared = compare(topology, fleet(clients), registered(topology, path, hosts, dict.fromkeys(clients, "east"), **found))
    known = [(entry["from_site"], entry["state"], entry["evidence"], entry["date"]) for entry in compared["report"]["links"]]
    said = [(entry["severity"], entry["object"]) for entry in compared["report"]["deviations"] if entry["attribute"] == "link"]
    return known, said


EAST_WEST, WEST_EAST = f"east -> {W1}:1688", f"west -> {E1}:1688"
NOBODY = ("unknown", "", "")
REFUSED = {"failed": True, "msg": "Timeout when waiting for kms:1688"}


def test_a_link_that_nobody_has_looked_at_is_said_to_be_unknown(tmp_path: Path):
    known, said = known_links(topology_of(), tmp_path)
    assert known == [("east", *NOBODY), ("west", *NOBODY)]
    assert said == [("note", EAST_WEST), ("note", WEST_EAST)]


@pytest.mark.parametrize("state", ["answering", "filtered"])
def test_a_control_node_at_a_site_sees_the_links_from_there(tmp_path: Path, state: str):
    topology = topology_of(control_site="east")
    ends = {"west": {"host": W1, "port": 1688, "state": state, "detail": "No."}}
    ports = {"results": [{"item": site, "endpoints": [ends[site["name"]]] if site["name"] in ends else []} for site in topology["sites"]]}
    known, said = known_links(topology, tmp_path, ports=ports, links=tried(topology, east=REFUSED))
    is_open = "open" if state == "answering" else "closed"
    assert known == [("east", is_open, "a bind from the control node", ""), ("west", *NOBODY)]
    # A host that does not answer is a deviation of that host.
    assert said == [("note", WEST_EAST)]


@pytest.mark.parametrize(
    ("result", "known", "said"),
    [
        ({"elapsed": 0}, ("open", "a connection from node-e"), []),
        (REFUSED, ("closed", "a connection from node-e"), [("deviation", EAST_WEST)]),
        ({"unreachable": True, "msg": "No route."}, ("unknown", ""), [("unknown", EAST_WEST)]),
    ],
)
def test_a_node_at_a_site_tells_of_the_links_from_there(tmp_path: Path, result: Any, known: Any, said: Any):
    # What a client has found is older.
    rows = [row("pc-1", discovered_machine=W1, discovered_machine_port=1688)]
    found = known_links(topology_of(), tmp_path, rows, links=tried(topology_of(), east=result))
    assert found == ([("east", *known, ""), ("west", *NOBODY)], [*said, ("note", WEST_EAST)])


def test_a_host_that_has_activated_a_client_of_another_site_is_evidence_with_a_date(tmp_path: Path):
    at = {"at": "2026-11-24T17:00:00Z"}
    rows = [
        {**row("pc-1", discovered_machine=W1.upper(), discovered_machine_port=1688), **at, "expires_in_days": 170},
        {**row("pc-2", discovered_machine=W1, discovered_machine_port=1688), **at, "expires_in_days": 178},
        {**row("pc-3", discovered_machine=W1, discovered_machine_port=1688), **at, "expires_in_days": 100},
    ]
    known, said = known_links(topology_of(), tmp_path, rows)
    assert known == [("east", "open", "a client of east that it activated", "2026-11-22"), ("west", *NOBODY)]
    assert said == [("note", WEST_EAST)]
    # Neither another port, nor a host that was set by hand, nor one by which nobody was activated.
    for other in ({"discovered_machine_port": 1690}, {"kms_machine": W1}):
        settings = {"discovered_machine": W1, "discovered_machine_port": 1688, **other}
        assert known_links(topology_of(), tmp_path, [{**row("pc-1", **settings), **at}])[0][0] == ("east", *NOBODY)
    waiting = {**row("pc-1", discovered_machine=W1, discovered_machine_port=1688), **at, "state": "oob_grace"}
    assert known_links(topology_of(), tmp_path, [waiting])[0][0] == ("east", *NOBODY)


def test_flows_are_a_table_for_the_owners_of_firewalls():
    assert topology_of()["flows"] == []
    lines = topology_of(flows=True)["flows"]
    assert lines[0].split() == ["from", "site", "from", "to", "site", "to", "protocol", "port", "purpose"]
    assert lines[1].split() == ["east", "clients", "east", E1, "tcp", "1688", "activation"]
    assert lines[2].split() == ["east", "clients", "west", W1, "tcp", "1688", "fallback"]
    assert len(lines) == 1 + len(topology_of()["topology"]["flows"])


def many(number: int) -> list[dict[str, Any]]:
    """Rows of a fleet in which every tenth client deviates, and every hundredth is dark."""
    names = [f"pc-{place:05}.east.contoso.com" for place in range(number)]
    clients = [
        dark(name) if place % 100 == 0 else row(name, host_caching=place % 10 == 1, domain_member=place % 2 == 0)
        for place, name in enumerate(names)
    ]
    return [row(E1), row(W1), *clients]


def audited(folder: Path, number: int) -> tuple[dict[str, Any], Fleet, Registered]:
    rows = many(number)
    names = [entry["host"] for entry in rows]
    topology = topology_of()
    return topology, fleet(names[2:]), registered(topology, survey(folder, rows), names)


@pytest.mark.parametrize(
    "size", [pytest.param(2_000, marks=pytest.mark.tier("test")), pytest.param(10_000, marks=pytest.mark.tier("soak"))]
)
def test_ten_thousand_clients_are_a_matter_of_seconds_and_little_memory(tmp_path: Path, size: int):
    given = audited(tmp_path, size)
    begun = time.process_time()
    compared = compare(*given)
    assert time.process_time() - begun < 5
    assert compared["stats"] == {"deviation": size // 10, "unknown": size // 100, "note": 1, "verdict": "deviations"}
    # What a job prints has an end; equal deviations are one line.
    assert len(compared["table"]) == 4
    assert len(json.dumps(compared["report"])) <= 64 * 1024
    assert compared["report"]["not_shown"] + len(compared["report"]["deviations"]) == size // 10 + size // 100 + 1
    tracemalloc.start()
    try:
        compare(*given)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 32 * 2**20


@pytest.mark.tier("test")
def test_twice_as_many_clients_take_twice_as_long(tmp_path: Path):
    assert timing.is_linear(lambda given: compare(*given), lambda number: audited(tmp_path, number), 800)


def test_without_sites_the_kms_hosts_of_the_inventory_are_those_of_one_site():
    options = options_of(
        step="topology", single={"domain": "Contoso.com.", "dns_servers": "dc1.contoso.com", "port": "1690", "host_caching": ""}
    )
    hosts = ["KMS-1.contoso.com", "kms2", "10.0.0.7"]
    groups = {"kms_hosts": hosts, "kms_clients": []}
    targets = {TARGET: {"10.0.0.7": "kms-3.contoso.com"}}
    found = run.decide("topology", fleet_of(hosts, hosts, groups, run.GROUPS), Registered(hosts, {}, targets), options, TIME)
    assert [site["endpoints"] for site in found["sites"]] == [["kms-1.contoso.com:1690", "kms2.contoso.com:1690", "kms-3.contoso.com:1690"]]
    assert found["topology"]["zones"]["contoso.com"]["values"][0] == {
        "target": "kms-1.contoso.com",
        "port": 1690,
        "priority": 0,
        "weight": 0,
    }
    # What nobody declares is not managed.
    settings = found["settings"]
    assert (settings["dns_suffixes"], settings["host_caching"], settings["listed"]) == (None, None, False)


def test_of_a_single_site_a_client_is_judged_by_what_is_declared(tmp_path: Path):
    expected = expected_of(
        {"sites": {"contoso.com": {"domain": "contoso.com"}}},
        {"dns_suffixes": None, "lookup_domain": "", "host_caching": None, "alternate_url": "", "validity_days": 30, "listed": False},
    )
    suffixes = {"own": "contoso.com", "search_list": ["x.example"], "source": "set", "effective": ["x.example"]}
    settings = {"suffixes": suffixes, "host_caching": True, "domain_member": True, "required_count": 25}
    client = computer_of({"host": "pc-1", "outcome": "read", "state": "licensed", "channel": "gvlk", "kms_client_settings": settings})
    assert list(judge(client, "", expected).deviations) == []
    assert judge(client, "", replace(expected, host_caching=False)).deviations
