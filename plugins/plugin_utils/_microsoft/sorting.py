# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which products of a computer list need a confirmation ID that may be asked for. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .._computer_list.model import LICENSED, ExportedProduct, ListedProduct


@dataclass(slots=True)
class Sorted:
    """The products of a list by what is to be done for them.

    Attributes:
        kept: They have their confirmation ID.
        known: They have none, but another one with the same installation ID and extended PID has.
        to_ask: To ask for, once for all products with the same installation ID and extended PID.
        unknown: They were asked for, and nobody knows the answer, which may have been counted.
        impossible: They need one, and the list does not say what Microsoft wants to know.
    """

    kept: list[ExportedProduct] = field(default_factory=list)
    known: list[tuple[ExportedProduct, str]] = field(default_factory=list)
    to_ask: list[list[ExportedProduct]] = field(default_factory=list)
    unknown: list[ExportedProduct] = field(default_factory=list)
    impossible: list[ExportedProduct] = field(default_factory=list)


def sort_out(products: Iterable[ExportedProduct], ask_again: bool) -> Sorted:
    """Sort the products of a list; those that are licensed without a confirmation ID need none and are left out.

    Args:
        products: In any order, which is kept.
        ask_again: Whether to ask also for those of which nobody knows the answer.
    """
    found = Sorted()
    alike: dict[tuple[str, str], list[ExportedProduct]] = {}
    for product in products:
        if product.confirmation_id is not None:
            found.kept.append(product)
        if product.installation_id and product.extended_pid:
            alike.setdefault((product.installation_id, product.extended_pid), []).append(product)
        elif product.confirmation_id is None and _needs_one(product):
            found.impossible.append(product)
    for group in alike.values():
        pending = [product for product in group if product.confirmation_id is None and _needs_one(product)]
        confirmation_id = next((product.confirmation_id for product in group if product.confirmation_id), None)
        if confirmation_id:
            found.known += [(product, confirmation_id) for product in pending]
        elif not pending:
            continue
        elif not ask_again and any(product.unknown for product in group):
            found.unknown += pending
        else:
            found.to_ask.append(pending)
    return found


def _needs_one(product: ExportedProduct) -> bool:
    return not (isinstance(product, ListedProduct) and product.license_status == LICENSED)
