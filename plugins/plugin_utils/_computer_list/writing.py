# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A computer list as text. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from .model import EXPORT, FORMAT, FULL, VERSION, Document, ExportedProduct, FullList, ListedComputer, ListedProduct

CHECKSUM = "checksum"
"""The field by which a change of the text is noticed. Everybody can compute it: it is there for accidents, and is no signature."""


def as_json(document: Document) -> dict[str, Any]:
    """The document as JSON can hold it, with its checksum."""
    shown: dict[str, Any] = {"format": FORMAT, "version": VERSION}
    if isinstance(document, FullList):
        shown |= {"kind": FULL, "list_id": document.list_id, "saved": document.saved}
        shown["computers"] = {name: _computer(computer) for name, computer in sorted(document.computers.items())}
    else:
        shown |= {"kind": EXPORT, "list_id": document.list_id}
        shown["products"] = [_product(product) for product in sorted(document.products, key=lambda product: product.identifier)]
    return {**shown, CHECKSUM: checksum(shown)}


def render(document: Document) -> bytes:
    """The file's content: UTF-8, one value a line, so that two versions can be compared by eye."""
    return (json.dumps(as_json(document), indent=1, ensure_ascii=False) + "\n").encode()


def checksum(document: Mapping[str, Any]) -> str:
    """SHA-256 over everything but the checksum itself, whatever its order and white space."""
    rest = {name: value for name, value in document.items() if name != CHECKSUM}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _product(product: ExportedProduct) -> dict[str, Any]:
    """What leaves of a product, also where there is more of it."""
    return {
        "identifier": product.identifier,
        "installation_id": product.installation_id,
        "extended_pid": product.extended_pid,
        "activation_id": product.activation_id,
        "confirmation_id": product.confirmation_id,
        "asked": product.asked,
    }


def _computer(computer: ListedComputer) -> dict[str, Any]:
    return {
        "computer_name": computer.computer_name,
        "fqdn": computer.fqdn,
        "address": computer.address,
        "operating_system": computer.operating_system,
        "read": computer.read,
        "products": {activation_id: _listed(product) for activation_id, product in sorted(computer.products.items())},
    }


def _listed(product: ListedProduct) -> dict[str, Any]:
    shown = _product(product)
    del shown["activation_id"]  # it is the key under which the product stands
    return {
        **shown,
        "name": product.name,
        "channel": product.channel,
        "license_status": product.license_status,
        "partial_product_key": product.partial_product_key,
        "mak": product.mak,
        "activation": {"began": product.activation.began, "ended": product.activation.ended, "outcome": product.activation.outcome},
    }
