# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the numbers of a KMS host or client mean, and what came of an activation.

Numbers: Microsoft, "Plan for Key Management Services activation". Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .._core.address import PORTS
from .._core.codes.meaning import sentence
from .._core.errors import ActivationError
from .status import LICENSED, status_name

DEFAULT_PORT = 1688
CLIENT_THRESHOLD = 25
SERVER_THRESHOLD = 5
OFFICE_THRESHOLD = 5
INTERVAL_MINUTES = range(15, 43201)
DEFAULT_ACTIVATION_INTERVAL = 120
DEFAULT_RENEWAL_INTERVAL = 10080

WINDOWS = "55c92734-d682-4d71-983e-d6ec3f16059f"
OFFICE_2010 = "59a52881-a989-479d-af46-f275c6370663"
OFFICE = "0ff1ce15-a989-479d-af46-f275c6370663"

NOT_ENOUGH_COUNT = 0xC004F038
_NO_COUNT = 0xFFFFFFFF


def is_office(application_id: str | None) -> bool:
    """Whether a product belongs to Office (2010, or 2013 and later), by its ApplicationID."""
    return (application_id or "").lower() in (OFFICE_2010, OFFICE)


def threshold(application_id: str | None, *, server: bool, required_client_count: int | None = None) -> int:
    """How many clients a KMS host must have counted before it activates a product.

    Args:
        application_id: The product's ApplicationID.
        server: Whether the product is a Windows Server.
        required_client_count: RequiredClientCount of the product, which decides where Windows gives it.
    """
    if required_client_count and required_client_count != _NO_COUNT:
        return required_client_count
    if is_office(application_id):
        return OFFICE_THRESHOLD
    return SERVER_THRESHOLD if server else CLIENT_THRESHOLD


def effective_port(port: int | None) -> int:
    """The port that Windows uses: a KMS port that was never set reads as 0 and means 1688."""
    return port or DEFAULT_PORT


def current_count(count: int | None) -> int | None:
    """KeyManagementServiceCurrentCount, or C(None) where it is -1: no KMS host, or nobody asked it yet."""
    return None if count is None or count & _NO_COUNT == _NO_COUNT else count


def checked_settings(settings: Mapping[str, object]) -> None:
    """Refuse numbers that Windows would refuse, before anything is changed.

    Args:
        settings: C(listening_port), C(kms_port) and the two intervals by name; other names are not checked.

    Raises:
        ActivationError: A number is out of its range.
    """
    for name, allowed in (
        ("listening_port", PORTS),
        ("kms_port", PORTS),
        ("activation_interval", INTERVAL_MINUTES),
        ("renewal_interval", INTERVAL_MINUTES),
    ):
        value = settings.get(name)
        if value is not None and value not in allowed:
            raise ActivationError(f"O({name}) is {value}, but has to be from {allowed.start} to {allowed.stop - 1}.", source="options")


class ActivationState(StrEnum):
    """What came of an activation."""

    LICENSED = "licensed"
    COUNTED = "counted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ActivationOutcome:
    """What came of an activation.

    Attributes:
        state: C(licensed); C(counted) where the KMS host took the request into its count but lacks further clients; C(failed).
        licensed: Whether the product is licensed now. A license outlives a failed renewal for up to 180 days.
        code: The code that Windows gave; C(None) where it gave none.
        sentence: What this means, for people.
    """

    state: ActivationState
    licensed: bool
    code: int | None
    sentence: str


def judge_activation(license_status: int, *, raised: int | None = None, reason: int | None = None) -> ActivationOutcome:
    """What came of an activation, from the state that was read back after it.

    As with slmgr.vbs the state decides where the call itself raised nothing.

    Args:
        license_status: LicenseStatus, read after the call.
        raised: The code that the call failed with, if it did.
        reason: LicenseStatusReason, read after the call.
    """
    licensed = license_status == LICENSED
    code = _unsigned(raised)
    if code is None and licensed:
        return ActivationOutcome(ActivationState.LICENSED, True, None, "The product is licensed.")
    if code is None:
        code = _unsigned(reason)
    kept = " The license that the product already has stays valid until it expires." if licensed else ""
    if code is None:
        said = f"The product is not licensed but {status_name(license_status)}, and Windows gave no reason."
        return ActivationOutcome(ActivationState.FAILED, licensed, None, said)
    if code == NOT_ENOUGH_COUNT:
        return ActivationOutcome(ActivationState.COUNTED, licensed, code, sentence(code) + kept)
    return ActivationOutcome(ActivationState.FAILED, licensed, code, sentence(code) + kept)


def _unsigned(code: int | None) -> int | None:
    """The code as an unsigned number; C(None) for none and for success."""
    return (code & 0xFFFFFFFF) or None if code is not None else None
