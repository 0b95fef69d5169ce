# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that turn the results of the role kms_single_site into text for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleError

from ..plugin_utils import _report

_LICENSE = "__kms_single_site_license"
_LICENSE_AFTER = "__kms_single_site_license_after"
_PUBLICATIONS = ("__kms_single_site_first", "__kms_single_site_other")
_ENDPOINTS = "__kms_single_site_endpoints"
_RIGHTS = "__kms_single_site_rights"
_CLIENT = "__kms_single_site_client"
_VALUE = "__kms_single_site_value"


def kms_single_site_findings(
    hostvars: Any,
    hosts: Sequence[str],
    kms_hosts: Sequence[str],
    clients: Sequence[str],
    key_given: bool,
    checks: Mapping[str, Any],
    records: str = "published",
) -> list[dict[str, Any]]:
    """See C(kms_single_site_findings.yml)."""
    licenses = {host: _registered(hostvars, host, _LICENSE) for host in hosts}
    return [finding.as_result() for finding in _report.single_site_findings(licenses, kms_hosts, clients, key_given, checks, records)]


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
    hosts = {
        host: _report.KmsHostResults(
            _registered(hostvars, host, _LICENSE), _registered(hostvars, host, _LICENSE_AFTER), _target(hostvars, host)
        )
        for host in kms_hosts
    }
    endpoints = next((found for host in kms_hosts if (found := _registered(hostvars, host, _ENDPOINTS))), {})
    granted = next((found for host in kms_hosts if (found := _registered(hostvars, host, _RIGHTS))), {}).get("granted") or ["no rights"]
    rights = _report.WRITERS.get(records) or f"{group} has {', '.join(granted)} on it"
    return _report.single_site_summary(domain, hosts, _clients(hostvars, clients), endpoints, rights, check_mode)


def _target(hostvars: Any, host: str) -> str:
    """The name under which a KMS host publishes itself, as it said when it was activated."""
    results = (_registered(hostvars, host, name) for name in _PUBLICATIONS)
    published = next((str(result["publication"]["target"]) for result in results if "publication" in result), "")
    return published or str(_registered(hostvars, host, _VALUE).get("target", ""))


def kms_zone_lines(values: Sequence[Mapping[str, Any]]) -> list[str]:
    """See C(kms_zone_lines.yml)."""
    return [f"{value['record']}. IN SRV 0 0 {value['port']} {value['target']}." for value in values]


def kms_single_site_counts(hostvars: Any, clients: Sequence[str]) -> dict[str, int]:
    """See C(kms_single_site_counts.yml)."""
    return _report.single_site_counts(_clients(hostvars, clients))


def _clients(hostvars: Any, clients: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The registered results of the clients that were in the play; a limit may have left others out."""
    found = {host: {"license": _registered(hostvars, host, _LICENSE), "client": _registered(hostvars, host, _CLIENT)} for host in clients}
    return {host: results for host, results in found.items() if results["license"]}


def _registered(hostvars: Any, host: str, name: str) -> Mapping[str, Any]:
    """What a task registered for a host; empty where it did not run there."""
    value = hostvars[host].get(name, {})
    if not isinstance(value, Mapping):
        raise AnsibleError(f"{name} of {host} is no task result but {type(value).__name__}.")
    return value


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
        }
