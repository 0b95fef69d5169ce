# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts have not answered in this run, so that none of its later tasks waits for them again.

Each task has a process of its own, so this is kept in the run's temporary folder, which ansible-core makes at its start and removes at
its end.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

from ansible import constants


class Silent:
    """The hosts that have not answered.

    Args:
        place: What tells the WinRM of a host from others.
    """

    def __init__(self, place: str) -> None:
        # The configuration puts its values into the module, where a type checker does not see them.
        folder = Path(constants.DEFAULT_LOCAL_TMP)  # type: ignore[attr-defined]
        self._mark = folder / f"silent-{hashlib.sha256(place.encode()).hexdigest()}"

    def __bool__(self) -> bool:
        """Whether the host is one of them."""
        return self._mark.exists()

    def note(self) -> None:
        """It has not answered."""
        # Where it can't be kept, the next task waits again.
        with contextlib.suppress(OSError):
            self._mark.touch(mode=0o600)

    def forget(self) -> None:
        """It has answered."""
        with contextlib.suppress(OSError):
            self._mark.unlink()
