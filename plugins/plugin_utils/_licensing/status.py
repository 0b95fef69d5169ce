# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""License states and when they end. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

UNLICENSED = 0
LICENSED = 1

# SoftwareLicensingProduct.LicenseStatus.
_NAMES = {
    UNLICENSED: "unlicensed",
    LICENSED: "licensed",
    2: "oob_grace",
    3: "oot_grace",
    4: "non_genuine_grace",
    5: "notification",
    6: "extended_grace",
}
_STATES_THAT_END = frozenset({LICENSED, 2, 3, 4, 6})
_MINUTES_OF_A_DAY = 1440


def status_name(status: int | None) -> str:
    """The name of a LicenseStatus; C(unknown) for C(None) and for a number that no document has."""
    return _NAMES.get(status, "unknown") if status is not None else "unknown"


@dataclass(frozen=True, slots=True)
class Expiry:
    """When a license state ends.

    Attributes:
        permanent: Licensed for good.
        minutes: What is left, in minutes; C(None) where nothing runs out.
        days: The same in days, every begun day counted, as slmgr.vbs /xpr does.
        at: The moment at which the state ends, in the time zone of the C(now) it was computed with.
    """

    permanent: bool
    minutes: int | None
    days: int | None
    at: datetime | None


def expiry(status: int, grace_period_remaining: int | None, now: datetime) -> Expiry:
    """When the state ends, by slmgr.vbs /xpr's rule.

    Args:
        status: LicenseStatus.
        grace_period_remaining: GracePeriodRemaining, in minutes; for a volume client the time within which it has to
            activate again.
        now: The time at which the value was read.
    """
    minutes = grace_period_remaining or 0
    if status == LICENSED and minutes == 0:
        return Expiry(permanent=True, minutes=None, days=None, at=None)
    if status not in _STATES_THAT_END:
        return Expiry(permanent=False, minutes=None, days=None, at=None)
    return Expiry(
        permanent=False,
        minutes=minutes,
        days=-(-minutes // _MINUTES_OF_A_DAY),
        at=now + timedelta(minutes=minutes),
    )
