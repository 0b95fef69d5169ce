# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls that change keys and licenses. Done twice they do harm, so one whose answer was lost is judged by what it left.

The calls and their order are those of slmgr.vbs, which is itself only a client of these classes.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping

from ..._core.errors import ActivationError
from ..._licensing.product_keys import last_five
from ..._wsman.cim import Value
from ..._wsman.session import Session, UnknownOutcome
from ..platform.classes import SOFTWARE_LICENSING_PRODUCT
from ..platform.versions import parse_version
from .licensing import Product, call_method, call_service, read_products

# For the provider that goes on when WinRM has given it up, which it does after 60 seconds.
_AT_WORK_SECONDS = 60.0
_AT_WORK_PAUSE = 3.0


def install_key(session: Session, version: str, product_key: str) -> None:
    """Install a product key, as C(slmgr /ipk) does. Where the answer was lost, the key that Windows holds decides.

    Raises:
        WsmanFault: Windows does not take the key. Its message never holds the key.
        UnknownOutcome: The answer was lost, and Windows does not hold the key.
    """
    try:
        call_service(session, version, "InstallProductKey", {"ProductKey": product_key})
        refresh(session, version)
    except UnknownOutcome as lost:
        if not _comes_about(session, version, lost, lambda held: any(product.partial_key == last_five(product_key) for product in held)):
            raise


def uninstall_key(session: Session, version: str, product_id: str) -> None:
    """Remove the key of a product, as C(slmgr /upk) does. Where the answer was lost, what Windows holds decides.

    Raises:
        UnknownOutcome: The answer was lost, and Windows still holds the key.
    """
    try:
        call_method(session, SOFTWARE_LICENSING_PRODUCT, {"ID": product_id}, "UninstallProductKey")
        refresh(session, version)
    except UnknownOutcome as lost:
        if not _comes_about(session, version, lost, lambda held: all(product.id != product_id for product in held)):
            raise


def activate(session: Session, version: str, product_id: str) -> str:
    """One activation attempt, as C(slmgr /ato) does. The caller reads the status afterwards: it alone counts.

    Returns:
        Where the answer was lost, the sentence that says so; an empty text otherwise. Trying again could spend a second
        activation of the key, so it is only looked at what comes of the attempt.
    """
    return _attempt(session, version, product_id, "Activate")


def deposit_confirmation(session: Session, version: str, product_id: str, installation_id: str, confirmation_id: str) -> str:
    """Activate with a confirmation ID, as C(slmgr /atp) does. The caller reads the status afterwards.

    Args:
        session: The host.
        version: The service's version, which is its key.
        product_id: The product.
        installation_id: Its installation ID, as Windows gives it now.
        confirmation_id: What Microsoft gave for it, digits only.

    Returns:
        What C(activate) returns.
    """
    given = {"InstallationId": installation_id, "ConfirmationId": confirmation_id}
    return _attempt(session, version, product_id, "DepositOfflineConfirmationId", given)


def _attempt(session: Session, version: str, product_id: str, method: str, arguments: Mapping[str, Value] | None = None) -> str:
    try:
        call_method(session, SOFTWARE_LICENSING_PRODUCT, {"ID": product_id}, method, arguments)
        refresh(session, version)
    except UnknownOutcome as lost:
        _comes_about(session, version, lost, lambda held: any(product.id == product_id and product.licensed for product in held))
        return lost.message
    return ""


def settles(session: Session, version: str, product_id: str, seconds: float) -> bool:
    """Whether an earlier attempt whose end nobody knows has licensed a product, or does so within some time.

    Args:
        session: The host.
        version: The service's version, which is its key.
        product_id: The product.
        seconds: How long to wait for it.
    """
    return _within(session, version, seconds, lambda held: any(product.id == product_id and product.licensed for product in held))


def _comes_about(session: Session, version: str, lost: UnknownOutcome, reached: Callable[[list[Product]], bool]) -> bool:
    """Whether what a call without an answer was to do is done; for one that is still at work this is asked for a while."""
    return _within(session, version, _AT_WORK_SECONDS if lost.at_work else 0.0, reached)


def _within(session: Session, version: str, seconds: float, reached: Callable[[list[Product]], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        # A lost call is what the user has to hear of, so that a failure here is passed over: the state counts.
        with contextlib.suppress(ActivationError):
            refresh(session, version)
        if reached(read_products(session, parse_version(version))):
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(min(_AT_WORK_PAUSE, seconds))


def refresh(session: Session, version: str) -> None:
    """Bring the status up to date, which does not happen by itself at once."""
    call_service(session, version, "RefreshLicenseStatus", repeatable=True)
