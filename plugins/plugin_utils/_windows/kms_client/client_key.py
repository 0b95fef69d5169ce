# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that give a product its client setup key."""

from __future__ import annotations

from collections.abc import Callable

from ..._core.errors import ActivationError
from ..._core.plan import Plan, Step, StepKind
from ..._licensing.channels import Channel
from ..._licensing.kms import is_office
from ..._licensing.product_keys import last_five
from ..._licensing.setup_keys import by_key, office_setup_key
from ..._wsman.session import Session
from ..spp import license_changes
from ..spp.client_product import THE_SYSTEM, Chosen
from ..spp.licensing import Product
from ..spp.setup_key import check_volume_licences, office_key_of, setup_key_of
from .state import KmsClientWish

ATTRIBUTE = "product key"
"""The key's name in a plan."""


def plan_key(plan: Plan, session: Session, version: str, chosen: Chosen, wish: KmsClientWish) -> bool:
    """Add the steps that are due.

    Returns:
        Whether a key of another kind is kept because the user wants it so.

    Raises:
        ActivationError: The host can't get a client setup key.
    """
    wanted = wish.product_key
    held_by = [product for product in (chosen.product, *chosen.others) if product is not None and product.partial_key]
    if any(product.channel is Channel.CSVLK for product in held_by):
        raise ActivationError(is_a_kms_host(session.host), source="windows")
    if wanted:
        _demand_setup_key(session, wanted, chosen, wish)
    held = chosen.held
    due = not chosen.is_client if wanted is None else held != last_five(wanted)
    # Windows replaces its own key; one of Office stays beside a new one unless it is removed.
    beside = [product for product in chosen.others if is_office(product.application_id)]
    if not due and not beside:
        return False
    if held and not wish.overwrite:
        return True
    if due:
        key = wanted or _setup_key(session, chosen.product, wish)
        if wish.product == THE_SYSTEM:
            check_volume_licences(session)
        step = Step(session.host, ATTRIBUTE, held, last_five(key), "SoftwareLicensingService.InstallProductKey", kind=StepKind.KEY)
        plan.add(step, lambda: license_changes.install_key(session, version, key))
    for other in beside:
        step = Step(session.host, f"{ATTRIBUTE} of {other.name}", other.partial_key, None, "SoftwareLicensingProduct.UninstallProductKey")
        plan.add(step, _remover(session, version, other))
    return False


def is_a_kms_host(host: str) -> str:
    """Why a computer with a KMS host key gets no setup key, as a sentence."""
    return f"{host} is a KMS host, which needs no setup key. Take it out of the clients, or remove its CSVLK first."


def due_setup_key(session: Session, product: Product | None) -> str | None:
    """The last five characters of the setup key that Windows itself would get where no key is named, as in C(plan_key).

    Args:
        session: The host.
        product: Windows as it was read; C(None) where it holds no key.

    Returns:
        C(None) where it holds a setup key or one of KMS hosts.

    Raises:
        ActivationError: It can't get one.
    """
    if product is not None and product.channel in (Channel.GVLK, Channel.CSVLK):
        return None
    key = setup_key_of(session)
    check_volume_licences(session)
    return key.last_five


def _demand_setup_key(session: Session, key: str, chosen: Chosen, wish: KmsClientWish) -> None:
    """Refuse a key that is known to be no client setup key of the product: by Microsoft's tables, or because the host shows what it is."""
    of_another_kind = next((held for held in (chosen.product, *chosen.others) if held and held.partial_key == last_five(key)), None)
    if of_another_kind is not None and of_another_kind.channel is not Channel.GVLK:
        raise ActivationError(
            f"O(product_key) is the {of_another_kind.channel} key that {of_another_kind.name} holds, and no KMS client setup key. Leave"
            " O(product_key) out, or give the setup key of the product.",
            subject=session.host,
            source="options",
        )
    product, known = chosen.product, by_key(key)
    if known is None:
        return
    meant = office_setup_key(product.name, product.id) if product is not None else None
    wants_office = is_office(product.application_id) if product is not None else wish.product != THE_SYSTEM
    if known.for_office != wants_office or (known.for_office and meant is not None and meant != known):
        named = product.name if product is not None else "Windows"
        raise ActivationError(
            f"O(product_key) is the client setup key that Microsoft publishes for {known.name}, and the product is {named}."
            " Leave O(product_key) out, or name the product that the key is for by product.",
            subject=session.host,
            source="options",
        )


def _setup_key(session: Session, product: Product | None, wish: KmsClientWish) -> str:
    if product is not None and is_office(product.application_id):
        return office_key_of(session, product.name, product.id, wish.allow_unverified_key).key
    return setup_key_of(session).key


def _remover(session: Session, version: str, product: Product) -> Callable[[], None]:
    return lambda: license_changes.uninstall_key(session, version, product.id)
