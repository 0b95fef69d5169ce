# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that turn the results of the role kms_single_site into text for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..plugin_utils import _report
from ..plugin_utils._licensing.offline_ids import grouped
from ..plugin_utils._results import Results
from ..plugin_utils._srv_value import plain_name
from ..plugin_utils._text import visible_lines

_PREFIX = "__kms_single_site_"


def kms_single_site_findings(
    hostvars: Any,
    hosts: Sequence[str],
    kms_hosts: Sequence[str],
    clients: Sequence[str],
    checks: Mapping[str, Any],
    records: str = "published",
) -> list[dict[str, Any]]:
    """See C(kms_single_site_findings.yml)."""
    results = Results(hostvars, _PREFIX)
    licenses = {host: results.of(host, "license") for host in hosts}
    keys = {host: results.of(host, "key") for host in kms_hosts if host in licenses}
    return [finding.as_result() for finding in _report.single_site_findings(licenses, kms_hosts, clients, keys, checks, records)]


def kms_findings_table(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """See C(kms_findings_table.yml)."""
    return _report.table(findings)


def kms_single_site_summary(
    hostvars: Any,
    kms_hosts: Sequence[str],
    clients: Sequence[str],
    domain: str,
    group: str,
    check_mode: bool,
    records: str = "published",
) -> list[str]:
    """See C(kms_single_site_summary.yml)."""
    results = Results(hostvars, _PREFIX)
    hosts = {
        host: _report.KmsHostResults(results.of(host, "license"), results.of(host, "license_after"), _target(results, host))
        for host in kms_hosts
    }
    granted = results.once(kms_hosts, "rights").get("granted") or ["no rights"]
    rights = _report.WRITERS.get(records) or f"{group} has {', '.join(granted)} on it"
    endpoints = results.once(kms_hosts, "endpoints")
    return visible_lines(_report.single_site_summary(domain, hosts, results.clients(clients), endpoints, rights, check_mode))


def _target(results: Results, host: str) -> str:
    """The name under which a KMS host publishes itself, as it said when it was activated."""
    registered = (results.of(host, name) for name in ("first", "other"))
    published = next((str(result["publication"]["target"]) for result in registered if "publication" in result), "")
    return published or str(results.of(host, "value").get("target", ""))


def kms_zone_lines(values: Sequence[Mapping[str, Any]]) -> list[str]:
    """See C(kms_zone_lines.yml)."""
    return visible_lines(f"{plain_name(value['record'])}. IN SRV 0 0 {value['port']} {plain_name(value['target'])}." for value in values)


def kms_waiting_products(results: Mapping[str, Mapping[str, Any]], confirmation_ids: Mapping[str, str]) -> list[dict[str, str]]:
    """See C(kms_waiting_products.yml)."""
    return [
        {"identifier": host, "installation_id": result["installation_id"], "extended_pid": result["extended_pid"]}
        for host, result in results.items()
        if result.get("installation_id") and host not in confirmation_ids
    ]


def kms_waiting_lines(products: Sequence[Mapping[str, str]]) -> list[str]:
    """See C(kms_waiting_lines.yml)."""
    return visible_lines(f"{product['identifier']}: installation ID {grouped(product['installation_id'])}" for product in products)


def kms_single_site_counts(hostvars: Any, clients: Sequence[str]) -> dict[str, int]:
    """See C(kms_single_site_counts.yml)."""
    return _report.client_counts(Results(hostvars, _PREFIX).clients(clients))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {
            "kms_single_site_findings": kms_single_site_findings,
            "kms_findings_table": kms_findings_table,
            "kms_single_site_summary": kms_single_site_summary,
            "kms_single_site_counts": kms_single_site_counts,
            "kms_zone_lines": kms_zone_lines,
            "kms_waiting_products": kms_waiting_products,
            "kms_waiting_lines": kms_waiting_lines,
        }
