# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever ends the process, what is known is told before. Pure."""

from __future__ import annotations

import atexit
import functools
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

_SIGNALS = {signal.SIGTERM: "Terminated", signal.SIGINT: "Interrupted"}
_EXIT = "The run ended without a recap"


def before_the_end(call: Callable[[str], None]) -> None:
    """Have a function called before a signal ends the process, and when it exits.

    Who handled the signal before does so afterwards: ansible-core ends its workers, and then itself. A process that is forked from this one
    inherits all of it, and does not call the function. A signal that is ignored, as a shell does for a job in the background, stays so.

    Args:
        call: It takes why the process ends. It is called each time.
    """
    process = os.getpid()

    def here(why: str) -> None:
        if os.getpid() == process:
            call(why)

    atexit.register(here, _EXIT)
    if threading.current_thread() is threading.main_thread():
        for number, why in _SIGNALS.items():
            before = signal.getsignal(number)
            if before is not signal.SIG_IGN:
                signal.signal(number, functools.partial(_handle, here, why, before))


def _handle(call: Callable[[str], None], why: str, before: Any, number: int, frame: FrameType | None) -> None:
    call(why)
    if callable(before):
        before(number, frame)
    else:
        signal.signal(number, signal.SIG_DFL if before is None else before)
        os.kill(os.getpid(), number)
