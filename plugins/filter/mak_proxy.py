# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the role mak_proxy: what its tasks registered becomes findings, a computer list, orders and text for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..plugin_utils import _mak_proxy_entries as entries
from ..plugin_utils import _report_mak_proxy as report
from ..plugin_utils._results import Results
from ..plugin_utils._text import LONGEST_LINE, visible, visible_lines

_PREFIX = "__mak_proxy_"


def _seen(hostvars: Any, hosts: Sequence[str]) -> list[entries.Seen]:
    results = Results(hostvars, _PREFIX)
    return [
        entries.Seen(
            host,
            results.names(host, "keys"),
            str(hostvars[host].get("ansible_host") or host),
            results.of(host, "license"),
            results.each(host, "plan"),
            results.each(host, "made"),
        )
        for host in hosts
    ]


def mak_proxy_findings(hostvars: Any, hosts: Sequence[str], ring: Any, refusals: Mapping[str, str]) -> list[dict[str, Any]]:
    """See C(mak_proxy_findings.yml)."""
    return [finding.as_result() for finding in report.collect_findings(_seen(hostvars, hosts), ring, refusals)]


def mak_proxy_apply_findings(merged: Mapping[str, Any], hosts: Sequence[str], refusals: Mapping[str, str]) -> list[dict[str, Any]]:
    """See C(mak_proxy_apply_findings.yml)."""
    return [finding.as_result() for finding in report.apply_findings(hosts, merged, refusals)]


def mak_proxy_reapply_findings(orders: Mapping[str, Any], ring: Any, refusals: Mapping[str, str]) -> list[dict[str, Any]]:
    """See C(mak_proxy_reapply_findings.yml)."""
    return [finding.as_result() for finding in report.reapply_findings(orders, ring, refusals)]


def mak_proxy_read(hostvars: Any, hosts: Sequence[str]) -> list[dict[str, Any]]:
    """See C(mak_proxy_read.yml)."""
    return entries.read_computers(_seen(hostvars, hosts))


def mak_proxy_applied(hostvars: Any, hosts: Sequence[str], orders: Mapping[str, Any], began: str, ended: str) -> list[dict[str, Any]]:
    """See C(mak_proxy_applied.yml)."""
    return entries.applied_computers(_seen(hostvars, hosts), orders, began, ended)


def mak_proxy_orders(computers: Sequence[Mapping[str, Any]], hosts: Sequence[str]) -> dict[str, Any]:
    """See C(mak_proxy_orders.yml)."""
    return entries.make_orders(computers, hosts)


def mak_proxy_collect_ends(hostvars: Any, hosts: Sequence[str], to_read: Sequence[str], check_mode: bool = False) -> list[dict[str, str]]:
    """See C(mak_proxy_collect_ends.yml)."""
    return _ends(report.collect_ends(_seen(hostvars, hosts), to_read, check_mode))


def mak_proxy_apply_ends(
    hostvars: Any, hosts: Sequence[str], computers: Sequence[Mapping[str, Any]], orders: Mapping[str, Any], check_mode: bool = False
) -> list[dict[str, str]]:
    """See C(mak_proxy_apply_ends.yml)."""
    return _ends(report.apply_ends(_seen(hostvars, hosts), computers, orders, check_mode))


def _ends(ends: Sequence[report.Ended]) -> list[dict[str, str]]:
    return [{"host": end.host, "kind": end.kind, "reason": visible(end.reason, LONGEST_LINE)} for end in ends]


def mak_proxy_conflicts(hostvars: Any, hosts: Sequence[str]) -> list[dict[str, Any]]:
    """See C(mak_proxy_conflicts.yml)."""
    results, found = Results(hostvars, _PREFIX), []
    for host in hosts:
        for name in ("saved", "merged"):
            found += [entry for entry in results.of(host, name).get("conflicting") or [] if entry not in found]
    return found


def mak_proxy_summary(
    ends: Sequence[Mapping[str, str]], title: str, conflicts: Sequence[Mapping[str, Any]], check_mode: bool = False
) -> list[str]:
    """See C(mak_proxy_summary.yml)."""
    return visible_lines(report.summary(title, [report.Ended(**end) for end in ends], conflicts, check_mode))


def mak_proxy_numbers(ends: Sequence[Mapping[str, str]], conflicts: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """See C(mak_proxy_numbers.yml)."""
    return {**report.counts([report.Ended(**end) for end in ends]), "conflicting": len(conflicts)}


def mak_proxy_acquired(result: Mapping[str, Any], check_mode: bool = False) -> list[str]:
    """See C(mak_proxy_acquired.yml)."""
    return visible_lines(report.acquired(result, check_mode))


def mak_proxy_telephone(shown: Mapping[str, Any]) -> list[str]:
    """See C(mak_proxy_telephone.yml)."""
    return visible_lines(report.telephone_lines(shown))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {
            "mak_proxy_findings": mak_proxy_findings,
            "mak_proxy_apply_findings": mak_proxy_apply_findings,
            "mak_proxy_reapply_findings": mak_proxy_reapply_findings,
            "mak_proxy_read": mak_proxy_read,
            "mak_proxy_applied": mak_proxy_applied,
            "mak_proxy_orders": mak_proxy_orders,
            "mak_proxy_collect_ends": mak_proxy_collect_ends,
            "mak_proxy_apply_ends": mak_proxy_apply_ends,
            "mak_proxy_conflicts": mak_proxy_conflicts,
            "mak_proxy_summary": mak_proxy_summary,
            "mak_proxy_numbers": mak_proxy_numbers,
            "mak_proxy_acquired": mak_proxy_acquired,
            "mak_proxy_telephone": mak_proxy_telephone,
        }
