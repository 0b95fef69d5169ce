# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the audit: what differs from the topology, for people and for machines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..plugin_utils import _multi_site
from ..plugin_utils._audit import audit
from ..plugin_utils._results import Results

_PREFIX = "__kms_audit_"
_Seen = Mapping[str, Mapping[str, Any]]


def kms_audit_work(hostvars: Any, topology: Mapping[str, Any], kms_hosts: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """See C(kms_audit_work.yml)."""
    return _multi_site.work(topology, Results(hostvars, _PREFIX).accounts(kms_hosts), every_site=True)


def kms_audit_seen(hostvars: Any, topology: Mapping[str, Any], kms_hosts: Sequence[str], clients: Sequence[str]) -> dict[str, _Seen]:
    """See C(kms_audit_seen.yml)."""
    results = Results(hostvars, _PREFIX)
    everybody = [*kms_hosts, *clients]
    zones: dict[str, dict[str, Any]] = {domain: {"rights": {}} for domain in topology["zones"]}
    for result in results.loop(everybody, "records"):
        zones[result["item"]["domain"]]["records"] = result
    for result in results.loop(everybody, "ports"):
        zones[result["item"]["domain"]]["ports"] = result
    for result in results.loop(everybody, "rights"):
        zones[result["item"]["domain"]]["rights"][result["item"]["site"]] = result
    for result in results.loop(everybody, "static"):
        zones[result["item"]["domain"]]["static"] = result
    return {
        "zones": zones,
        "groups": {result["item"]["name"]: result for result in results.loop(everybody, "groups")},
        "kms_hosts": {host: {"license": results.of(host, "license"), "host": results.of(host, "host")} for host in kms_hosts},
        "clients": {host: {"license": results.of(host, "license"), "client": results.of(host, "client")} for host in clients},
    }


def kms_audit_deviations(
    topology: Mapping[str, Any],
    zones: _Seen,
    groups: _Seen,
    kms_hosts: _Seen,
    clients: _Seen,
    validity_days: int = 30,
    required_count: int | None = None,
    control_site: str = "",
) -> list[dict[str, Any]]:
    """See C(kms_audit_deviations.yml)."""
    found = audit.deviations(topology, zones, groups, kms_hosts, clients, validity_days, required_count, control_site)
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
            "kms_audit_work": kms_audit_work,
            "kms_audit_seen": kms_audit_seen,
            "kms_audit_deviations": kms_audit_deviations,
            "kms_audit_table": kms_audit_table,
            "kms_audit_report": kms_audit_report,
        }
