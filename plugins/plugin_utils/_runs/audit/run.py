# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of C(run_audit)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..fleet import Fleet
from ..kms.accounts import found_hosts, lookups, machine_accounts
from ..kms.settings import SEVERAL, SINGLE
from ..kms.work import as_inventory_names, hosts_of, hosts_work, work
from ..registered import Registered
from . import file, links, report
from .clients import Judged, judge
from .computer import SurveyedComputer
from .deviation import NOT_ASKED, not_looked_at
from .links import Way
from .report import AuditSeen
from .settings import TARGET, declared, expected_of
from .survey import read_computers

KMS_HOSTS, CLIENTS = "kms_hosts", "kms_clients"
GROUPS = (KMS_HOSTS, CLIENTS)
ACCOUNTS = tuple(f"{role}_account" for role in (SINGLE, SEVERAL))
"""The variables by which the inventory tells the machine account of a KMS host, of a single site and of several."""
SITE = "volume_activation_site"
"""The variable by which the inventory tells the site of a client."""


def decide(step: str, fleet: Fleet, found: Registered, options: Mapping[str, Any], time: str) -> dict[str, Any]:
    """What a step decides, as the documentation of C(run_audit) has it.

    Args:
        step: C(topology), C(lookups), C(work) or C(compare).
        fleet: The hosts of the play.
        found: What was registered for them.
        options: The options of the task.
        time: When this is, as the report has it.

    Raises:
        ActivationError: The options do not go together, or what was read is not there.
    """
    if step == "topology":
        targets = found.variables.get(TARGET, {})
        return declared(options, {host: str(targets.get(host) or "") for host in fleet.groups[KMS_HOSTS]})
    topology = as_inventory_names(found.once("topology")["topology"], fleet.members[KMS_HOSTS])
    if step == "lookups":
        computers = {name: computer.name for name, computer in _read(fleet, found).items() if computer.name}
        given = found.variables.get(ACCOUNTS[found.once("topology")["settings"]["listed"]], {})
        return {"sites": lookups(topology, computers, given, accounts_only=True)}
    if step == "work":
        return _work(topology, fleet, found)
    settings = found.once("topology")["settings"]
    seen = _seen(topology, fleet, found, settings)
    if not seen.checked:
        found.demand("host", _to_look_at(topology, seen.kms_hosts, settings["listed"]))
    entries = report.deviations(topology, seen, settings["required_count"], settings["control_site"])
    made = report.report(entries, seen, topology, time)
    path = settings["report_file"]
    unwritten = file.write(path, made) if path else ""
    failure = report.failure(entries, "" if unwritten else path) if settings["fail"] else ""
    return {
        "table": report.table(entries),
        "report": {} if path and not unwritten else report.shown(made),
        "stats": {**made["counts"], "verdict": made["verdict"]},
        "verdict": made["verdict"],
        "failure": f"{failure} {unwritten}".rstrip() if failure else "",
        "unwritten": unwritten,
    }


def _work(topology: Mapping[str, Any], fleet: Fleet, found: Registered) -> dict[str, Any]:
    """What has to be checked in the directory, in DNS and on KMS hosts."""
    read = _read(fleet, found)
    due = work(topology, list(read), machine_accounts(found.loop("accounts")), every_site=True)
    return {**due, "kms_hosts": _to_look_at(topology, read, found.once("topology")["settings"]["listed"])}


def _read(fleet: Fleet, found: Registered) -> dict[str, SurveyedComputer]:
    """The KMS hosts of the run that were read, by their names in the inventory."""
    hosts = fleet.groups[KMS_HOSTS]
    computers = {computer.host: computer for computer in read_computers(_file(found), hosts, _asked(fleet, hosts))}
    return {name: computers[name] for name in hosts if name in computers and not computers[name].unread}


def _to_look_at(topology: Mapping[str, Any], computers: Mapping[str, SurveyedComputer], listed: bool) -> dict[str, dict[str, Any]]:
    """By name in the inventory the KMS hosts whose settings are checked, and what these should be."""
    read = [name for name, computer in computers.items() if not computer.unread]
    return {
        name: {setting: host[setting] for setting in ("port", "publishes", "publish_list") if setting in host}
        for name, host in hosts_work(topology, read, listed).items()
    }


def _seen(topology: Mapping[str, Any], fleet: Fleet, found: Registered, settings: Mapping[str, Any]) -> AuditSeen:
    kms_hosts, clients = fleet.groups[KMS_HOSTS], fleet.groups[CLIENTS]
    wanted = dict.fromkeys([*kms_hosts, *clients])
    is_host, is_client = frozenset(kms_hosts), frozenset(clients)
    expected = expected_of(topology, settings)
    computers: dict[str, SurveyedComputer] = {}
    judged: dict[str, Judged] = {}
    activated: dict[Way, str] = {}
    sites = found.variables.get(SITE, {})
    for computer in read_computers(_file(found), wanted, _asked(fleet, wanted)):
        if computer.host in is_host:
            computers[computer.host] = computer
        if computer.host in is_client:
            site = str(sites.get(computer.host, ""))
            judged[computer.host] = judge(computer, site, expected)
            if activation := links.activation_of(computer, site):
                activated[activation[0]] = max(activated.get(activation[0], ""), activation[1])
    zones: dict[str, dict[str, Any]] = {domain: {} for domain in topology["zones"]}
    for name in ("records", "ports", "static", "rights"):
        for result in found.loop(name):
            zones[result["item"]["domain"]][name] = result
    return AuditSeen(
        zones=zones,
        groups={result["item"]["name"]: result for result in found.loop("groups")},
        account_problems=_account_problems(topology, found),
        kms_hosts=computers,
        checked=found.all_of("host"),
        clients={name: judged.get(name) or _never_asked(name) for name in clients},
        hosts_left_out=_left_out(topology, fleet),
        clients_left_out=fleet.cut.get(CLIENTS, 0),
        links=list(links.links(topology, settings["control_site"], found.loop("ports"), found.loop("links"), activated)),
    )


def _account_problems(topology: Mapping[str, Any], found: Registered) -> dict[str, str]:
    """By KMS host whose machine account is not known why."""
    looked = found_hosts(found.loop("accounts"))
    return {host["name"]: looked[name]["problem"] for name, host in hosts_of(topology, list(looked)).items() if looked[name]["problem"]}


def _left_out(topology: Mapping[str, Any], fleet: Fleet) -> list[str]:
    """The KMS hosts of the sites that the inventory has and the play has not."""
    here, members = frozenset(fleet.groups[KMS_HOSTS]), frozenset(fleet.members[KMS_HOSTS])
    names = (host["inventory_hostname"] for host in topology["hosts"].values())
    return [name for name in names if name in members and name not in here]


def _file(found: Registered) -> str:
    return str(found.once("survey")["file"])


def _asked(fleet: Fleet, hosts: Iterable[str]) -> list[str]:
    """Those of the hosts that have not failed, which the survey has asked."""
    batch = frozenset(fleet.batch)
    return [host for host in hosts if host in batch]


def _never_asked(name: str) -> Judged:
    return Judged([not_looked_at(name, "license", NOT_ASKED)])
