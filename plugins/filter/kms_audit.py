# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the audit: what differs from the topology, for people and for machines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..plugin_utils._audit import audit

_Seen = Mapping[str, Mapping[str, Any]]


def kms_audit_deviations(
    topology: Mapping[str, Any],
    zones: _Seen,
    groups: _Seen,
    kms_hosts: _Seen,
    clients: _Seen,
    validity_days: int = 30,
    required_count: int | None = None,
) -> list[dict[str, Any]]:
    """See C(kms_audit_deviations.yml)."""
    found = audit.deviations(topology, zones, groups, kms_hosts, clients, validity_days, required_count)
    return [deviation.as_result() for deviation in found]


def kms_audit_table(deviations: Sequence[Mapping[str, Any]]) -> list[str]:
    """See C(kms_audit_table.yml)."""
    return audit.table(deviations)


def kms_audit_report(deviations: Sequence[Mapping[str, Any]], topology: Mapping[str, Any], time: str) -> dict[str, Any]:
    """See C(kms_audit_report.yml)."""
    return audit.report(deviations, topology, time)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {
            "kms_audit_deviations": kms_audit_deviations,
            "kms_audit_table": kms_audit_table,
            "kms_audit_report": kms_audit_report,
        }
