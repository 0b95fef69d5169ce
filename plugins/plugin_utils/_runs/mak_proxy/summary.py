# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run says in the end, as lines that can be pasted into a ticket.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..._condensed.alike import failure_lines
from ..._core.text import some
from ..._licensing.offline_ids import grouped
from ..registered import Result
from .outcomes import KINDS, ProxyEnd, counts

_SHOWN = 10


def summary(title: str, outcomes: Sequence[ProxyEnd], conflicts: Iterable[Result], check_mode: bool) -> list[str]:
    """The end of a run, as lines that can be pasted into a ticket.

    Args:
        title: What was done.
        outcomes: How computers ended.
        conflicts: What C(computer_list) returned as contradicting the list.
        check_mode: Nothing was changed.
    """
    numbers = counts(outcomes)
    told = ", ".join(f"{numbers[kind]} {words}" for kind, words in KINDS.items() if numbers[kind]) or "none"
    lines = [f"MAK proxy activation, {title}{' (check mode: nothing was changed)' if check_mode else ''}", f"Computers: {told}"]
    for kind in ("without_confirmation_id", "not_listed", "not_reached"):
        names = [end.host for end in outcomes if end.kind == kind]
        if names:
            lines.append(f"{KINDS[kind][0].upper()}{KINDS[kind][1:]}: {some(names, _SHOWN)}")
    reasons: dict[str, list[str]] = {}
    for end in outcomes:
        if end.kind == "not_applicable":
            reasons.setdefault(end.reason.rstrip("."), []).append(end.host)
    lines += [f"Not applicable: {some(names, _SHOWN)}: {reason}" for reason, names in reasons.items()]
    lines += [f"Conflict: {sentence}" for sentence in dict.fromkeys(str(entry["reason"]) for entry in conflicts)]
    return [*lines, *failure_lines((end.host, end.reason) for end in outcomes if end.kind == "failed")]


def acquired(result: Result, check_mode: bool = False) -> list[str]:
    """The end of a run that asked Microsoft, from the result of C(confirmation_id); in check mode, of one that did not."""
    if "obtained" not in result:
        return [f"MAK proxy activation: {result.get('msg', 'Microsoft was not asked.')}"]
    if check_mode:
        there, due = result["kept"], result["obtained"]
        return [f"MAK proxy activation (check mode: Microsoft was not asked): {there} confirmation IDs are there, {due} would be asked for"]
    lines = [
        f"MAK proxy activation: {result['obtained'] + result['kept']} confirmation IDs, {result['obtained']} of them obtained by this run"
    ]
    for entries, words in (
        (result["missing"], "Without a confirmation ID"),
        (result["unknown"], "Asked for without an answer, may have been counted"),
    ):
        reasons: dict[str, list[str]] = {}
        for entry in entries:
            reasons.setdefault(str(entry.get("reason", "")).rstrip("."), []).append(str(entry["identifier"]))
        lines += [f"{words}: {len(names)} ({some(names, _SHOWN)}): {reason}" for reason, names in reasons.items()]
    return lines


def telephone_lines(shown: Result) -> list[str]:
    """Installation IDs in groups, for the telephone and for Microsoft's portal, from the result of C(computer_list)."""
    wanted: list[tuple[str, Result]] = []
    if shown.get("kind") == "export":
        wanted = [(product["identifier"], product) for product in shown["products"] if not product["confirmation_id"]]
    else:
        for computer in shown.get("computers") or []:
            wanted += [(f"{computer['name']}, {product['name']}", product) for product in computer["products"] if product["pending"]]
    lines = []
    for name, product in wanted:
        lines += [f"{name} (extended PID {product['extended_pid']})", f"    {grouped(product['installation_id'])}"]
    return lines


def leaving_lines(path: str, exported: Result) -> list[str]:
    """Every field that leaves, with what it tells; no line where nothing was exported.

    Args:
        path: The export.
        exported: The result of C(computer_list).
    """
    if "leaves" not in exported:
        return []
    fields = [f"{entry['field']}: {entry['tells']}" for entry in exported["leaves"]]
    return [f"What leaves with {path}, {len(exported['products'])} products:", *fields]
