# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role for several sites tells people: findings before the first change, and one summary after the last.

A topology here is the result of the filter C(kms_topology). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ._findings import Finding, license_findings
from ._licensing.publish_list import is_unusable
from ._multi_site import hosts_of
from ._report import (
    KmsHostResults,
    client_lines,
    host_lines,
    record_text,
    rights_findings,
)
from ._text import some
from ._topology.doubts import doubts

Result = Mapping[str, Any]


def findings(
    topology: Result,
    licenses: Mapping[str, Result],
    kms_hosts: Sequence[str],
    clients: Sequence[str],
    keys: Mapping[str, Result],
    records: Sequence[Result],
    checks: Sequence[tuple[str, Result]],
) -> list[Finding]:
    """What stands in the way of a run, and what its owner may want to know before.

    Args:
        topology: The sites.
        licenses: Results of C(license_info) by host, for the hosts of the play.
        kms_hosts: The hosts of the inventory that are to be KMS hosts.
        clients: Those that are to be clients.
        keys: What is known of the KMS host key that each of them is to get, as C(product_key_facts) tells it.
        records: Results of reading the sites' records, each with its site as C(item).
        checks: Results of further read-only tasks, with what they looked at.
    """
    found = list(_inventory_findings(topology, licenses, kms_hosts, clients))
    found += [Finding(record, said, False) for record, said in doubts(topology)]
    found += license_findings(licenses, kms_hosts, keys, "kms_multi_site_csvlk")
    for result in records:
        found += _record_findings(topology, result)
    for subject, result in checks:
        found += rights_findings(subject, result)
    # Several groups have rights on one record, so that what is said of the record is said once.
    return list(dict.fromkeys(found))


def _inventory_findings(topology: Result, hosts: Iterable[str], kms_hosts: Sequence[str], clients: Sequence[str]) -> Iterable[Finding]:
    """Where sites and inventory do not fit together."""
    known = hosts_of(topology, kms_hosts)
    in_run = [host for host in kms_hosts if host in hosts]
    if not in_run:
        yield Finding("inventory", "The play has no KMS host; put those of the sites into the group kms_hosts, and into the limit.", True)
    for host in kms_hosts:
        if host in clients:
            yield Finding(host, "It is in both groups, kms_hosts and kms_clients; leave it in one of them.", True)
    for host in in_run:
        if host not in known:
            yield Finding(
                host,
                "It is in the group kms_hosts, but at no site; name it in volume_activation_sites (inventory_hostname there is"
                " its name in the inventory), or take it out of the group.",
                True,
            )
    named = {entry["name"]: name for name, entry in known.items()}
    for name, entry in topology["hosts"].items():
        if name not in named:
            text = (
                f"It is a KMS host of {entry['site']}, but not in the group kms_hosts of the inventory; it is not set up by this run."
                " (inventory_hostname of the host is its name in the inventory.)"
            )
            yield Finding(name, text, False)


def _record_findings(topology: Result, result: Result) -> Iterable[Finding]:
    """What is in a site's record beside what the topology puts there."""
    record = result["item"]["record"]
    if "records" not in result:
        yield Finding(record, str(result.get("msg", "It could not be read.")), True)
        return
    wanted = {_value(value) for value in topology["zones"][result["item"]["domain"]]["values"]}
    for entry in result["records"]:
        shown = f"{entry['target']}:{entry['port']} ({entry['priority']} {entry['weight']})"
        if entry["target"] not in topology["hosts"]:
            yield Finding(record, f"It also names {shown}, which is no KMS host of the sites; it is left alone.", False)
        elif _value(entry) not in wanted:
            yield Finding(record, f"It names {shown}, which is not what the sites say; the value will be removed.", False)
    if not result.get("consistent", True):
        behind = [server["server"] for server in result["servers"] if server["error"] or server["lacks"]]
        yield Finding(record, f"Its DNS servers do not hold the same: {', '.join(behind)} did not answer, or lacks values.", False)


def _value(entry: Result) -> tuple[Any, ...]:
    return entry["target"], entry["port"], entry["priority"], entry["weight"]


def summary(
    topology: Result,
    hosts: Mapping[str, KmsHostResults],
    clients: Mapping[str, Mapping[str, Any]],
    endpoints: Sequence[Result],
    records: Sequence[Result],
    rights: Sequence[Result],
    check_mode: bool,
) -> list[str]:
    """The end of a run, as lines that can be pasted into a ticket.

    Args:
        topology: The sites.
        hosts: The KMS hosts of the run.
        clients: For each client C(license), the result of C(license_info), and C(client), that of C(kms_client), where it got that far.
        endpoints: What was found at the ports of the KMS hosts.
        records: Results of reading the sites' records, each with its site as C(item).
        rights: Results of reading the rights on them, each with its grant as C(item).
        check_mode: Nothing was changed.
    """
    sites = ", ".join(f"{site['name']} ({site['domain']})" for site in topology["sites"].values())
    lines = [f"KMS at {sites}" + (" (check mode: nothing was changed)" if check_mode else "")]
    lines += host_lines(hosts, {"endpoints": endpoints})
    for result in records:
        granted = [
            f"{right['item']['group']} has {', '.join(right.get('granted') or ['no rights'])} on it"
            for right in rights
            if right["item"]["record"] == result["item"]["record"]
        ]
        lines.append("; ".join([f"Record {result['item']['record']}: {record_text(result)}", *granted]))
    lines += order_lines(topology)
    lines += client_lines(hosts, clients)
    return [*lines, *_remarks(clients)]


def foreign_publish_lines(publish_lists: Mapping[str, Result]) -> list[str]:
    """Which KMS hosts publish themselves where no site knows of it, by the results C(publish_list) of the module C(kms_host)."""
    lines = []
    for host, result in publish_lists.items():
        unusable = [line for line in result.get("foreign") or () if is_unusable(line)]
        foreign = [line for line in result.get("foreign") or () if line not in unusable]
        for found, what in ((foreign, "which no site has"), (unusable, "which is no domain, priority and weight with commas between them")):
            if found:
                lines.append(
                    f"{host} has {'; '.join(found)} in its publish list, {what}; it is left alone."
                    " kms_multi_site_publish_list: exact removes it."
                )
    return lines


def order_lines(topology: Result) -> list[str]:
    """In which order the clients of each site try the KMS hosts, with the percentage that each gets of its priority."""
    return [
        f"Clients of {site} try: "
        + ", then ".join(" or ".join(f"{host['target']} ({host['share']:g} %)" for host in group["hosts"]) for group in groups)
        for site, groups in topology["orders"].items()
    ]


def _remarks(clients: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    """Which clients do not do what the sites were made for."""
    results = {name: client.get("client") or {} for name, client in clients.items()}
    if deaf := [name for name, result in results.items() if result.get("honours_priority_and_weight") is False]:
        yield f"Do not follow priority and weight, because their Windows is older than 7: {len(deaf)} ({some(deaf)})"
    if policy := [name for name, result in results.items() if (result.get("suffixes") or {}).get("source") == "policy"]:
        yield f"Have their DNS suffix search list from a policy, which wins: {len(policy)} ({some(policy)})"
    if members := [name for name, result in results.items() if result.get("domain_member")]:
        yield (
            f"Ask their own domain first wherever they are, because they are members of one: {len(members)} ({some(members)})."
            " Where that is not wanted, set kms_multi_site_lookup_domain for them."
        )
