# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts have not answered in this run, so that none of its later tasks waits for them as long again.

Each task has a process of its own, so this is kept in the run's temporary folder, which ansible-core makes at its start and removes at
its end.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

from ansible import constants

_AGAIN = 2.0
"""Seconds until the first answer of such a host. One that is on by now answers in less; what it is asked is lost on none that is off."""


class Silent:
    """The hosts that have not answered."""

    def __init__(self) -> None:
        # The configuration puts its values into the module, where a type checker does not see them.
        self._folder = Path(constants.DEFAULT_LOCAL_TMP)  # type: ignore[attr-defined]

    def seconds(self, place: str, usual: float) -> float:
        """How long the host may take until its first answer.

        Args:
            place: What tells its WinRM from others.
            usual: Seconds for one of which nothing is known.
        """
        return min(usual, _AGAIN) if self._mark(place).exists() else usual

    def note(self, place: str) -> None:
        """It has not answered."""
        # Where it can't be kept, the next task waits again.
        with contextlib.suppress(OSError):
            self._mark(place).touch(mode=0o600)

    def forget(self, place: str) -> None:
        """It has answered."""
        with contextlib.suppress(OSError):
            self._mark(place).unlink()

    def _mark(self, place: str) -> Path:
        return self._folder / f"silent-{hashlib.sha256(place.encode()).hexdigest()}"
