# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints what a view has due: at once, every few seconds while no result arrives, and however the run ends. Pure."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterable

from .ends import before_the_end
from .lines import Line
from .tally import ViewSettings
from .view import View

_SECONDS = 1.0


class Output:
    """The output of a process, which may run several playbooks.

    Args:
        show: Prints a line; it may leave it in a buffer.
        settings: How much is shown.
        beside: Whether lines may be printed from a thread beside the run, and not only where something happens in it.

    Attributes:
        turn: Who calls the view holds it: events come from two threads of ansible-core, and the progress from a third one.
        over: The process is about to end, and nothing more is printed.
    """

    def __init__(self, show: Callable[[Line], None], settings: ViewSettings, *, beside: bool) -> None:
        self.turn = threading.RLock()
        self.over = False
        self._show = show
        self._settings = settings
        self._beside = beside
        self._view: View | None = None
        if beside:
            threading.Thread(target=self._tick, name="progress", daemon=True).start()
        before_the_end(self._end)

    @property
    def view(self) -> View:
        """That of the playbook under way. For a single module it begins with the first event, because there is no playbook."""
        if self._view is None:
            self._view = View(self._settings)
        return self._view

    def due(self, lines: Iterable[Line]) -> None:
        """Print lines, and how far the run is, where that is not told from beside it."""
        self._print([*lines, *(self.view.progress() if not self._beside else ())])

    def last(self, lines: Iterable[Line]) -> None:
        """Print the last lines of a playbook."""
        self._view = None
        self._print(list(lines))

    def _tick(self) -> None:
        pause = threading.Event()
        while not self.over and not pause.wait(_SECONDS):
            with self.turn:
                if self._view is not None:
                    self._print(self._view.progress())

    def _end(self, why: str) -> None:
        """Print what is known, if there was no recap."""
        # Who has the turn may wait for the output, which may be what a signal interrupted.
        mine = self.turn.acquire(timeout=1)
        view, self._view, self.over = self._view, None, True
        lines = view.interrupted(why) if view is not None else []
        try:
            self._print(lines)
        except RuntimeError:
            # Python forbids to enter a buffer that the signal interrupted.
            os.write(sys.stdout.fileno(), "".join(f"{line.text}\n" for line in lines).encode("utf-8", "backslashreplace"))
        finally:
            if mine:
                self.turn.release()

    def _print(self, lines: list[Line]) -> None:
        for line in lines:
            self._show(line)
        if lines:
            # Otherwise the system decides when lines come out, which in the log of a job is at the end.
            with contextlib.suppress(OSError):
                sys.stdout.flush()
