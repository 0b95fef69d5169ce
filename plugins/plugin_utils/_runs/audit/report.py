# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole audit: its deviations, a table for people, a report for machines. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..._core.text import columns, some
from ..registered import Result
from . import clients
from .clients import Judged
from .computer import SurveyedComputer
from .deviation import DEVIATION, NOTE, SEVERITIES, UNKNOWN, Deviation, was_made
from .hosts import host_deviations
from .links import Link
from .zones import group_deviations, zone_deviations

REPORT_VERSION = 1
AS_DECLARED, DEVIATIONS = "as declared", "deviations"
"""Verdicts; the third is C(unknown), where something could not be checked and nothing else deviates."""
WHERE = "Show the deviations"
"""The task of the role that shows the table."""

_KMS_HOSTS, _CLIENTS = "KMS hosts", "clients"
# What a job prints at most: lines for people, and bytes for machines, which is our limit for all results.
_MOST_LINES, _MOST_BYTES = 200, 64 * 1024


@dataclass(frozen=True, slots=True)
class AuditSeen:
    """What was checked.

    Attributes:
        zones: By domain, as C(zone_deviations) has it.
        groups: By site, as C(group_deviations) has it.
        kms_hosts: The KMS hosts of the run, by their names in the inventory.
        checked: The results of C(kms_host) in check mode, by the same names.
        clients: What was found of the clients of the run, by their names in the inventory, in its order.
        hosts_left_out: The KMS hosts of the inventory that the run is not over.
        clients_left_out: How many clients of the inventory the run is not over.
        links: What is known of the links between sites.
        account_problems: By KMS host whose machine account is not known why.
    """

    zones: Mapping[str, Mapping[str, Any]]
    groups: Mapping[str, Result]
    kms_hosts: Mapping[str, SurveyedComputer]
    checked: Mapping[str, Result]
    clients: Mapping[str, Judged]
    hosts_left_out: Collection[str] = ()
    clients_left_out: int = 0
    links: Sequence[Link] = field(default_factory=list)
    account_problems: Mapping[str, str] = field(default_factory=dict)


def deviations(topology: Mapping[str, Any], seen: AuditSeen, required_count: int | None = None, control_site: str = "") -> list[Deviation]:
    """All that differs from the topology, in the order of records, groups, KMS hosts, links and clients, the least severe last.

    Args:
        topology: The derived topology.
        seen: What was checked.
        required_count: How many clients each KMS host should have counted; C(None) for as many as the clients need.
        control_site: As C(zone_deviations) has it.
    """
    required = clients.required_count(seen.clients) if required_count is None else required_count
    found = [
        *zone_deviations(topology, seen.zones, control_site),
        *group_deviations(topology, seen.groups),
        *(Deviation(host, "machine account", "known", "not known", text, UNKNOWN) for host, text in seen.account_problems.items()),
        *_of(_KMS_HOSTS, host_deviations(topology, seen.kms_hosts, seen.checked, required, seen.hosts_left_out)),
        *(link.deviation for link in seen.links if link.deviation),
        *_of(_CLIENTS, clients.of_all(seen.clients)),
        *_left_out(_KMS_HOSTS, len(seen.hosts_left_out)),
        *_left_out(_CLIENTS, seen.clients_left_out),
    ]
    return sorted(found, key=lambda entry: SEVERITIES.index(entry.severity))


def table(found: Sequence[Deviation]) -> list[str]:
    """Deviations as lines of a table, equal ones as one line, with their number below."""
    alike: dict[tuple[str, ...], list[Deviation]] = {}
    for entry in found:
        alike.setdefault((entry.severity, entry.kind, entry.attribute, entry.alike or entry.text), []).append(entry)
    rows = [_row(entries) for entries in alike.values()]
    more = [f"and {len(rows) - _MOST_LINES} more lines, which are in the report"] if len(rows) > _MOST_LINES else []
    return [*columns(rows[:_MOST_LINES]), *more, _numbers(counts(found))]


def counts(found: Iterable[Deviation]) -> dict[str, int]:
    """How many there are, by severity."""
    severities = [entry.severity for entry in found]
    return {severity: severities.count(severity) for severity in SEVERITIES}


def verdict(found: Iterable[Deviation]) -> str:
    """What they amount to, in one word or two."""
    counted = counts(found)
    return DEVIATIONS if counted[DEVIATION] else UNKNOWN if counted[UNKNOWN] else AS_DECLARED


def failure(found: Sequence[Deviation], file: str) -> str:
    """What ends the run where something deviates or could not be checked: how much, and where it stands; empty where nothing does.

    Args:
        found: All deviations.
        file: The file of the report; empty for none.
    """
    counted, said = counts(found), verdict(found)
    if said == AS_DECLARED:
        return ""
    where = f"The task '{WHERE}' lists them" + (f", and the report is in {file}." if file else ".")
    if said == DEVIATIONS:
        return f"{_numbers(counted)}: not all is as the sites declare it. {where}"
    return f"{_numbers(counted)}: not all could be checked, and what was is as declared. {where}"


def report(found: Sequence[Deviation], seen: AuditSeen, topology: Mapping[str, Any], time: str) -> dict[str, Any]:
    """The audit as one dictionary that JSON can hold.

    Args:
        found: The deviations.
        seen: What was checked.
        topology: The derived topology.
        time: When the audit was made, as the caller writes it.
    """
    return {
        "version": REPORT_VERSION,
        "time": time,
        "verdict": verdict(found),
        "counts": counts(found),
        "left_out": {"kms_hosts": len(seen.hosts_left_out), "kms_clients": seen.clients_left_out},
        "deviations": [entry.as_result() for entry in found],
        "links": [link.as_result() for link in seen.links],
        "endpoints": _endpoints(seen),
        "topology": {
            name: {
                "record": site["record"],
                "values": topology["zones"][site["domain"]]["values"],
                "group": site["group"],
                "kms_hosts": site["kms_hosts"],
                "order": topology["orders"][name],
            }
            for name, site in topology["sites"].items()
        },
    }


def shown(whole: Mapping[str, Any]) -> Mapping[str, Any]:
    """The report as a job prints it: of one that is very long the first deviations, and how many more there are as C(not_shown)."""
    size = len(json.dumps(whole))
    if size <= _MOST_BYTES:
        return whole
    entries, size = list(whole["deviations"]), size + len(', "not_shown": 0000000')
    while entries and size > _MOST_BYTES:
        size -= len(json.dumps(entries.pop())) + 2
    return {**whole, "deviations": entries, "not_shown": len(whole["deviations"]) - len(entries)}


def _endpoints(seen: AuditSeen) -> list[dict[str, Any]]:
    """What the control node found where it tried the KMS hosts, each once."""
    results = [result for zone in seen.zones.values() if was_made(result := zone.get("ports"))]
    ends = {(end["host"], end["port"]): end["state"] for result in results for end in result.get("endpoints") or ()}
    return [{"host": host, "port": port, "state": state} for (host, port), state in ends.items()]


def _of(kind: str, found: Iterable[Deviation]) -> Iterator[Deviation]:
    return (replace(entry, kind=kind) for entry in found)


def _left_out(kind: str, number: int) -> Iterator[Deviation]:
    if number:
        text = f"{number} {kind} of the inventory are not in this run, because of its limit, and were not checked."
        yield Deviation(kind, "limit", "checked", "left out", text, NOTE)


def _row(entries: Sequence[Deviation]) -> tuple[str, str, str]:
    first = entries[0]
    if len(entries) == 1:
        return first.severity, first.object, first.text
    names = some([entry.object for entry in entries], 3)
    return first.severity, f"{len(entries)} {first.kind} ({names})" if first.kind else names, first.together or first.text


def _numbers(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" + ("" if count == 1 or name == UNKNOWN else "s") for name, count in counted.items())
