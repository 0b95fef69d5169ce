# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine that restarts or shuts down by itself, because a call over WMI said so."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Power:
    """Takes a machine away and brings it back.

    Args:
        stop: Stops the machine.
        start: Starts it.
        away: How many seconds a restart takes.
        listener: Told whether the machine is there, whenever that has changed.
    """

    def __init__(self, stop: Callable[[], None], start: Callable[[], None], away: float, listener: Callable[[bool], None]) -> None:
        self._stop = stop
        self._start = start
        self._away = away
        self._listener = listener
        self._timer: threading.Timer | None = None

    def restart_soon(self, comes_back: bool) -> None:
        """The call is answered first; then the machine is away, and comes back after a while unless it was shut down."""
        self.cancel()
        self._after(0.1, lambda: self._go_down(comes_back))

    def cancel(self) -> None:
        """Nothing of that comes any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        self._timer = threading.Timer(seconds, act)
        self._timer.daemon = True
        self._timer.start()

    def _go_down(self, comes_back: bool) -> None:
        self._stop()
        self._listener(False)
        if comes_back:
            self._after(self._away, self._come_up)

    def _come_up(self) -> None:
        self._start()
        self._listener(True)
