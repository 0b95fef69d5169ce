# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task gives, as a computer list has it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._core.errors import ActivationError
from .._licensing.offline_ids import checked_guid, confirmation_digits, confirmation_warnings, installation_digits
from .fields import check_document
from .model import Activation, FullList, ListedComputer, ListedProduct, new_identifier, utc_now
from .writing import as_json

_COMPUTER = ("computer_name", "fqdn", "address", "operating_system")
_PRODUCT = ("installation_id", "extended_pid", "name", "channel", "license_status", "partial_product_key", "mak")


def given_computers(given: Iterable[Mapping[str, Any]]) -> dict[str, ListedComputer]:
    """The option C(computers), by inventory name.

    Raises:
        ActivationError: Something in it can't stand in a list; the sentence says where.
    """
    computers: dict[str, ListedComputer] = {}
    for entry in given:
        name = str(entry["name"])
        if name in computers:
            raise ActivationError(f"computers names {name} more than once.", source="options")
        products = [_product(product) for product in entry.get("products") or ()]
        computers[name] = ListedComputer(
            # An empty text is an answer, too: nothing was read.
            read=utc_now() if entry.get("read") is None else entry["read"] or None,
            products={product.activation_id: product for product in products},
            **{field: entry.get(field) or "" for field in _COMPUTER},
        )
    if said := check_document(as_json(FullList(computers=computers))):
        raise ActivationError(f"computers can't be taken into a list: {said}.", source="options")
    return computers


def refusal_of(entry: Mapping[str, Any]) -> str:
    """Why a computer can't stand in a list, as C(given_computers) says it; empty where it can."""
    try:
        given_computers([entry])
    except ActivationError as refusal:
        return refusal.message
    return ""


def given_confirmations(given: Iterable[Mapping[str, Any]]) -> tuple[list[tuple[str, str]], list[str]]:
    """The option C(confirmation_ids): installation IDs and confirmation IDs as digits, and warnings about their length.

    Raises:
        ActivationError: One of them is no such ID.
    """
    pairs: list[tuple[str, str]] = []
    warnings: list[str] = []
    for entry in given:
        installation_id = installation_digits(str(entry["installation_id"]))
        confirmation_id = confirmation_digits(str(entry["confirmation_id"]))
        warnings += confirmation_warnings(f"Installation ID {installation_id[:12]}...", confirmation_id)
        pairs.append((installation_id, confirmation_id))
    return pairs, warnings


def _product(given: Mapping[str, Any]) -> ListedProduct:
    activation = given.get("activation") or {}
    return ListedProduct(
        identifier=new_identifier(),
        activation_id=checked_guid(str(given["activation_id"]), "activation_id"),
        activation=Activation(activation.get("began") or None, activation.get("ended") or None, activation.get("outcome") or ""),
        **{field: given.get(field) or "" for field in _PRODUCT},
    )
