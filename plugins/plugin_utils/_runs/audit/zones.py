# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of each site and the rights on it, and the groups. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..._srv.value import SrvValue
from ..registered import Result
from .deviation import Deviation, not_made, of_steps, said, was_made

_FIELDS = ("priority", "weight", "port")


def zone_deviations(topology: Mapping[str, Any], seen: Mapping[str, Mapping[str, Any]], control_site: str = "") -> Iterator[Deviation]:
    """What differs in the records.

    Args:
        topology: The derived topology.
        seen: By domain, C(records), the result of C(kms_endpoint_info), C(ports), that of the same with the KMS hosts of the site,
            C(rights), that of C(dns_record_acl) in check mode, and C(static), that of C(dns_srv) in check mode with the static values,
            where there are any.
        control_site: The site of the control node, which tells the direction of a way that is blocked; empty where it is in none.
    """
    hosts = set(topology["hosts"])
    for domain, zone in topology["zones"].items():
        results = seen.get(domain) or {}
        records = results.get("records")
        if was_made(records):
            yield from _records(zone, records, hosts)
        else:
            yield not_made(zone["record"], "DNS record", records)
        yield from _ports(zone["site"], results.get("ports"), control_site)
        yield from _static(zone, results.get("static"))
        if zone["grants"]:
            yield from _rights(zone["record"], results.get("rights"))


def group_deviations(topology: Mapping[str, Any], seen: Mapping[str, Result]) -> Iterator[Deviation]:
    """What differs in the groups; C(seen) are results of C(ad_group) in check mode with C(exact), by site."""
    for name, site in topology["sites"].items():
        result = seen.get(name)
        if was_made(result):
            yield from of_steps(result)
        else:
            yield not_made(f"group {site['group']}", "membership", result)


def _records(zone: Mapping[str, Any], result: Result, hosts: set[str]) -> Iterator[Deviation]:
    record = zone["record"]
    wanted = {value.target: value for value in map(_value, zone["values"])}
    found: dict[str, list[SrvValue]] = {target: [] for target in wanted}
    # What not every server holds is on its way in or out, and is said of the servers.
    lacking = {text for server in result.get("servers") or [] for text in server.get("lacks") or []}
    for value in sorted(map(_value, result.get("records") or [])):
        found.setdefault(value.target, []).append(value)
    for target, values in found.items():
        if target in wanted:
            yield from _of_target(record, wanted[target], values, lacking)
        elif target in hosts:
            for value in values:
                yield Deviation(record, f"value of {target}", None, str(value), f"{target} is in it ({value}) and should not be.")
        else:
            for value in values:
                text = f"It names {target}:{value.port} ({value.priority} {value.weight}), which no site has as its KMS host; find out whose it is."
                yield Deviation(record, f"value of {target}", None, str(value), text)
    for server in result.get("servers") or []:
        yield from _of_server(record, server)


def _of_target(record: str, wanted: SrvValue, values: Sequence[SrvValue], lacking: set[str]) -> Iterator[Deviation]:
    """A host that is to be in the record: it is missing, has other numbers, or has old values beside the right one."""
    attribute = f"value of {wanted.target}"
    if not values:
        yield Deviation(record, attribute, str(wanted), None, f"{wanted.target} is not in it; it should be, as {wanted}.")
        return
    nearest = max(values, key=lambda value: sum(getattr(value, field) == getattr(wanted, field) for field in _FIELDS))
    wrong = [field for field in _FIELDS if getattr(nearest, field) != getattr(wanted, field)]
    if wrong:
        expected = ", ".join(f"{field} {getattr(wanted, field)}" for field in wrong)
        is_now = ", ".join(f"{field} {getattr(nearest, field)}" for field in wrong)
        named = f"{' and '.join(wrong)} of {wanted.target}"
        yield Deviation(record, named, expected, is_now, f"{wanted.target} has {is_now}; it should have {expected}.")
    for value in values:
        if value != nearest and (wrong or str(value) not in lacking):
            text = f"{wanted.target} has the old value {value} beside the one that counts; remove it."
            yield Deviation(record, f"old value of {wanted.target}", None, str(value), text)


def _of_server(record: str, server: Mapping[str, Any]) -> Iterator[Deviation]:
    name = server["server"]
    if server.get("error"):
        yield Deviation(record, f"DNS server {name}", "answers", "does not answer", str(server["error"]))
    for value in server.get("lacks") or []:
        text = f"The DNS server {name} lacks {value}, which another one holds; look at replication."
        yield Deviation(record, f"DNS server {name}", str(value), None, text)


def _ports(site: str, result: Result | None, control_site: str) -> Iterator[Deviation]:
    """Hosts of a site that do not answer on the port that the topology gives them."""
    if not was_made(result):
        yield not_made(f"KMS hosts of {site}", "ports", result)
        return
    for entry in result.get("endpoints") or []:
        if entry["state"] != "answering":
            text = str(entry.get("detail") or f"{entry['host']}:{entry['port']} is {entry['state']}.")
            if control_site not in ("", site):
                text = f"On the way from {control_site} to {site}: {text}"
            yield Deviation(entry["host"], f"KMS port {entry['port']}", "answering", entry["state"], text)


def _static(zone: Mapping[str, Any], result: Result | None) -> Iterator[Deviation]:
    """Static values that carry a time stamp: scavenging removes them when nobody refreshes them."""
    if not zone["static"]:
        return
    if not was_made(result):
        yield not_made(zone["record"], "time stamps", result)
        return
    static = set(map(_value, zone["static"]))
    for entry in result.get("before") or []:
        value = _value(entry)
        if value in static and entry.get("static") is False:
            text = f"{value} has a time stamp, so that scavenging removes it once nobody refreshes it; write it again as static."
            yield Deviation(zone["record"], f"time stamp of {value.target}", "static", "with a time stamp", text)


def _rights(record: str, result: Result | None) -> Iterator[Deviation]:
    if not was_made(result):
        yield not_made(record, "rights", result)
        return
    yield from of_steps(result)
    # Without the account of each KMS host that publishes there, nobody can be told to be too many.
    others = result.get("other_computers") or ()
    for row in others if others and result["item"]["complete"] else ():
        name, rights = str(row["principal"]), list(row["granted"])
        text = (
            f"{name} has {said(rights)} on it, and is no KMS host that publishes itself there; take its rights away, unless it needs them."
        )
        yield Deviation(record, f"rights of {name}", [], rights, text)


def _value(entry: Mapping[str, Any]) -> SrvValue:
    return SrvValue(entry["priority"], entry["weight"], entry["port"], entry["target"])
