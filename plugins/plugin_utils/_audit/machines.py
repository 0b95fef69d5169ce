# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KMS hosts and clients. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._licensing.client_ids import said_of, shared_ids
from .._text import some
from .deviation import NOTE, Deviation, Result, explains, has_step, not_made, of_steps, said, was_made

# How many clients a KMS host has to have counted before it activates servers, and before it activates other editions of
# Windows (kms-activation-planning.md of Microsoft's Windows Server documentation).
_SERVERS, _OTHERS = 5, 25
# Steps that say once more what the record or the license shows.
_SEEN_ELSEWHERE = ("SRV ", "license status")


def host_deviations(
    topology: Mapping[str, Any], seen: Mapping[str, Mapping[str, Any]], clients: Mapping[str, Mapping[str, Any]], required_count: int | None
) -> Iterator[Deviation]:
    """What differs on the KMS hosts.

    Args:
        topology: The derived topology.
        seen: By name in the inventory C(license), the result of C(license_info), and C(host), that of C(kms_host) in check mode.
        clients: The same of clients, as C(client_deviations) has them; they tell how many clients have to be counted.
        required_count: That number where it is not to be found out.
    """
    required = _required(clients) if required_count is None else required_count
    for host in topology["hosts"].values():
        results = seen.get(host["inventory_hostname"]) or {}
        found, checked = results.get("license"), results.get("host")
        if not was_made(found):
            yield not_made(host["name"], "license", found)
        else:
            yield from _license_of_host(host["name"], found, checked, required)
        if was_made(checked):
            yield from of_steps(checked, _SEEN_ELSEWHERE)
        elif not explains(found, checked):
            yield not_made(host["name"], "settings", checked)


def client_deviations(topology: Mapping[str, Any], seen: Mapping[str, Mapping[str, Any]], validity_days: int) -> Iterator[Deviation]:
    """What differs on clients, and what their owner should know of them.

    Args:
        topology: The derived topology.
        seen: By name in the inventory C(license), the result of C(license_info), and C(client), that of C(kms_client) in check mode.
        validity_days: An activation that ends in fewer days than this has not been renewed for too long.
    """
    domains = {site["domain"] for site in topology["sites"].values()}
    members = []
    for name, results in seen.items():
        found, checked = results.get("license"), results.get("client")
        if not was_made(found):
            yield not_made(name, "license", found)
        else:
            yield from _license_of_client(name, found, checked, validity_days)
            yield from _way_to_the_host(name, found["service"], checked, domains)
        if was_made(checked):
            yield from of_steps(checked, _SEEN_ELSEWHERE)
            if checked.get("honours_priority_and_weight") is False:
                text = "This version of Windows ignores priority and weight and takes any of the hosts."
                yield Deviation(name, "priority and weight", "followed", "ignored", text, NOTE)
            yield from _policy_list(name, checked.get("suffixes") or {}, domains)
            if checked.get("domain_member") and not ((found or {}).get("service") or {}).get("lookup_domain"):
                members.append(name)
        elif not explains(found, checked):
            yield not_made(name, "settings", checked)
    if members:
        yield _home_order(members)
    for client_id, names in shared_ids({name: results.get("license") or {} for name, results in seen.items()}).items():
        yield Deviation("clients", f"client machine ID {client_id}", "of one computer", names, said_of(client_id, names))


def _license_of_host(name: str, found: Result, checked: Result | None, required: int) -> Iterator[Deviation]:
    windows = found.get("windows") or {}
    status, channel = windows.get("status"), windows.get("channel")
    if channel != "csvlk":
        if not has_step(checked, "product key"):
            text = f"Its key is {channel or 'missing'}, no KMS host key (CSVLK); it answers no client."
            yield Deviation(name, "key", "csvlk", channel, text)
        return
    if status != "licensed":
        reason = f" ({windows['status_reason']})" if windows.get("status_reason") else ""
        yield Deviation(
            name, "license status", "licensed", status, f"It is {status}{reason}; a KMS host activates nobody until it is licensed."
        )
    count = found["service"].get("current_count") or 0
    if count < required:
        text = f"It has counted {count} clients and activates from {required} on; more clients have to ask it."
        yield Deviation(name, "client count", required, count, text)


def _required(clients: Mapping[str, Mapping[str, Any]]) -> int:
    """How many clients a host has to have counted to serve all the clients that were looked at; without any, servers."""
    found = [_required_by(results["license"]) for results in clients.values() if was_made(results.get("license"))]
    return max(found, default=_SERVERS)


def _required_by(license_result: Result) -> int:
    told = (license_result.get("windows") or {}).get("required_count")
    server = (license_result.get("operating_system") or {}).get("server")
    return int(told) if told else (_SERVERS if server else _OTHERS)


def _license_of_client(name: str, found: Result, checked: Result | None, validity_days: int) -> Iterator[Deviation]:
    windows = found.get("windows") or {}
    status, channel, days = windows.get("status"), windows.get("channel"), windows.get("expires_in_days")
    if status is None:
        if not has_step(checked, "product key"):
            yield Deviation(name, "key", "gvlk", None, "It holds no key; install the client setup key of its edition.")
        return
    if channel != "gvlk" and not has_step(checked, "product key"):
        yield Deviation(name, "key", "gvlk", channel, f"Its key is {channel}, so that no KMS host activates it.", NOTE)
    if status != "licensed":
        left = "" if days is None else f" for {days} more days"
        yield Deviation(name, "license status", "licensed", status, f"It is {status}{left}; it has to find a KMS host that activates it.")
    elif channel == "gvlk" and days is not None and days < validity_days:
        text = f"Its activation ends in {days} days; clients renew it every week, so it has not reached a KMS host for long."
        yield Deviation(name, "license expiry", f"at least {validity_days} days", f"{days} days", text)


def _way_to_the_host(name: str, service: Result, checked: Result | None, domains: set[str]) -> Iterator[Deviation]:
    machine, lookup = service.get("kms_machine"), str(service.get("lookup_domain") or "").lower().rstrip(".")
    if machine and not has_step(checked, "KMS host"):
        text = f"It asks {machine} alone, set by hand, whatever DNS says."
        yield Deviation(name, "KMS host", "found by DNS", machine, text)
    if lookup and lookup not in domains and not has_step(checked, "KMS lookup domain"):
        text = f"It looks for KMS hosts in {lookup}, which is the domain of no site."
        yield Deviation(name, "KMS lookup domain", sorted(domains), lookup, text)


def _policy_list(name: str, suffixes: Result, domains: set[str]) -> Iterator[Deviation]:
    """A search list by policy, which nothing that is set on the computer takes the place of."""
    if suffixes.get("source") != "policy":
        return
    attribute, listed = "DNS suffix search list", [str(suffix).lower().rstrip(".") for suffix in suffixes.get("effective") or []]
    if domains.isdisjoint(listed):
        text = f"A policy sets its list to {said(listed)}, which names the domain of no site; change the policy."
        yield Deviation(name, attribute, sorted(domains), listed, text)
    else:
        text = f"A policy sets its list to {said(listed)}, and wins over what is set on the computer."
        yield Deviation(name, attribute, None, listed, text, NOTE)


def _home_order(members: Sequence[str]) -> Deviation:
    text = (
        f"{len(members)} clients are members of a domain and follow the order of their own domain wherever they are"
        f" ({some(members)}); lookup_domain is the remedy for one that stays at another site."
    )
    return Deviation("clients", "domain members", None, list(members), text, NOTE)
