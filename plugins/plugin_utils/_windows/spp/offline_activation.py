# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Activation without Internet: the installation ID that Windows computes goes out, a confirmation ID from Microsoft comes in.

The calls are those of C(slmgr /dti) and C(slmgr /atp). A confirmation ID is for one installation ID, which changes with the key
and with the hardware, so the two are compared before anything is called.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..._core.codes.code import hresult
from ..._core.codes.meaning import name_of
from ..._core.errors import ActivationError
from ..._licensing.offline_ids import confirmation_digits, confirmation_warnings, grouped, installation_digits
from ..._wsman.session import Session
from ..platform import told
from ..platform.versions import WindowsVersion, parse_version
from . import license_changes, licensing
from .licensing import PRODUCT_COLUMNS, Product

DEPOSIT = "SoftwareLicensingProduct.DepositOfflineConfirmationId"
"""The call, as a plan names it."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A confirmation ID, and what is known of the installation ID that Microsoft gave it for.

    Attributes:
        confirmation_id: Digits only; empty in check mode where it is still to come.
        installation_id: Digits only; empty where it is not known, so that nothing can be compared.
        exact: Whether the computer has to have that installation ID still. Otherwise the confirmation ID is tried all the same,
            and Windows decides: it may forgive a small change of hardware, never another key.
    """

    confirmation_id: str
    installation_id: str = ""
    exact: bool = True

    @classmethod
    def of(cls, confirmation_id: str, installation_id: str | None = None, exact: bool = True) -> Confirmation:
        """From what a user gave, however the groups were parted.

        Raises:
            ActivationError: One of them is no such ID. The message repeats neither.
        """
        return cls(confirmation_digits(confirmation_id), installation_digits(installation_id) if installation_id else "", exact)


@dataclass(frozen=True, slots=True)
class Ids:
    """What a confirmation ID is for.

    Attributes:
        installation_id: Digits only.
        extended_pid: The extended product ID of the product's key, which tells Microsoft the key without naming it.
    """

    installation_id: str
    extended_pid: str


@dataclass(frozen=True, slots=True)
class Deposited:
    """What came of a confirmation ID.

    Attributes:
        product: The product as it was read afterwards, licensed.
        warnings: What the user should know although it succeeded.
    """

    product: Product
    warnings: list[str] = field(default_factory=list)


def read_ids(session: Session, version: WindowsVersion, product_id: str, shown: str) -> Ids:
    """What Microsoft has to be told of a product. Windows computes the installation ID from key and hardware when it is asked.

    Args:
        session: The host.
        version: Its version of Windows.
        product_id: The product's activation ID.
        shown: The product's name, for the message.

    Raises:
        ActivationError: Windows gives none, because the product holds no key, or something else.
    """
    condition, columns = f"ID='{product_id}'", (*PRODUCT_COLUMNS, "OfflineInstallationId", "ProductKeyID")
    products = licensing.read_products(session, version, columns, condition)
    row = products[0].row if products else {"OfflineInstallationId": None, "ProductKeyID": None}
    if not row["OfflineInstallationId"]:
        raise ActivationError(
            f"Windows gives no installation ID for {shown}; install its key again.", subject=session.host, source="windows"
        )
    return Ids(told.installation_id(session.host, row["OfflineInstallationId"]), told.extended_pid(session.host, row["ProductKeyID"]))


def read_installation_id(session: Session, version: WindowsVersion, product_id: str, shown: str) -> str:
    """The installation ID alone, as C(read_ids) reads it."""
    return read_ids(session, version, product_id, shown).installation_id


def compare(host: str, found: str, confirmation: Confirmation) -> list[str]:
    """See that a confirmation ID is for this computer, before it is tried.

    Args:
        host: The computer's name, for messages.
        found: The installation ID that it has.
        confirmation: What is to be tried.

    Returns:
        Warnings.

    Raises:
        ActivationError: It is for another installation ID, and may not be.
    """
    warnings = confirmation_warnings(host, confirmation.confirmation_id) if confirmation.confirmation_id else []
    expected = confirmation.installation_id
    if not expected or expected == found:
        return warnings
    if confirmation.exact:
        raise ActivationError(
            f"{host} has the installation ID {grouped(found)}, but the confirmation ID is for {grouped(expected)}: its key or its hardware"
            " has changed since, or the two belong to another computer. Get a confirmation ID for the new one, or set"
            " O(exact_installation_id): false to try the old one all the same.",
            source="windows",
        )
    return [
        *warnings,
        f"{host} has another installation ID than the one that the confirmation ID is for, so Windows may not take it.",
    ]


def deposit(
    session: Session, service_version: str, product: Product, confirmation: Confirmation, installation_id: str | None = None
) -> Deposited:
    """Activate a product with a confirmation ID, unless it is licensed already, and let the state that is read back decide.

    One attempt is made. Where its answer was lost, the state is read again and nothing is repeated.

    Args:
        session: The host.
        service_version: The licensing service's version, which is its key.
        product: The product, with its key.
        confirmation: What is to be tried.
        installation_id: The computer's own, where it was read in this task.

    Raises:
        ActivationError: The confirmation ID is for another installation ID, or the product is not licensed afterwards.
        WsmanFault: Windows does not take it, such as with 0xC004F02C.
    """
    version = parse_version(service_version)
    found = installation_id or read_installation_id(session, version, product.id, product.name)
    if product.licensed:
        return Deposited(product)
    warnings = compare(session.host, found, confirmation)
    lost = license_changes.deposit_confirmation(session, service_version, product.id, found, confirmation.confirmation_id)
    after = read_product(session, version, product.id)
    if after is None or not after.licensed:
        raise not_licensed(session.host, after, lost)
    return Deposited(after, warnings)


def read_product(session: Session, version: WindowsVersion, product_id: str) -> Product | None:
    """One product as it is now; C(None) where it holds no key any more."""
    return next((product for product in licensing.read_products(session, version) if product.id.lower() == product_id.lower()), None)


def not_licensed(host: str, product: Product | None, lost: str) -> ActivationError:
    """The error where an activation succeeded by its call, or its answer was lost, and the state that was read says otherwise.

    Args:
        host: The host.
        product: The product as it was read afterwards.
        lost: The sentence about the lost answer, or an empty text.
    """
    reason = product.status_reason if product else 0
    return ActivationError(
        f"after the activation the product is {licensing.spoken_status(product)}."
        f" {lost or 'A second run reads the state before it does anything.'}",
        subject=host,
        code=hresult(reason) if reason else None,
        name=name_of(reason),
        source="windows",
    )
