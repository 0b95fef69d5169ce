# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the role mak_independent: what its tasks registered becomes findings, orders and text for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..plugin_utils import _mak_journal, _mak_orders, _report_mak
from ..plugin_utils._findings import Finding
from ..plugin_utils._licensing.offline_ids import is_extended_pid
from ..plugin_utils._mak_orders import Pair
from ..plugin_utils._report import client_counts
from ..plugin_utils._results import Results
from ..plugin_utils._text import LONGEST_LINE, visible, visible_lines, visible_value

_PREFIX = "__mak_independent_"


def _pairs(hostvars: Any, hosts: Sequence[str], clients_only: bool = False) -> list[Pair]:
    results = Results(hostvars, _PREFIX)
    found = []
    for host in hosts:
        plans = results.each(host, "plan")
        found += [Pair(host, key, results.of(host, "license"), plans.get(key, {}), clients_only) for key in results.names(host, "keys")]
    return found


def _made(hostvars: Any, hosts: Sequence[str]) -> dict[tuple[str, str], Mapping[str, Any]]:
    results = Results(hostvars, _PREFIX)
    return {(host, key): result for host in hosts for key, result in results.each(host, "made").items()}


def mak_findings(hostvars: Any, hosts: Sequence[str], ring: Any, refusal: str = "", clients_only: bool = False) -> list[dict[str, Any]]:
    """See C(mak_findings.yml)."""
    results = Results(hostvars, _PREFIX)
    found = [Finding("state directory", refusal, True)] if refusal else []
    found += _report_mak.ring_findings(ring, {host: results.names(host, "keys") for host in hosts})
    found += _report_mak.target_findings({host: results.of(host, "target") for host in hosts})
    found += _report_mak.host_findings(_pairs(hostvars, hosts, clients_only))
    return [finding.as_result() for finding in dict.fromkeys(found)]


def mak_products(hostvars: Any, hosts: Sequence[str]) -> dict[str, Any]:
    """See C(mak_products.yml)."""
    return _mak_orders.known_products(_pairs(hostvars, hosts))


def mak_holders(hostvars: Any, hosts: Sequence[str], products: Mapping[str, Any], clients_only: bool = False) -> list[dict[str, str]]:
    """See C(mak_holders.yml)."""
    return _mak_orders.holders_to_try(_pairs(hostvars, hosts, clients_only), products)


def mak_orders(
    hostvars: Any,
    hosts: Sequence[str],
    products: Mapping[str, Any],
    counts: Mapping[str, Any],
    as_many_as_remain: bool = False,
    refusals: Mapping[str, str] | None = None,
    clients_only: bool = False,
) -> dict[str, Any]:
    """See C(mak_orders.yml)."""
    orders = _mak_orders.make_orders(_pairs(hostvars, hosts, clients_only), products, counts, as_many_as_remain, refusals or {})
    return {**visible_value(orders.as_result()), "batches": _mak_orders.batches(hosts, orders.hosts)}


def mak_extended_pids(products: Mapping[str, Any]) -> list[dict[str, str]]:
    """See C(mak_extended_pids.yml)."""
    told = {key: str(product.get("extended_pid") or "") for key, product in products.items()}
    return [{"name": key, "extended_pid": pid} for key, pid in told.items() if is_extended_pid(pid)]


def mak_counts(result: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """See C(mak_counts.yml)."""
    return {
        count["name"]: {"remaining": count["remaining"], "unlimited": count["unlimited_or_blocked"], "error": count["error"]}
        for count in result.get("counts") or []
    }


def mak_refused_keys(hostvars: Any, hosts: Sequence[str]) -> list[str]:
    """See C(mak_refused_keys.yml)."""
    return _mak_orders.refused_keys((key, result) for (_host, key), result in _made(hostvars, hosts).items())


def mak_begun(hostvars: Any, hosts: Sequence[str], products: Mapping[str, Any], moment: str) -> list[dict[str, Any]]:
    """See C(mak_begun.yml)."""
    results = Results(hostvars, _PREFIX)
    due = {host: results.names(host, "due") for host in hosts}
    begun = [pair for pair in _pairs(hostvars, hosts) if pair.key in due[pair.host]]
    return _mak_journal.begun(begun, products, moment)


def mak_over(hostvars: Any, hosts: Sequence[str], products: Mapping[str, Any], began: str, moment: str) -> list[dict[str, Any]]:
    """See C(mak_over.yml)."""
    made = _made(hostvars, hosts)
    tried = [pair for pair in _pairs(hostvars, hosts) if (pair.host, pair.key) in made]
    return _mak_journal.over(tried, products, made, began, moment)


def mak_unfinished(computers: Sequence[Mapping[str, Any]]) -> list[str]:
    """See C(mak_unfinished.yml)."""
    return _mak_journal.unfinished(computers)


def mak_ends(
    hostvars: Any, hosts: Sequence[str], orders: Mapping[str, Any], check_mode: bool, clients_only: bool = False
) -> list[dict[str, str]]:
    """See C(mak_ends.yml)."""
    ends = _report_mak.ended(_pairs(hostvars, hosts, clients_only), orders, _made(hostvars, hosts), check_mode)
    return [{"host": end.host, "key": end.key, "kind": end.kind, "reason": visible(end.reason, LONGEST_LINE)} for end in ends]


def mak_summary(
    ends: Sequence[Mapping[str, str]],
    ring: Mapping[str, Any],
    products: Mapping[str, Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    check_mode: bool = False,
) -> list[str]:
    """See C(mak_summary.yml)."""
    return visible_lines(_report_mak.summary([_report_mak.Ended(**end) for end in ends], ring, products, before, after, check_mode))


def mak_numbers(ends: Sequence[Mapping[str, str]], before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """See C(mak_numbers.yml)."""
    return _report_mak.numbers([_report_mak.Ended(**end) for end in ends], before, after)


def mak_to_kms_summary(hostvars: Any, hosts: Sequence[str], check_mode: bool = False) -> list[str]:
    """See C(mak_to_kms_summary.yml)."""
    return visible_lines(_report_mak.kms_summary(_clients(hostvars, hosts), check_mode))


def mak_to_kms_numbers(hostvars: Any, hosts: Sequence[str]) -> dict[str, int]:
    """See C(mak_to_kms_numbers.yml)."""
    return client_counts(_clients(hostvars, hosts))


def _clients(hostvars: Any, hosts: Sequence[str]) -> dict[str, dict[str, Any]]:
    results = Results(hostvars, _PREFIX)
    return {host: {"client": results.of(host, "client")} for host in hosts}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {
            "mak_findings": mak_findings,
            "mak_products": mak_products,
            "mak_holders": mak_holders,
            "mak_orders": mak_orders,
            "mak_refused_keys": mak_refused_keys,
            "mak_extended_pids": mak_extended_pids,
            "mak_counts": mak_counts,
            "mak_begun": mak_begun,
            "mak_over": mak_over,
            "mak_unfinished": mak_unfinished,
            "mak_ends": mak_ends,
            "mak_summary": mak_summary,
            "mak_numbers": mak_numbers,
            "mak_to_kms_summary": mak_to_kms_summary,
            "mak_to_kms_numbers": mak_to_kms_numbers,
        }
