# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Licences of a machine: which key is installed for which SKU, and what state that gives (docs/facts/licensing.md#license-status)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .data import LabKey, Product

UNLICENSED = 0
LICENSED = 1
OOB_GRACE = 2
NOTIFICATION = 5

KMS_VALIDITY = timedelta(days=180)

ACTIVATED = 0x4004F040
GRACE_EXPIRED = 0xC004F009
NO_KEY = 0xC004F014


@dataclass(frozen=True)
class Status:
    """LicenseStatus, LicenseStatusReason and GracePeriodRemaining (minutes)."""

    state: int
    reason: int
    minutes: int


@dataclass
class Licence:
    """One SKU on one machine. ``until`` None with ``activated`` is for good."""

    product: Product
    key: LabKey | None = None
    activated: bool = False
    until: datetime | None = None
    grace_until: datetime | None = None
    reason: int = GRACE_EXPIRED
    activation_type: int = 0
    activation_object: dict[str, str] = field(default_factory=dict)
    """ADActivationObjectName and its siblings, where Active Directory activated it."""

    def install(self, key: LabKey, grace_until: datetime | None) -> None:
        """A key, not activated yet."""
        self.key, self.activated, self.until, self.grace_until = key, False, None, grace_until
        self.reason, self.activation_type, self.activation_object = GRACE_EXPIRED, 0, {}

    def remove(self) -> None:
        """No key any more."""
        self.key, self.activated, self.until, self.grace_until, self.activation_type = None, False, None, None, 0
        self.activation_object = {}

    def activate(self, until: datetime | None = None, activation_type: int = 0) -> None:
        """Licensed, for good or until then."""
        self.activated, self.until, self.reason, self.activation_type = True, until, ACTIVATED, activation_type

    def status(self, now: datetime) -> Status:
        """The state at a time."""
        if self.key is None:
            return Status(UNLICENSED, NO_KEY, 0)
        if self.activated and self.until is None:
            return Status(LICENSED, ACTIVATED, 0)
        if self.activated and self.until is not None and self.until > now:
            return Status(LICENSED, ACTIVATED, _minutes(self.until - now))
        if self.grace_until is not None and self.grace_until > now:
            return Status(OOB_GRACE, 0, _minutes(self.grace_until - now))
        return Status(NOTIFICATION, GRACE_EXPIRED if self.activated else self.reason, 0)


def _minutes(span: timedelta) -> int:
    return math.ceil(span.total_seconds() / 60)
