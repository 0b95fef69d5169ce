# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run over several sites has to do, from the topology and from what was read. Pure.

A topology here is the result of the filter C(kms_topology), and a loop the result of a task with a loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._srv_value import plain_name

Result = Mapping[str, Any]


def hosts_of(topology: Result, inventory_hosts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The topology's entries of the hosts of a run, by their name in the inventory, in the topology's order.

    A topology has names in lower case, an inventory as its owner writes them.
    """
    by_name = {plain_name(name): name for name in inventory_hosts} | {name: name for name in inventory_hosts}
    found = ((host, str(host["inventory_hostname"])) for host in topology["hosts"].values())
    named = ((host, by_name.get(name) or by_name.get(plain_name(name))) for host, name in found)
    return {name: host for host, name in named if name}


def as_inventory_names(topology: Result, inventory_hosts: Sequence[str]) -> dict[str, Any]:
    """The topology with the names of its hosts as the inventory writes them."""
    names = {host["name"]: name for name, host in hosts_of(topology, inventory_hosts).items()}
    hosts = {
        name: {**host, "inventory_hostname": names.get(host["name"], host["inventory_hostname"])}
        for name, host in topology["hosts"].items()
    }
    return {**topology, "hosts": hosts}


def work(topology: Result, accounts: Mapping[str, str], every_site: bool = False) -> dict[str, list[dict[str, Any]]]:
    """The groups, rights and static values that the KMS hosts of a run need; those of other sites are left alone.

    Args:
        topology: The sites.
        accounts: The machine account of each KMS host of the run that could be read, by its name in the inventory.
        every_site: Look at all sites and values, also of hosts that are not in the run.

    Returns:
        C(groups), each a site with the C(members) of its group, and C(complete), whether these are all of them; C(grants);
        and C(static), each a zone with the C(values) that are written from the control node.
    """
    hosts = hosts_of(topology, list(accounts))
    own = {host["site"] for host in (topology["hosts"] if every_site else hosts).values()}
    targets = {host["name"] for host in (topology["hosts"] if every_site else hosts).values()}
    groups = [
        {**site, "members": members, "complete": len(members) == len(site["kms_hosts"])}
        for site in topology["sites"].values()
        if site["name"] in own
        for members in ([accounts[name] for name, host in hosts.items() if host["site"] == site["name"]],)
    ]
    static = [
        {**zone, "values": values}
        for zone in topology["zones"].values()
        if (values := [value for value in zone["static"] if value["target"] in targets])
    ]
    grants = [
        {**grant, "dns_servers": topology["zones"][grant["domain"]]["dns_servers"]} for grant in topology["grants"] if grant["site"] in own
    ]
    return {"groups": groups, "grants": grants, "static": static}


def first_publishers(topology: Result, kms_hosts: Sequence[str], records: Result) -> dict[str, list[str]]:
    """Which hosts make the records that are not there yet, and each the ones of which domains.

    A host publishes itself in all its domains at once, so the first one of the topology makes the records of all of these.

    Args:
        topology: The sites.
        kms_hosts: The KMS hosts of the run, by their name in the inventory.
        records: The loop that looked at the rights on the records.
    """
    there = {result["item"]["record"] for result in records.get("results", []) if result.get("dn")}
    missing = {domain for domain, zone in topology["zones"].items() if zone["record"] not in there}
    first: dict[str, list[str]] = {}
    for name in kms_hosts:
        host = hosts_of(topology, [name]).get(name)
        domains = [line["domain"] for line in host["publish_list"] if line["domain"] in missing] if host else []
        if domains:
            first[name] = domains
            missing -= set(domains)
    return first


def principal(groups: Result, grant: Result) -> str:
    """How a grant's group is named to the controller of the record: by its SID where it is known, as it may be of another domain."""
    for result in groups.get("results", []):
        if result["item"]["name"] == grant["site"] and result.get("sid"):
            return str(result["sid"])
    return str(grant["group"])


def missing_rights(rights: Result, site: str) -> str:
    """What the group of a site lacks on which record, as one sentence; empty where nothing is missing."""
    lacking = [
        f"{result['item']['group']} lacks {', '.join(result['missing'])} on the record {result['item']['record']}."
        for result in rights.get("results", [])
        if result["item"]["site"] == site and result.get("missing")
    ]
    return " ".join(lacking)


def old_values(topology: Result, publications: Sequence[Result]) -> list[dict[str, Any]]:
    """The zones that hold values of KMS hosts beside the right ones, each with those as C(values).

    Args:
        topology: The sites.
        publications: What the KMS hosts said of the records that they are in.
    """
    found: list[dict[str, Any]] = []
    for zone in topology["zones"].values():
        values = [
            {"target": publication["target"], **{name: old[name] for name in ("port", "priority", "weight")}}
            for publication in publications
            if publication["record"] == zone["record"]
            for old in publication.get("old_values") or []
        ]
        if values:
            found.append({**zone, "values": values})
    return found
