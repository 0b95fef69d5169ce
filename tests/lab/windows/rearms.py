# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often the licences of one machine may still be rearmed (docs/facts/slmgr.md#rearm)."""

from __future__ import annotations

from .kms_client import ActivationFailed
from .settings import LicensingSettings

REARMS_EXCEEDED = 0xC004D307


class Rearms:
    """Counts of Windows (``left``) and of single applications and products (``others``). Methods raise ActivationFailed."""

    def __init__(self, allowed: int, settings: LicensingSettings) -> None:
        self._allowed = allowed
        self._settings = settings
        self.left = allowed
        self.others: dict[str, int] = {}
        self._pending = False

    def windows(self) -> None:
        """ReArmWindows: takes effect with the next start of Windows; nothing at all with SkipRearm."""
        if self._settings.number("SkipRearm"):
            return
        if self.left < 1:
            raise ActivationFailed(REARMS_EXCEEDED)
        self.left -= 1
        self._pending = True

    def windows_if_left(self) -> bool:
        """What sysprep /generalize does; False where no rearm is left."""
        try:
            self.windows()
        except ActivationFailed:
            return False
        return True

    def take_effect(self) -> bool:
        """Windows starts; whether a rearm was asked for."""
        pending, self._pending = self._pending, False
        return pending

    def left_of(self, kind: str) -> int:
        """RemainingAppReArmCount or RemainingSkuReArmCount, by application or activation ID. That they count apart is the lab's guess."""
        return self.others.get(kind.lower(), self._allowed)

    def only(self, kind: str) -> None:
        """ReArmApp, ReArmSku: one application or product."""
        if self.left_of(kind) < 1:
            raise ActivationFailed(REARMS_EXCEEDED)
        self.others[kind.lower()] = self.left_of(kind) - 1

    def become_copy(self, source: Rearms) -> None:
        """The counts of another machine."""
        self.left, self.others, self._pending = source.left, dict(source.others), source._pending
