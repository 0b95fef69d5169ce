# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting until a server has done all that its clients have asked for, those too that were killed meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

_PAUSE = 0.05
_SECONDS = 60.0


def settle(*quiet: Callable[[], bool]) -> None:
    """Wait until all of these hold, twice in a row: a connection that a client has opened may not have been accepted yet.

    Raises:
        TimeoutError: They do not within a minute.
    """
    deadline = time.monotonic() + _SECONDS
    held = 0
    while held < 2:
        if time.monotonic() > deadline:
            raise TimeoutError("there are still requests under way")
        time.sleep(_PAUSE)
        held = held + 1 if all(holds() for holds in quiet) else 0
