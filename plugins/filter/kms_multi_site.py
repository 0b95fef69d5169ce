# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the role kms_multi_site: what a run has to do, what it found, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..plugin_utils import _multi_site, _report, _report_multi_site
from ..plugin_utils._results import Results
from ..plugin_utils._text import visible_lines

_PREFIX = "__kms_multi_site_"


def kms_multi_site_work(hostvars: Any, topology: Mapping[str, Any], kms_hosts: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """See C(kms_multi_site_work.yml)."""
    return _multi_site.work(topology, Results(hostvars, _PREFIX).accounts(kms_hosts))


def kms_multi_site_old_values(hostvars: Any, topology: Mapping[str, Any], kms_hosts: Sequence[str]) -> list[dict[str, Any]]:
    """See C(kms_multi_site_old_values.yml)."""
    results = Results(hostvars, _PREFIX)
    published = [publication for host in kms_hosts for publication in results.of(host, "host").get("publications") or []]
    return _multi_site.old_values(topology, published)


def kms_multi_site_findings(
    hostvars: Any,
    topology: Mapping[str, Any],
    hosts: Sequence[str],
    kms_hosts: Sequence[str],
    clients: Sequence[str],
) -> list[dict[str, Any]]:
    """See C(kms_multi_site_findings.yml)."""
    results = Results(hostvars, _PREFIX)
    checks = [(f"group {result['item']['group']}", result) for result in results.loop(hosts, "group_checks")]
    checks += [(f"record {result['item']['record']}", result) for result in results.loop(hosts, "acl_checks")]
    checks += [(f"record {result['item']['record']}", result) for result in results.loop(hosts, "static_checks")]
    checks += [(f"firewall of {host}", result) for host in hosts if "error" in (result := results.of(host, "firewall_check"))]
    licenses = {host: results.of(host, "license") for host in hosts}
    records = results.loop(hosts, "records_before")
    keys = {host: results.of(host, "key") for host in kms_hosts if host in licenses}
    found = _report_multi_site.findings(topology, licenses, kms_hosts, clients, keys, records, checks)
    return [finding.as_result() for finding in found]


def kms_multi_site_summary(
    hostvars: Any, topology: Mapping[str, Any], kms_hosts: Sequence[str], clients: Sequence[str], check_mode: bool
) -> list[str]:
    """See C(kms_multi_site_summary.yml)."""
    results = Results(hostvars, _PREFIX)
    names = {name: entry["name"] for name, entry in _multi_site.hosts_of(topology, kms_hosts).items()}
    hosts = {
        host: _report.KmsHostResults(results.of(host, "license"), results.of(host, "license_after"), names.get(host, ""))
        for host in kms_hosts
    }
    endpoints = [entry for host in kms_hosts for entry in results.of(host, "answer").get("endpoints") or []]
    records, rights = results.loop(kms_hosts, "records"), results.loop(kms_hosts, "rights")
    lines = _report_multi_site.summary(topology, hosts, results.clients(clients), endpoints, records, rights, check_mode)
    publish_lists = {host: results.of(host, "lists").get("publish_list") or {} for host in kms_hosts}
    return visible_lines([*lines, *_report_multi_site.foreign_publish_lines(publish_lists)])


def kms_multi_site_counts(hostvars: Any, clients: Sequence[str]) -> dict[str, int]:
    """See C(kms_multi_site_counts.yml)."""
    return _report.client_counts(Results(hostvars, _PREFIX).clients(clients))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {
            "kms_multi_site_work": kms_multi_site_work,
            "kms_multi_site_first_publishers": _multi_site.first_publishers,
            "kms_multi_site_principal": _multi_site.principal,
            "kms_multi_site_missing_rights": _multi_site.missing_rights,
            "kms_multi_site_old_values": kms_multi_site_old_values,
            "kms_multi_site_findings": kms_multi_site_findings,
            "kms_multi_site_summary": kms_multi_site_summary,
            "kms_multi_site_counts": kms_multi_site_counts,
        }
