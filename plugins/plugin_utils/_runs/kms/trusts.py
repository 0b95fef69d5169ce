# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records in which KMS hosts of other Active Directory domains publish themselves, and whether they are trusted there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..finding import Finding
from .work import Result, hosts_of

_AT_HOME, _ELSEWHERE = "records", "remote_publish"
"""What a site is told by, so that the hosts do not publish in its record: its own ones, and those of other sites."""


def due_trusts(topology: Result, looked: Sequence[Result], hosts: Sequence[str]) -> list[dict[str, Any]]:
    """The records in which hosts of other domains publish, each with these as C(domains), by which the setting of the site that ends it.

    Where controllers have told their domain it counts, and what the sites say does otherwise: a zone of a domain often has a name of its own.

    Args:
        topology: The sites.
        looked: The loop that looked the hosts up.
        hosts: The hosts that were read, by their names in the inventory.
    """
    told = [result for result in looked if result.get("domain")]
    of_site = {str(result["item"]["name"]): str(result["domain"]) for result in told}
    of_host = {host: str(result["domain"]) for result in told for host in result["hosts"]}
    due: dict[str, dict[str, Any]] = {}
    for name, host in hosts_of(topology, hosts).items():
        domain = of_host.get(name, host["ad_domain"])
        for line in host["publish_list"]:
            zone = topology["zones"][line["domain"]]
            ad_domain = of_site.get(zone["site"], topology["sites"][zone["site"]]["ad_domain"])
            if domain != ad_domain:
                of_zone = {key: zone[key] for key in ("record", "site", "domain_controllers", "dns_servers", "credential")}
                domains = due.setdefault(line["domain"], {**of_zone, "ad_domain": ad_domain, "domains": {}})["domains"]
                if zone["site"] == host["site"] or domain not in domains:
                    domains[domain] = _AT_HOME if zone["site"] == host["site"] else _ELSEWHERE
    return list(due.values())


def trust_findings(looked: Sequence[Result]) -> Iterable[Finding]:
    """What keeps hosts of other domains from a record.

    Args:
        looked: The loop that read the trusts.
    """
    for result in looked:
        record, trusts = result["item"], result.get("trusts") or {}
        for domain, setting in record["domains"].items():
            trust = trusts.get(domain) or {"state": "unknown", "why": str(result.get("msg", "They were not read."))}
            if found := _finding(record, domain, setting, trust):
                yield found


def _finding(record: Result, domain: str, setting: str, trust: Result) -> Finding | None:
    own = record["ad_domain"]
    variable = f"{setting} of the site {record['site']} in volume_activation_sites"
    variable = f"volume_activation_remote_publish or {variable}" if setting == _ELSEWHERE else variable
    if trust["state"] == "not_trusted":
        text = (
            f"{own} does not trust {domain}, so that its DNS servers refuse what KMS hosts of {domain} publish. Set {variable} to static."
        )
        return Finding(record["record"], text, True)
    if trust["state"] == "selective":
        text = (
            f"{own} trusts {domain} with selective authentication. The KMS hosts of {domain} need the right 'Allowed to authenticate' on the"
            f" computer objects of its DNS servers; without it set {variable} to static."
        )
        return Finding(record["record"], text, False)
    if trust["state"] == "unknown":
        return Finding(
            record["record"], f"Whether {own} trusts {domain} is unknown: {trust['why']} If it does not, set {variable} to static.", False
        )
    return None
