# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a MAK client should be, and which of the products that hold a key are concerned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..._core.errors import ActivationError
from ..._licensing.channels import Channel
from ..._licensing.kms import is_office
from ..._licensing.product_keys import last_five
from ..._licensing.status import status_name
from ..spp.client_product import THE_SYSTEM
from ..spp.licensing import Product
from ..spp.offline_activation import Confirmation
from .product import AN_ADD_ON, Scope


@dataclass(frozen=True, slots=True)
class MakClientWish:
    """What a MAK client should be. What is C(None) or C(False) is left as it is.

    Attributes:
        product_key: The MAK, normalised; without one the product has to hold one.
        product: What C(checked_scope) gave.
        overwrite: Replace another key.
        applicable_only: A computer that no MAK can be installed on is told of and not failed.
        force_install: Also on Windows Vista before its first service pack.
        activate: Spend an activation where the product is not licensed.
        settle: Seconds to wait for an earlier attempt whose end nobody knows, before another is made.
        confirmation: Activate with this confirmation ID instead.
        installation_id: Whether the installation ID is read for the result, which Windows computes.
    """

    product_key: str | None = None
    product: str = THE_SYSTEM
    overwrite: bool = True
    applicable_only: bool = False
    force_install: bool = False
    activate: bool = False
    settle: int = 0
    confirmation: Confirmation | None = None
    installation_id: bool = False

    @property
    def activates(self) -> bool:
        """Whether the product is to be licensed."""
        return self.activate or self.confirmation is not None

    @property
    def last_five(self) -> str:
        """The last five characters of the MAK; empty without one."""
        return last_five(self.product_key) if self.product_key else ""


def holder_of(host: str, keyed: Sequence[Product], scope: Scope, wish: MakClientWish) -> Product | None:
    """The product that holds the MAK that is meant; C(None) where none does.

    Raises:
        ActivationError: Without a key in the task, several do; or the key in the task is one of another product.
    """
    if wish.product_key:
        found = [product for product in keyed if product.partial_key == wish.last_five]
        other = next((product for product in found if not scope.covers(product)), None)
        if other:
            raise ActivationError(
                f"the key that ends in {wish.last_five} is one of {other.name}, not of {scope.spoken}; it is installed there and was"
                f" not activated. Give product: {AN_ADD_ON if other.is_addon else other.id} if that is meant.",
                subject=host,
                source="options",
            )
    else:
        found = [product for product in scope.of(keyed) if product.channel is Channel.MAK]
    if len(found) > 1:
        listed = ", ".join(f"{product.id} ({product.name})" for product in found)
        raise ActivationError(f"{host} holds several MAKs of {scope.spoken}; name one product by product: {listed}.", source="options")
    return found[0] if found else None


def in_the_way(givers: Sequence[Product], last: str) -> list[Product]:
    """Products of Office whose key stays beside a MAK unless it is removed.

    A MAK is left out: whether the new one takes its place only Office knows. So is a key whose kind is not known.

    Args:
        givers: The products whose key gives way.
        last: The last five characters of the MAK.
    """
    return [
        product
        for product in givers
        if is_office(product.application_id) and product.channel is Channel.GVLK and product.partial_key != last
    ]


def shown(product: Product | None, installation_id: str | None) -> dict[str, Any] | None:
    """A product as results show it; C(None) where none holds the MAK."""
    if product is None:
        return None
    return {
        "name": product.name,
        "activation_id": product.id,
        "channel": product.channel.value,
        "license_status": status_name(product.status),
        "partial_product_key": product.partial_key,
        "extended_pid": str(product.row.get("ProductKeyID") or ""),
        "installation_id": installation_id,
    }
