# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which confirmation ID of the list goes to which product of which computer. A confirmation ID itself is never part of it.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..registered import Result


@dataclass(frozen=True, slots=True)
class Order:
    """A product whose confirmation ID the list has.

    Attributes:
        installation_id: The installation ID that the confirmation ID is for.
        mak: The name of the product's key in the key ring.
        outcome: What came of its activation, as far as the list knows; empty where none was made.
    """

    installation_id: str
    mak: str
    outcome: str = ""


Orders = Mapping[str, Mapping[str, Order]]
"""By computer and activation ID."""


def make_orders(computers: Iterable[Result], hosts: Iterable[str]) -> dict[str, dict[str, Order]]:
    """The orders for those of the computers that have any.

    Args:
        computers: As C(computer_list) returns them; whether it shows confirmation IDs makes no difference.
        hosts: The computers that are wanted.
    """
    chosen, found = set(hosts), {}
    for computer in computers:
        if computer["name"] in chosen:
            orders = {
                product["activation_id"]: Order(product["installation_id"], product["mak"], product["activation"]["outcome"])
                for product in computer["products"]
                if product["confirmation_id"]
            }
            if orders:
                found[computer["name"]] = orders
    return found


def named(orders: Orders) -> dict[str, dict[str, str]]:
    """The orders as every host may see them: by computer and activation ID the name of the key."""
    return {host: {activation_id: order.mak for activation_id, order in products.items()} for host, products in orders.items()}
