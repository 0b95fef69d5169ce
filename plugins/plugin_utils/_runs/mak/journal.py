# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an activation by MAK has begun and how it ended, as a computer list keeps it: a run that is killed leaves word.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..._computer_list.given import refusal_of
from .pairs import Pair, Result


def begun(pairs: Iterable[Pair], products: Mapping[str, Result], moment: str) -> list[dict[str, Any]]:
    """Computers as a computer list takes them, whose activation is about to begin: without an end, until it is known.

    Args:
        pairs: The computers and the keys that they are activated with.
        products: By key what it is for.
        moment: The time, as the list has it.
    """
    return _by_computer(_listed(pair, pair.plan, products, {"began": moment}) for pair in pairs if pair.key in products)


def over(
    pairs: Iterable[Pair], products: Mapping[str, Result], made: Mapping[tuple[str, str], Result], began: str, moment: str
) -> list[dict[str, Any]]:
    """The same, with what came of it; one that was not reached any more keeps its open end.

    Args:
        pairs: The computers and the keys that they were activated with.
        products: By key what it is for.
        made: The results of C(mak_client) by computer and key.
        began: The time of before.
        moment: The time now.
    """
    found = []
    for pair in pairs:
        result = made[pair.host, pair.key]
        if pair.key in products and not result.get("unreachable"):
            outcome = "licensed" if result.get("activated") else str(result.get("msg") or result.get("reason") or "not activated")
            found.append(_listed(pair, result, products, {"began": began, "ended": moment, "outcome": outcome}))
    return _by_computer(found)


def _by_computer(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same with one entry for each computer, as a list takes them, also for one that is activated with several keys."""
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        known = found.get(entry["name"], {})
        found[entry["name"]] = {**known, **entry, "products": [*known.get("products", ()), *entry["products"]]}
    return list(found.values())


def _listed(pair: Pair, result: Result, products: Mapping[str, Result], activation: Mapping[str, str]) -> dict[str, Any]:
    system = pair.license.get("operating_system") or {}
    known = products[pair.key]
    seen = result.get("product") if result.get("installed") else None
    short = {"activation_id": known["activation_id"], "name": known["name"], "channel": "mak"}
    made = {"mak": pair.key, "activation": dict(activation)}
    entry = {
        "name": pair.host,
        "computer_name": system.get("computer_name") or "",
        "operating_system": system.get("caption") or "",
        "products": [{**(seen or short), **made}],
    }
    # An activation that is spent is written down whatever else the computer tells.
    return {"name": pair.host, "products": [{**short, **made}]} if refusal_of(entry) else entry


def proved(pairs: Iterable[Pair], computers: Iterable[Result], moment: str) -> list[dict[str, Any]]:
    """Ends that the state of the computers proves now: nobody wrote them down because the run was killed, or a fault came behind the activation.

    Args:
        pairs: The computers and their keys, as they were seen.
        computers: As C(computer_list) shows those with an activation that was begun and did not end with a license.
        moment: The time now.
    """
    activated = {(pair.host, pair.key) for pair in pairs if pair.plan.get("activated")}
    found = []
    for computer in computers:
        products = [
            {name: product[name] for name in ("activation_id", "mak")}
            | {"activation": {"began": product["activation"]["began"], "ended": moment, "outcome": "licensed"}}
            for product in computer.get("products") or ()
            if product["activation"]["began"]
            and product["activation"]["outcome"] != "licensed"
            and (computer["name"], product.get("mak")) in activated
        ]
        if products:
            # It was not read for the list, whose time of that stays.
            found.append({"name": computer["name"], "read": "", "products": products})
    return found


def unfinished(computers: Iterable[Result]) -> list[str]:
    """Computers of a list with an activation that was begun and has no known end.

    Args:
        computers: As C(computer_list) shows them.
    """
    return list(dict.fromkeys(str(computer["name"]) for computer in computers if _has_open_end(computer)))


def _has_open_end(computer: Result) -> bool:
    ends = (product["activation"] for product in computer.get("products") or ())
    return any(end["began"] and not end["ended"] for end in ends)
