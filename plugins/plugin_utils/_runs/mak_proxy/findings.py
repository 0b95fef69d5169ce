# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the way of a run, and what is to be known before it changes anything.

Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ..finding import Finding
from ..mak.findings import host_findings, ring_findings
from ..mak.pairs import Pair
from ..registered import Result
from .computers import HostRun
from .orders import Orders


def collect_findings(
    seen: Sequence[HostRun],
    ring: Any,
    refusals: Mapping[str, str],
    ruled: Collection[str] = (),
    unassigned: Mapping[str, Result] = MappingProxyType({}),
) -> list[Finding]:
    """What stands in the way of installing keys and keeping a list.

    Args:
        seen: The computers that are to be read.
        ring: The key ring.
        refusals: Sentences by what they are about; those that are empty say nothing.
        ruled: The computers that get their keys by the rules of the ring.
        unassigned: What the rules have to say of them.
    """
    pairs = [Pair(one.host, key, one.license, one.plan.get(key, {})) for one in seen for key in one.keys]
    found = refusal_findings(refusals)
    found += ring_findings(ring, {one.host: one.keys for one in seen}, ruled)
    chosen = {one.host for one in seen}
    found += [Finding(host, str(said["reason"]), False) for host, said in unassigned.items() if host in chosen]
    found += host_findings(pairs)
    return list(dict.fromkeys(found))


def refusal_findings(refusals: Mapping[str, str]) -> list[Finding]:
    """Findings that stop the run."""
    return [Finding(subject, sentence, True) for subject, sentence in refusals.items() if sentence]


def apply_findings(hosts: Iterable[str], merged: Result, refusals: Mapping[str, str]) -> list[Finding]:
    """What is to be known before confirmation IDs are applied.

    Args:
        hosts: The computers of the play.
        merged: The result of C(computer_list) in check mode.
        refusals: Sentences that stop the run.
    """
    found = refusal_findings(refusals)
    if "error" in merged:
        return [*found, Finding("computer list", str(merged["msg"]), True)]
    found += [Finding(entry["name"] or "export", str(entry["reason"]), False) for entry in merged.get("conflicting") or []]
    chosen = set(hosts)
    found += [
        Finding(name, "It still has no confirmation ID; it is left as it is.", False)
        for name in merged.get("missing") or []
        if name in chosen
    ]
    return found


def reapply_findings(orders: Orders, ring: Any, refusals: Mapping[str, str]) -> list[Finding]:
    """What stands in the way of installing the keys of the list again."""
    found = refusal_findings(refusals)
    known = ring if isinstance(ring, Mapping) else {}
    names = {host: sorted({order.mak for order in products.values()}) for host, products in orders.items()}
    for key in sorted({key for keys in names.values() for key in keys} - set(known)):
        found.append(Finding(f"key {key}" if key else "computer list", _lacking(key), True))
    used = {host: [key for key in keys if key in known] for host, keys in names.items()}
    found += ring_findings(ring, {host: keys for host, keys in used.items() if keys})
    return list(dict.fromkeys(found))


def _lacking(key: str) -> str:
    if key:
        return "Computers of the list have this key, and volume_activation_mak_ring does not; put it into the ring again."
    return "It does not say which key of the ring some of its computers have; run mak_proxy_collect for them."
