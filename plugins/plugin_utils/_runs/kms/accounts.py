# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which machine account and which full name the KMS hosts of a run have, as C(run_accounts) finds them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..._srv.value import is_full_name, plain_name
from ..._topology.model import PUBLISHED
from ..finding import Finding
from .settings import KmsSettings
from .work import Result, hosts_of

_OF_SITE = ("name", "record", "group", "domain_controllers", "dns_servers", "credential")


def lookups(topology: Result, computers: Mapping[str, str], given: Mapping[str, str], accounts_only: bool = False) -> list[dict[str, Any]]:
    """The sites whose hosts have to be looked up, each with those as C(hosts), and C(accounts), whether their machine accounts are wanted.

    These are wanted where hosts publish themselves, because there they get rights. Otherwise only the names are that the inventory lacks.

    Args:
        topology: The sites.
        computers: What the hosts that were read say that they are called, by their names in the inventory.
        given: The machine accounts that the inventory names, likewise.
        accounts_only: Leave out those that are looked up for a name alone.
    """
    publishing = {grant["site"] for grant in topology["grants"]}
    wanted: dict[tuple[str, bool], list[dict[str, Any]]] = {}
    for name, host in hosts_of(topology, list(computers)).items():
        accounts = host["site"] in publishing
        if accounts or not (accounts_only or is_full_name(host["name"])):
            entry = {"host": name, "names": [host["name"], name], "account": str(given.get(name) or ""), "computer_name": computers[name]}
            wanted.setdefault((_place(topology["sites"], host), accounts), []).append(entry)
    return [
        {**{name: topology["sites"][place][name] for name in _OF_SITE}, "hosts": hosts, "accounts": accounts}
        for (place, accounts), hosts in wanted.items()
    ]


def _place(sites: Mapping[str, Result], host: Result) -> str:
    """The site whose domain controllers know a host: its own, unless its account is in the domain of another one."""
    own = sites[host["site"]]
    others = (site["name"] for site in sites.values() if site["ad_domain"] == host["ad_domain"] and site["domain_controllers"])
    return str(own["name"] if host["ad_domain"] in ("", own["ad_domain"]) else next(others, own["name"]))


def found_hosts(looked: Sequence[Result]) -> dict[str, Result]:
    """What was found of each host, by its name in the inventory."""
    return dict(_entries(looked))


def machine_accounts(looked: Sequence[Result]) -> dict[str, Result]:
    """The machine accounts that were found, likewise."""
    return {host: entry for host, entry in found_hosts(looked).items() if entry["sid"]}


def account_findings(topology: Result, looked: Sequence[Result], hosts: Sequence[str], target_variable: str) -> Iterable[Finding]:
    """What stands in the way of giving a host rights, or a record its name.

    Args:
        topology: The sites.
        looked: The loop that looked the hosts up.
        hosts: The hosts that were read, by their names in the inventory.
        target_variable: The variable by which the inventory names a host in DNS.
    """
    for result in looked:
        if "hosts" not in result:
            yield Finding(f"group {result['item']['group']}", str(result.get("msg", "Its hosts could not be looked up.")), True)
    found = found_hosts(looked)
    for name, host in hosts_of(topology, hosts).items():
        if problem := found.get(name, {}).get("problem"):
            yield Finding(name, problem, True)
        elif name in found and not is_full_name(host["name"]):
            text = f"Neither the inventory nor DNS has a full name for it, by which clients would find it. Set {target_variable} for it."
            yield Finding(name, text, True)


def foreign_homes(settings: KmsSettings, looked: Sequence[Result]) -> Iterable[Finding]:
    """The hosts of a single site that publish themselves in another domain than that of its clients."""
    if not settings.single or settings.records != PUBLISHED:
        return
    for host, entry in machine_accounts(looked).items():
        home = plain_name(str(entry["dns_name"])).partition(".")[2]
        if home and home != plain_name(settings.domain):
            text = (
                f"Its own domain is {home}, in which it publishes itself, and the clients look in {settings.domain}. Set"
                f" {settings.named('records')} to dynamic, static or printed, or use kms_multi_site, where it publishes itself in both."
            )
            yield Finding(host, text, True)


def leaving(looked: Mapping[str, Result]) -> dict[str, dict[str, str]]:
    """The accounts that leave the groups.

    Args:
        looked: By host that goes the loop that looked it up, in the domain of each group.

    Returns:
        C(accounts), by host the SID, and C(problems), by host why it is not known. A host that was not looked up is in neither.
    """
    accounts, problems = {}, {}
    for host, loop in looked.items():
        found = [entry for name, entry in _entries(loop.get("results") or ()) if name == host]
        sids = list(dict.fromkeys(entry["sid"] for entry in found if entry["sid"]))
        if len(sids) == 1:
            accounts[host] = sids[0]
        elif found:
            said = dict.fromkeys(str(entry["problem"]) for entry in found if entry["problem"])
            problems[host] = " ".join(said) or f"Several domains have a machine account for it: {', '.join(sids)}."
    return {"accounts": accounts, "problems": problems}


def _entries(looked: Iterable[Result]) -> Iterable[tuple[str, Result]]:
    return ((host, entry) for result in looked for host, entry in (result.get("hosts") or {}).items())
