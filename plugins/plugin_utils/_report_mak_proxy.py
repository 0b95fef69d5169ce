# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role mak_proxy tells people of the results of its tasks: what stands in the way, how each computer ended, and the summary.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ._findings import Finding
from ._licensing.offline_ids import grouped
from ._mak_proxy_entries import Orders, Seen, unlisted
from ._runs.mak.findings import host_findings, ring_findings
from ._runs.mak.pairs import Pair, Result
from ._text import failure_line, some

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Ended:
    """How a computer ended, for one of its products.

    Attributes:
        host: Its inventory name.
        kind: A key of C(KINDS).
        reason: Why, where there is something to say.
    """

    host: str
    kind: str
    reason: str = ""


KINDS = {
    "collected": "with an installation ID",
    "known": "read not long ago",
    "activated": "activated",
    "licensed": "licensed before",
    "planned": "due",
    "not_applicable": "not applicable",
    "without_confirmation_id": "without a confirmation ID",
    "not_listed": "not in the list",
    "not_reached": "not reached",
    "failed": "failed",
}
"""How computers end, and the words for it."""


def collect_findings(seen: Sequence[Seen], ring: Any, refusals: Mapping[str, str]) -> list[Finding]:
    """What stands in the way of installing keys and keeping a list.

    Args:
        seen: The computers that are to be read.
        ring: The key ring.
        refusals: Sentences by what they are about; those that are empty say nothing.
    """
    pairs = [Pair(one.host, key, one.license, one.plan.get(key, {})) for one in seen for key in one.keys]
    found = refusal_findings(refusals)
    found += ring_findings(ring, {one.host: one.keys for one in seen})
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
    names = {host: sorted({str(order["mak"]) for order in products.values()}) for host, products in orders.items()}
    for key in sorted({key for keys in names.values() for key in keys} - set(known)):
        found.append(Finding(f"key {key}" if key else "computer list", _lacking(key), True))
    used = {host: [key for key in keys if key in known] for host, keys in names.items()}
    found += ring_findings(ring, {host: keys for host, keys in used.items() if keys})
    return list(dict.fromkeys(found))


def _lacking(key: str) -> str:
    if key:
        return "Computers of the list have this key, and volume_activation_mak_ring does not; put it into the ring again."
    return "It does not say which key of the ring some of its computers have; run mak_proxy_collect for them."


def collect_ends(seen: Iterable[Seen], to_read: Iterable[str], check_mode: bool) -> list[Ended]:
    """How each computer ended where keys were installed and installation IDs read."""
    chosen, found = set(to_read), []
    for one in seen:
        if one.host not in chosen:
            found.append(Ended(one.host, "known"))
        elif one.not_reached:
            found.append(Ended(one.host, "not_reached"))
        elif not one.was_read:
            found.append(Ended(one.host, "failed", str(one.license.get("msg", "its licensing state was not read"))))
        elif said := unlisted(one):
            found.append(Ended(one.host, "failed", said))
        elif not one.keys:
            found.append(Ended(one.host, "not_applicable", "it gets no key"))
        else:
            found += [Ended(one.host, *_collected(one.made.get(key, {}), check_mode)) for key in one.keys]
    return found


def _collected(result: Result, check_mode: bool) -> tuple[str, str]:
    if "applicable" not in result:
        return "failed", str(result.get("msg", "it was not tried, because the run stopped before it"))
    if not result["applicable"]:
        return "not_applicable", str(result["reason"])
    if result.get("installed"):
        return ("licensed" if result["activated"] else "collected"), ""
    return ("planned", "") if check_mode else ("not_applicable", "it keeps the key that it has")


def apply_ends(seen: Iterable[Seen], computers: Iterable[Result], orders: Orders, check_mode: bool) -> list[Ended]:
    """How each computer ended where confirmation IDs were applied.

    Args:
        seen: The computers.
        computers: Those of the list.
        orders: What was to be applied.
        check_mode: Nothing was changed.
    """
    listed = {computer["name"]: computer for computer in computers}
    found = []
    for one in seen:
        if one.host in orders:
            found += [Ended(one.host, *_came_of(one.made.get(key, {}), check_mode)) for key in orders[one.host]]
        elif one.host not in listed:
            found.append(Ended(one.host, "not_listed"))
        elif _all_licensed(listed[one.host]):
            found.append(Ended(one.host, "licensed"))
        else:
            found.append(Ended(one.host, "without_confirmation_id"))
    return found


def _all_licensed(computer: Result) -> bool:
    return bool(computer["products"]) and all(product["license_status"] == "licensed" for product in computer["products"])


def _came_of(result: Result, check_mode: bool) -> tuple[str, str]:
    if result.get("unreachable"):
        return "not_reached", ""
    if "applicable" not in result:
        return "failed", str(result.get("msg", "it was not tried, because the run stopped before it"))
    if not result["applicable"]:
        return "not_applicable", str(result["reason"])
    if result["activated"]:
        return ("activated" if result["activation"]["attempted"] else "licensed"), ""
    return ("planned" if check_mode else "failed"), ""


def counts(ends: Iterable[Ended]) -> dict[str, int]:
    """How many computers ended how."""
    found = dict.fromkeys(KINDS, 0)
    for end in ends:
        found[end.kind] += 1
    return found


def summary(title: str, ends: Sequence[Ended], conflicts: Iterable[Result], check_mode: bool) -> list[str]:
    """The end of a run, as lines that can be pasted into a ticket.

    Args:
        title: What was done.
        ends: How computers ended.
        conflicts: What C(computer_list) returned as contradicting the list.
        check_mode: Nothing was changed.
    """
    numbers = counts(ends)
    told = ", ".join(f"{numbers[kind]} {words}" for kind, words in KINDS.items() if numbers[kind]) or "none"
    lines = [f"MAK proxy activation, {title}{' (check mode: nothing was changed)' if check_mode else ''}", f"Computers: {told}"]
    for kind in ("without_confirmation_id", "not_listed", "not_reached"):
        names = [end.host for end in ends if end.kind == kind]
        if names:
            lines.append(f"{KINDS[kind][0].upper()}{KINDS[kind][1:]}: {some(names, _SHOWN)}")
    reasons: dict[str, list[str]] = {}
    for end in ends:
        if end.kind == "not_applicable":
            reasons.setdefault(end.reason.rstrip("."), []).append(end.host)
    lines += [f"Not applicable: {some(names, _SHOWN)}: {reason}" for reason, names in reasons.items()]
    lines += [f"Conflict: {sentence}" for sentence in dict.fromkeys(str(entry["reason"]) for entry in conflicts)]
    return lines + [failure_line(end.host, end.reason) for end in ends if end.kind == "failed"]


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
    for entries, words in ((result["missing"], "Without one"), (result["unknown"], "Asked for without an answer, may have been counted")):
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
