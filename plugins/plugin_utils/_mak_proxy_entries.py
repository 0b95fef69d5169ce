# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the role mak_proxy knows of its computers, and what of that goes into the computer list and comes out of it.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._computer_list.given import refusal_of
from ._runs.mak.pairs import Result

_PRODUCT = ("activation_id", "name", "channel", "license_status", "partial_product_key", "extended_pid", "installation_id")

Orders = Mapping[str, Mapping[str, Result]]
"""By computer and activation ID C(installation_id), C(confirmation_id), C(mak) and C(name)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run knows of one computer.

    Attributes:
        host: Its inventory name.
        keys: The names of the keys that it gets.
        address: Where it is reached.
        license: The result of C(license_info).
        plan: The results of C(mak_client) in check mode, by key.
        made: Those of the real ones, by key, or by activation ID where a confirmation ID was applied.
    """

    host: str
    keys: Sequence[str] = ()
    address: str = ""
    license: Result = field(default_factory=dict)
    plan: Mapping[str, Result] = field(default_factory=dict)
    made: Mapping[str, Result] = field(default_factory=dict)

    @property
    def was_read(self) -> bool:
        """Whether its licensing state is known."""
        return "operating_system" in self.license

    @property
    def not_reached(self) -> bool:
        """Whether it did not answer."""
        return any(result.get("unreachable") for result in (self.license, *self.plan.values(), *self.made.values()))


def read_computers(seen: Iterable[Seen]) -> list[dict[str, Any]]:
    """What was read, as C(computer_list) takes it, without those that C(unlisted) names. Whoever failed half way is to be read again."""
    return [_read(one) for one in seen if one.was_read and not unlisted(one)]


def unlisted(one: Seen) -> str:
    """Why what was read of a computer can't stand in a list, so that the others are saved without it; empty where it can."""
    return refusal_of(_read(one)) if one.was_read else ""


def _read(one: Seen) -> dict[str, Any]:
    products = [
        _product(result["product"], key if result.get("installed") else "") for key, result in one.made.items() if result.get("product")
    ]
    system = one.license["operating_system"]
    entry = {
        "name": one.host,
        "computer_name": system.get("computer_name") or "",
        "fqdn": one.host if "." in one.host and not one.host.replace(".", "").isdigit() else "",
        "address": one.address,
        "operating_system": system.get("caption") or "",
        "products": sorted(products, key=lambda product: bool(product["mak"])),
    }
    complete = all("applicable" in one.made.get(key, {}) for key in one.keys)
    return entry if complete else {**entry, "read": ""}


def applied_computers(seen: Iterable[Seen], orders: Orders, began: str, ended: str) -> list[dict[str, Any]]:
    """What came of confirmation IDs, as C(computer_list) takes it.

    Args:
        seen: The computers.
        orders: What was to be applied.
        began: When that was begun, in UTC.
        ended: When it was over.
    """
    found = []
    for one in seen:
        results = {key: result for key, result in one.made.items() if not result.get("unreachable") and key in orders.get(one.host, {})}
        products = [_applied(key, result, orders[one.host][key], began, ended) for key, result in results.items()]
        if products:
            failed = any("applicable" not in result for result in results.values())
            entry = {"name": one.host, "products": products, **({"read": ""} if failed else {})}
            # What came of it is kept whatever else the computer tells.
            short = [{name: product[name] for name in ("activation_id", "activation") if name in product} for product in products]
            found.append({"name": one.host, "products": short, "read": ""} if refusal_of(entry) else entry)
    return found


def _product(product: Result, mak: str) -> dict[str, Any]:
    return {**{name: str(product.get(name) or "") for name in _PRODUCT}, "mak": mak}


def _applied(activation_id: str, result: Result, order: Result, began: str, ended: str) -> dict[str, Any]:
    product = result.get("product") or {}
    entry: dict[str, Any] = {"activation_id": activation_id}
    if str(product.get("activation_id", "")).lower() == activation_id.lower():
        entry = _product(product, "")
        if entry["installation_id"] != order["installation_id"]:
            # The list keeps the one that its confirmation ID is for, although Windows forgave another.
            entry["installation_id"] = ""
    if "applicable" not in result:
        entry["activation"] = {"began": began, "ended": ended, "outcome": str(result.get("msg", ""))}
    elif result["activation"]["attempted"]:
        entry["activation"] = {"began": began, "ended": ended, "outcome": str(result["activation"]["outcome"])}
    return entry


def make_orders(computers: Iterable[Result], hosts: Iterable[str]) -> dict[str, dict[str, dict[str, str]]]:
    """Which confirmation ID goes to which product of which computer, from the computers of a list that shows them."""
    chosen = set(hosts)
    return {
        computer["name"]: {
            product["activation_id"]: {name: product[name] for name in ("installation_id", "confirmation_id", "mak", "name")}
            for product in computer["products"]
            if product["confirmation_id"]
        }
        for computer in computers
        if computer["name"] in chosen and any(product["confirmation_id"] for product in computer["products"])
    }
