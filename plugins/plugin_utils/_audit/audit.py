# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole audit: its deviations, a table for people, a report for machines. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._text import columns
from .deviation import DEVIATION, NOTE, Deviation
from .machines import client_deviations, host_deviations
from .zones import group_deviations, zone_deviations

REPORT_VERSION = 1

Seen = Mapping[str, Mapping[str, Any]]


def deviations(
    topology: Mapping[str, Any],
    zones: Seen,
    groups: Seen,
    kms_hosts: Seen,
    clients: Seen,
    validity_days: int,
    required_count: int | None,
    control_site: str = "",
) -> list[Deviation]:
    """All that differs from the topology, in the order of records, groups, KMS hosts and clients, notes last.

    The arguments are as C(zone_deviations), C(group_deviations), C(host_deviations) and C(client_deviations) have them.
    """
    found = [
        *zone_deviations(topology, zones, control_site),
        *group_deviations(topology, groups),
        *host_deviations(topology, kms_hosts, clients, required_count),
        *client_deviations(topology, clients, validity_days),
    ]
    return sorted(found, key=lambda entry: entry.severity == NOTE)


def table(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Deviations as lines of a table, with their number below."""
    rows = [(str(entry["severity"]), str(entry["object"]), str(entry["text"])) for entry in found]
    counts = _counts(found)
    numbers = ", ".join(f"{count} {name}" + ("" if count == 1 else "s") for name, count in counts.items())
    return [*columns(rows), numbers]


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
