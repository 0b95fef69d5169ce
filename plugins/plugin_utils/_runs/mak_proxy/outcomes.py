# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How each computer of a run ended.

Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..._core.text import LONGEST_LINE, visible
from ..._licensing.mak import Trouble, trouble_of
from ..mak.untaken import NO_COMPUTER, Takers
from ..registered import Result
from .computers import HostRun
from .entries import unlisted
from .orders import Orders


@dataclass(frozen=True, slots=True)
class ProxyEnd:
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


def collected(
    seen: Iterable[HostRun], to_read: Iterable[str], check_mode: bool, unassigned: Mapping[str, Result] = MappingProxyType({})
) -> list[ProxyEnd]:
    """How each computer ended where keys were installed and installation IDs read.

    Args:
        seen: The computers.
        to_read: Those that were to be read.
        check_mode: Nothing was changed.
        unassigned: By computer what the rules of the ring have to say of it.
    """
    seen, chosen, found = list(seen), set(to_read), []
    # Of a computer that was read not long ago nothing is known now, so its keys count as taken.
    took = [(one.host, key) for one in seen for key in one.keys if one.host not in chosen or one.made.get(key, {}).get("installed")]
    takers = Takers({key for _host, key in took}, {host for host, _key in took})
    for one in seen:
        if one.host not in chosen:
            found.append(ProxyEnd(one.host, "known"))
        elif one.not_reached:
            found.append(ProxyEnd(one.host, "not_reached"))
        elif not one.was_read:
            found.append(ProxyEnd(one.host, "failed", str(one.license.get("msg", "its licensing state was not read"))))
        elif said := unlisted(one):
            found.append(ProxyEnd(one.host, "failed", said))
        elif one.host in unassigned:
            found.append(ProxyEnd(one.host, str(unassigned[one.host]["kind"]), str(unassigned[one.host]["reason"])))
            found += [ProxyEnd(one.host, *_came_of_key(one.host, key, one.made.get(key, {}), takers, check_mode)) for key in one.keys]
        elif not one.keys:
            found.append(ProxyEnd(one.host, "not_applicable", "it gets no key"))
        else:
            found += [ProxyEnd(one.host, *_came_of_key(one.host, key, one.made.get(key, {}), takers, check_mode)) for key in one.keys]
    return found


def _came_of_key(host: str, key: str, result: Result, takers: Takers, check_mode: bool) -> tuple[str, str]:
    if "applicable" not in result:
        return "failed", str(result.get("msg", "it was not tried, because the run stopped before it"))
    if not result["applicable"]:
        reason, hresult = str(result["reason"]), result.get("reason_hresult")
        fails = trouble_of(hresult) is Trouble.OTHER_PRODUCT and takers.fails(host, key, hresult)
        return ("failed", f"{NO_COMPUTER}{reason}") if fails else ("not_applicable", reason)
    if result.get("installed"):
        return ("licensed" if result["activated"] else "collected"), ""
    return ("planned", "") if check_mode else ("not_applicable", "it keeps the key that it has")


def applied(seen: Iterable[HostRun], computers: Iterable[Result], orders: Orders, check_mode: bool) -> list[ProxyEnd]:
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
            found += [ProxyEnd(one.host, *_came_of_confirmation(one.made.get(key, {}), check_mode)) for key in orders[one.host]]
        elif one.host not in listed:
            found.append(ProxyEnd(one.host, "not_listed"))
        elif _all_licensed(listed[one.host]):
            found.append(ProxyEnd(one.host, "licensed"))
        else:
            found.append(ProxyEnd(one.host, "without_confirmation_id"))
    return found


def _all_licensed(computer: Result) -> bool:
    return bool(computer["products"]) and all(product["license_status"] == "licensed" for product in computer["products"])


def _came_of_confirmation(result: Result, check_mode: bool) -> tuple[str, str]:
    if result.get("unreachable"):
        return "not_reached", ""
    if "applicable" not in result:
        return "failed", str(result.get("msg", "it was not tried, because the run stopped before it"))
    if not result["applicable"]:
        return "not_applicable", str(result["reason"])
    if result["activated"]:
        return ("activated" if result["activation"]["attempted"] else "licensed"), ""
    return ("planned" if check_mode else "failed"), ""


def counts(outcomes: Iterable[ProxyEnd]) -> dict[str, int]:
    """How many computers ended how."""
    found = dict.fromkeys(KINDS, 0)
    for outcome in outcomes:
        found[outcome.kind] += 1
    return found


def failures(outcomes: Iterable[ProxyEnd]) -> dict[str, str]:
    """By computer that failed the sentence that it fails with."""
    reasons: dict[str, list[str]] = {}
    for outcome in outcomes:
        if outcome.kind == "failed":
            reasons.setdefault(outcome.host, []).append(visible(outcome.reason, LONGEST_LINE))
    return {host: " ".join(said) for host, said in reasons.items()}


def conflicts(results: Collection[Result]) -> list[Result]:
    """What contradicts the list, each once.

    Args:
        results: Those of C(computer_list), one for each host; hosts of one batch have the same.
    """
    lists = {id(result): result.get("conflicting") or () for result in results}
    found = (entry for entries in lists.values() for entry in entries)
    return list({tuple(sorted(entry.items())): entry for entry in found}.values())
