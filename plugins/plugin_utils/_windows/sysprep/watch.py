# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a sysprep that was started: only the registry tells, and, where the computer goes down, that it no longer answers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ..._core.codes.code import CodeKind, http
from ..._core.errors import ActivationError
from ..._wsman.fault import WsmanFault
from ..._wsman.session import Session
from ..platform import programs
from ..platform.computer import read_operating_system
from .image_state import ImageState, read_image_state

PROGRAM = "sysprep.exe"

# Seconds before the second look: what sysprep stops at it tells at once. As long for a computer that is about to go down.
_FIRST_PAUSE = 0.5
# One connection that fails is not yet a computer that is down.
_MISSED = 3


class Ending(StrEnum):
    """How a run ended."""

    NONE = "none"
    QUIT = "quit"
    NO_LONGER_ANSWERS = "no_longer_answers"
    RESTARTED = "restarted"
    STILL_ANSWERS = "still_answers"


@dataclass(slots=True)
class SysprepWatch:
    """Looks at the computer until the run has ended.

    Attributes:
        session: The host.
        wanted: The image state that sysprep is to reach.
        finish: C(quit), C(shutdown) or C(reboot).
        timeout: Seconds until it is given up.
        poll: Seconds between two looks.
        leaves_domain: The account may be one of the domain that the computer leaves by this.
        booted: When the computer was started, before sysprep was.
        image: The state that was seen last.
        seconds: How long it was checked.
        lost: The last error of a look that failed; C(None) where it did not.
    """

    session: Session
    wanted: str
    finish: str
    timeout: float
    poll: float
    leaves_domain: bool
    booted: datetime | None
    image: ImageState
    seconds: float = 0.0
    lost: ActivationError | None = None
    ended: bool = False

    def until_end(self) -> Ending | None:
        """How it ended; C(None) where it did not in time, or where sysprep ended without reaching its state (C(ended))."""
        began = time.monotonic()
        missed = refused = 0
        pause = _FIRST_PAUSE
        while True:
            ending = self._look()
            missed = missed + 1 if self.lost is not None and not _is_answer(self.lost) else 0
            if missed == _MISSED and self.finish != "quit":
                return Ending.NO_LONGER_ANSWERS
            if ending is not None or self.ended:
                return ending
            self.seconds = time.monotonic() - began
            refused = refused + 1 if self.lost is not None and self.lost.code == http(401) else 0
            if refused == _MISSED and self.leaves_domain and self.finish == "quit":
                # Nothing will let this account in again.
                return None
            if self.seconds >= self.timeout:
                return Ending.STILL_ANSWERS if self.lost is None and self.image.state == self.wanted else None
            time.sleep(min(self.poll, _FIRST_PAUSE if self.image.state == self.wanted else pause))
            pause *= 2

    def _look(self) -> Ending | None:
        """Read the state, and what else tells that it is over."""
        try:
            if self.lost is not None:
                self.session.reconnect()
            self.image = read_image_state(self.session)
            if self.finish == "quit" and self.image.state == self.wanted and not programs.running(self.session, PROGRAM):
                self.lost = None
                return Ending.QUIT
            if self.finish == "reboot" and read_operating_system(self.session).last_boot != self.booted:
                self.lost = None
                return Ending.RESTARTED
            if self.image.state != self.wanted and not programs.running(self.session, PROGRAM):
                # It may have written its state between the two looks.
                self.image = read_image_state(self.session)
                self.ended = self.image.state != self.wanted
            self.lost = None
        except ActivationError as failure:
            # Whatever a computer on its way down answers tells nothing of the image.
            self.lost = failure
        return None


def _is_answer(failure: ActivationError) -> bool:
    """Whether somebody answered, although not what was asked: a computer that no longer lets an account in is not down."""
    return isinstance(failure, WsmanFault) or (failure.code is not None and failure.code.kind is CodeKind.HTTP)
