# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key of a KMS host and its activation: which steps bring them in order."""

from __future__ import annotations

from collections.abc import Callable

from ..._core.errors import ActivationError
from ..._core.plan import Step, StepKind
from ..._licensing.channels import Channel
from ..._licensing.product_keys import last_five
from ..._licensing.status import UNLICENSED, status_name
from ..spp import license_changes, licensing, offline_activation, version_values
from ..spp.licensing import Product
from ..spp.offline_activation import Ids
from .work import HostWork


def plan_key(work: HostWork) -> None:
    """Add the CSVLK, and the values by which monitoring finds KMS hosts.

    Raises:
        ActivationError: The key is one of another product, or would replace one by which the host serves clients.
    """
    key, state = work.wish.product_key, work.state
    if not key or work.taken_as_made:
        return
    if _key_is_due(work):
        _demand_place(work, key)
        held = state.product.partial_key if state.product else None
        step = Step(work.name, "product key", held, last_five(key), "SoftwareLicensingService.InstallProductKey", kind=StepKind.KEY)
        work.plan.add(step, lambda: _install(work, key))
    for registry_key, version in state.version_values.items():
        if version != state.version:
            step = Step(work.name, version_values.attribute(registry_key), version, state.version, "StdRegProv.SetStringValue")
            work.plan.add(step, _version_writer(work, registry_key))


def plan_activation(work: HostWork) -> None:
    """Add the activation, with Microsoft or by a confirmation ID, where the host is not licensed."""
    wish, state = work.wish, work.state
    if not wish.activate and not wish.confirmation:
        return
    after = ""
    if _key_is_due(work):
        after = wish.after_step if work.taken_as_made else "product key"
    elif not state.has_csvlk:
        held = state.product.description if state.product else "no product with a key"
        raise ActivationError(
            f"{work.name} holds no KMS host key (CSVLK) to be activated, but: {held}. Give O(product_key).", source="windows"
        )
    if state.product is not None and state.product.licensed and not after:
        return
    found = ""
    if wish.confirmation and state.product and not after:
        # Of a key that is still to be installed, Windows computes the installation ID afterwards.
        found = _ids(work, state.product).installation_id
        work.warnings += offline_activation.compare(work.name, found, wish.confirmation)
    before = status_name(state.product.status if state.product else UNLICENSED)
    step = Step(
        work.name,
        "license status",
        before,
        "licensed",
        offline_activation.DEPOSIT if wish.confirmation else "SoftwareLicensingProduct.Activate",
        after_step=after,
        # With another key comes another product, whose status Windows decides.
        decided_by_target=("before",) if after else (),
        kind=StepKind.LICENSE,
    )
    work.plan.add(step, lambda: _activate(work, found))


def wrong_key(work: HostWork) -> list[str]:
    """What of key and activation does not read as it is wanted."""
    wish, product = work.wish, work.state.product
    wrong: list[str] = []
    if wish.product_key and (product is None or product.partial_key != last_five(wish.product_key)):
        wrong.append("product key")
    if (wish.activate or wish.confirmation) and (product is None or not product.licensed):
        wrong.append(f"license status (is {licensing.spoken_status(product)})")
    return wrong


def offline_ids(work: HostWork) -> Ids | None:
    """What Microsoft has to be told to get a confirmation ID; C(None) where the host needs none, or activates on line."""
    product = work.state.product
    if work.wish.activate or product is None or not work.state.has_csvlk or product.licensed:
        return None
    return _ids(work, product)


def _ids(work: HostWork, product: Product) -> Ids:
    return offline_activation.read_ids(work.session, licensing.version_of(work.state.service), product.id, product.name)


def _key_is_due(work: HostWork) -> bool:
    """Whether the host holds another key than it should, or none that makes it a KMS host."""
    key, product = work.wish.product_key, work.state.product
    return key is not None and (not work.state.has_csvlk or product is None or product.partial_key != last_five(key))


def _demand_place(work: HostWork, key: str) -> None:
    """Refuse a key that is known to be for something else, and one that would end a host that serves."""
    last, product = last_five(key), work.state.product
    other = next((held for held in work.state.others if held.partial_key == last), None)
    if other is not None:
        raise ActivationError(
            f"the key that ends in {last} is one of {other.name}, which holds it, and kms_host installs that of Windows.",
            subject=work.name,
            source="options",
        )
    if product is not None and product.partial_key == last and product.channel is not Channel.UNKNOWN:
        raise ActivationError(
            f"O(product_key) is the {product.channel} key that {product.name} holds, and no KMS host key (CSVLK). Give the CSVLK of this"
            " Windows.",
            subject=work.name,
            source="options",
        )
    if work.state.licensed and product is not None and not work.wish.replace_key:
        raise ActivationError(
            f"{work.name} is a licensed KMS host with the key that ends in {product.partial_key}, and O(product_key) ends in {last}. To replace the"
            " key, which sets its count of clients back and spends an activation, give O(replace_key): true, for one host at a time.",
            source="options",
        )


def _install(work: HostWork, key: str) -> None:
    license_changes.install_key(work.session, work.state.version, key)
    product = work.state.product = work.read_product()
    if product is None or product.channel is not Channel.CSVLK:
        raise ActivationError(
            f"the key that ends in {last_five(key)} was installed, but it is no KMS host key (CSVLK);"
            f" the product is now {product.description if product else 'without a key'}. Give the CSVLK of this Windows.",
            subject=work.name,
            source="windows",
        )


def _version_writer(work: HostWork, registry_key: str) -> Callable[[], None]:
    return lambda: version_values.write(work.session, registry_key, work.state.version)


def _activate(work: HostWork, found: str) -> None:
    """Activate unless the product is licensed, and let the state that is read back decide.

    Args:
        work: The host.
        found: Its installation ID where it was read and compared in this task; otherwise an empty text.
    """
    product = work.state.product
    if product is None:
        raise ActivationError("no product key is installed any more.", subject=work.name, source="windows")
    if product.licensed:
        return
    if work.wish.confirmation:
        done = offline_activation.deposit(work.session, work.state.version, product, work.wish.confirmation, found or None)
        work.state.product = done.product
        # Those of an installation ID that was compared before are there already.
        work.warnings += [] if found else done.warnings
        return
    lost = license_changes.activate(work.session, work.state.version, product.id)
    work.state.product = work.read_product()
    if not work.state.licensed:
        raise offline_activation.not_licensed(work.name, work.state.product, lost)
