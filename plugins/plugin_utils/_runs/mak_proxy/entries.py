# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a run goes into the computer list, as the module C(computer_list) takes it.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..._computer_list.given import refusal_of
from ..registered import Result
from .computers import HostRun
from .orders import Order, Orders

_PRODUCT = ("activation_id", "name", "channel", "license_status", "partial_product_key", "extended_pid", "installation_id")


def read_computers(seen: Iterable[HostRun]) -> list[dict[str, Any]]:
    """What was read, as C(computer_list) takes it, without those that C(unlisted) names. Whoever failed half way is to be read again."""
    return [_read(one) for one in seen if one.was_read and not unlisted(one)]


def unlisted(one: HostRun) -> str:
    """Why what was read of a computer can't stand in a list, so that the others are saved without it; empty where it can."""
    return refusal_of(_read(one)) if one.was_read else ""


def _read(one: HostRun) -> dict[str, Any]:
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


def applied_computers(seen: Iterable[HostRun], orders: Orders, began: str, ended: str) -> list[dict[str, Any]]:
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


def _applied(activation_id: str, result: Result, order: Order, began: str, ended: str) -> dict[str, Any]:
    product = result.get("product") or {}
    entry: dict[str, Any] = {"activation_id": activation_id}
    if str(product.get("activation_id", "")).lower() == activation_id.lower():
        entry = _product(product, "")
        if entry["installation_id"] != order.installation_id:
            # The list keeps the one that its confirmation ID is for, although Windows forgave another.
            entry["installation_id"] = ""
    if "applicable" not in result:
        entry["activation"] = {"began": began, "ended": ended, "outcome": str(result.get("msg", ""))}
    elif result["activated"] and order.outcome != "licensed":
        # Also of a run before whose task failed behind the activation, so that nobody wrote it down.
        entry["activation"] = {"began": began, "ended": ended, "outcome": "licensed"}
    elif result["activation"]["attempted"]:
        entry["activation"] = {"began": began, "ended": ended, "outcome": str(result["activation"]["outcome"])}
    return entry
