# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole audit: its deviations, a table for people, a report for machines. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._text import columns
from ..registered import Result
from . import clients
from .clients import Judged
from .computer import Computer
from .deviation import DEVIATION, NOTE, Deviation
from .hosts import host_deviations
from .zones import group_deviations, zone_deviations

REPORT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Seen:
    """What was looked at.

    Attributes:
        zones: By domain, as C(zone_deviations) has it.
        groups: By site, as C(group_deviations) has it.
        kms_hosts: The KMS hosts of the run, by their names in the inventory.
        checked: The results of C(kms_host) in check mode, by the same names.
        clients: What was found of the clients of the run, by their names in the inventory, in its order.
    """

    zones: Mapping[str, Mapping[str, Any]]
    groups: Mapping[str, Result]
    kms_hosts: Mapping[str, Computer]
    checked: Mapping[str, Result]
    clients: Mapping[str, Judged]


def deviations(topology: Mapping[str, Any], seen: Seen, required_count: int | None = None, control_site: str = "") -> list[Deviation]:
    """All that differs from the topology, in the order of records, groups, KMS hosts and clients, notes last.

    Args:
        topology: The derived topology.
        seen: What was looked at.
        required_count: How many clients each KMS host should have counted; C(None) for as many as the clients need.
        control_site: As C(zone_deviations) has it.
    """
    required = clients.required_count(seen.clients) if required_count is None else required_count
    found = [
        *zone_deviations(topology, seen.zones, control_site),
        *group_deviations(topology, seen.groups),
        *host_deviations(topology, seen.kms_hosts, seen.checked, required),
        *clients.of_all(seen.clients),
    ]
    return sorted(found, key=lambda entry: entry.severity == NOTE)


def table(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Deviations, as variables hold them, as lines of a table, with their number below."""
    rows = [(str(entry["severity"]), str(entry["object"]), str(entry["text"])) for entry in found]
    counts = _counts(found)
    numbers = ", ".join(f"{count} {name}" + ("" if count == 1 else "s") for name, count in counts.items())
    return [*columns(rows), numbers]


def failure(found: Sequence[Mapping[str, Any]]) -> str:
    """What ends the run where something deviates, as one sentence; empty where nothing does."""
    wrong = [entry for entry in found if entry["severity"] == DEVIATION]
    return f"{len(wrong)} deviations from the sites: {' | '.join(table(wrong))}" if wrong else ""


def report(found: Sequence[Mapping[str, Any]], topology: Mapping[str, Any], time: str) -> dict[str, Any]:
    """The audit as one dictionary that JSON can hold.

    Args:
        found: The deviations.
        topology: The derived topology.
        time: When the audit was made, as the caller writes it.
    """
    counts = _counts(found)
    return {
        "version": REPORT_VERSION,
        "time": time,
        "verdict": "deviations" if counts[DEVIATION] else "as declared",
        "counts": counts,
        "deviations": [dict(entry) for entry in found],
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


def _counts(found: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return {severity: sum(entry["severity"] == severity for entry in found) for severity in (DEVIATION, NOTE)}
