# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the KMS hosts of a run need, from the topology and from what was read of them.

A topology here is the result of C(derived), and a loop the result of a task with a loop. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..._srv.value import is_full_name, plain_name
from ..._topology.derived import derived
from ..._topology.model import DYNAMIC, GLOBAL, STATIC, Appearance, KmsHost, Site
from .settings import KmsSettings

Result = Mapping[str, Any]


def single_site(settings: KmsSettings, targets: Mapping[str, str]) -> dict[str, Any]:
    """The topology of a single site.

    Args:
        settings: Those of the role.
        targets: The names that its KMS hosts have in DNS, by their names in the inventory.
    """
    plain = Appearance(0, 0)
    hosts = [KmsHost(target, name, settings.port, "", settings.domain, plain, plain, {}) for name, target in targets.items()]
    site = Site(
        name=settings.domain,
        domain=settings.domain,
        zone=settings.record_zone,
        ad_domain=settings.domain,
        group=settings.group,
        group_scope=GLOBAL,
        domain_controllers=(),
        dns_servers=tuple(settings.dns_servers),
        credential="",
        client_networks=(),
        remote_publish=DYNAMIC,
        kms_hosts=tuple(hosts),
        records=settings.records,
        listed=False,
    )
    return derived({site.name: site})


def target_of(name: str, given: str, dns_name: str = "") -> str:
    """The name that a KMS host has in DNS.

    Args:
        name: Its name in the inventory, which is taken where it is a full name, or where nothing else is known.
        given: What the host's variable says; empty for nothing.
        dns_name: Its full name by its machine account or DNS; empty where it was not looked up, or has none.
    """
    return plain_name(given or (name if is_full_name(name) else dns_name or name))


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


def work(
    topology: Result, read: Sequence[str], accounts: Mapping[str, Result], every_site: bool = False
) -> dict[str, list[dict[str, Any]]]:
    """The groups, rights and values that the KMS hosts of a run need; those of other sites are left alone.

    Args:
        topology: The sites.
        read: The KMS hosts of the run that could be read, by their names in the inventory.
        accounts: Of these the machine accounts that were found, each with its C(sid).
        every_site: Look at all sites and values, also of hosts that are not in the run.

    Returns:
        C(groups), each a site with the C(members) of its group, by their SIDs, and C(complete), whether these are all of them; C(grants), by
        record, each with the C(groups) of the sites whose hosts publish there, and C(complete), whether the accounts of all these are known;
        C(static), each a zone with the C(values) that are written from the control node into the directory; and C(written), the same with
        those that it writes by dynamic update as well, each with its C(method).
    """
    hosts = hosts_of(topology, read)
    own = {host["site"] for host in (topology["hosts"] if every_site else hosts).values()}
    targets = {host["name"] for host in (topology["hosts"] if every_site else hosts).values()}
    sids: dict[str, list[str]] = {name: [] for name in topology["sites"]}
    for name, host in hosts.items():
        sids[host["site"]] += [accounts[name]["sid"]] if name in accounts else []
    grants = _grants(topology, own)
    # Where no host publishes itself nobody needs rights.
    publishing = {name for grant in grants for name in grant["groups"]}
    groups = [
        {**site, "members": sids[name], "complete": len(sids[name]) == len(site["kms_hosts"])}
        for name, site in topology["sites"].items()
        if name in publishing
    ]
    complete = {group["name"] for group in groups if group["complete"]}
    for grant in grants:
        grant["complete"] = _publishing(topology, grant["domain"]) <= complete
    written = [*_written(topology, STATIC, STATIC, targets), *_written(topology, "updated", DYNAMIC, targets)]
    static = [zone for zone in written if zone["method"] == STATIC]
    return {"groups": groups, "grants": grants, "static": static, "written": written}


def _publishing(topology: Result, domain: str) -> set[str]:
    """The sites whose hosts publish in a domain."""
    return {grant["site"] for grant in topology["grants"] if grant["domain"] == domain}


def _grants(topology: Result, own: set[str]) -> list[dict[str, Any]]:
    """The records that hosts of these sites publish in."""
    found: dict[str, dict[str, Any]] = {}
    for grant in topology["grants"]:
        if grant["site"] in own:
            of_record = ("record", "domain", "zone", "domain_controllers", "credential")
            record = {
                **{name: grant[name] for name in of_record},
                "dns_servers": topology["zones"][grant["domain"]]["dns_servers"],
                "groups": {},
            }
            found.setdefault(grant["domain"], record)["groups"][grant["site"]] = grant["group"]
    return list(found.values())


def _written(topology: Result, kind: str, method: str, targets: set[str]) -> Iterable[dict[str, Any]]:
    """The zones with values of these hosts that the control node writes."""
    for zone in topology["zones"].values():
        values = [value for value in zone[kind] if value["target"] in targets]
        if values:
            yield {**zone, "values": values, "method": method}


def hosts_work(topology: Result, kms_hosts: Sequence[str], listed: bool) -> dict[str, dict[str, Any]]:
    """What each KMS host of the run is to be, by its name in the inventory.

    Args:
        topology: The sites.
        kms_hosts: The hosts of the run.
        listed: Whether they have a publish list.
    """
    found = {}
    for name, host in hosts_of(topology, kms_hosts).items():
        lines = host["publish_list"]
        site = topology["sites"][host["site"]]
        found[name] = {
            "name": host["name"],
            "site": host["site"],
            "port": host["port"],
            "dns_servers": site["dns_servers"],
            "publishes": bool(lines),
            "publish_domains": lines if listed else [{**_place(line), "own_numbers": True} for line in lines],
        }
        if listed:
            found[name]["publish_list"] = [{key: line[key] for key in ("domain", "priority", "weight")} for line in lines]
            listed_there = {line["domain"] for line in lines}
            found[name]["publish_list_absent"] = [domain for domain in topology["zones"] if domain not in listed_there]
    return found


def _place(line: Result) -> dict[str, Any]:
    return {key: line[key] for key in ("domain", "dns_servers")}
