# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the time of a function grows with the length of its input and not with the square of it.

What is compared is the processor time of this process at two lengths, the best of three each. Four times the length takes four times
the time where it is linear, and sixteen times where it is not, which a machine with other things to do does not blur; what is over in
no time at all is taken for linear, because the lengths are such that the square of them is not.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError

FACTOR = 8.0
AT_ONCE = 0.04
"""Seconds."""


def seconds(work: Callable[[Any], object], given: Any) -> float:
    """The processor time of one call, the best of three; a refusal is an answer as well."""
    return min(once(work, given) for _time in range(3))


def once(work: Callable[[Any], object], given: Any) -> float:
    """The processor time of one call, without that for collecting garbage, which what earlier tests have left in memory decides about."""
    gc.disable()
    try:
        begun = time.process_time()
        with suppress(ActivationError):
            work(given)
        return time.process_time() - begun
    finally:
        gc.enable()


def is_linear(work: Callable[[Any], object], made: Callable[[int], Any], length: int) -> bool:
    """Whether C(work) takes no more than C(FACTOR) times as long for twice the length as for half of it."""
    # More than one look, because one may have been taken while the machine had other things to do.
    return any(_is_linear(work, made, length) for _look in range(4))


def _is_linear(work: Callable[[Any], object], made: Callable[[int], Any], length: int) -> bool:
    longest = seconds(work, made(2 * length))
    return longest <= AT_ONCE or longest <= FACTOR * seconds(work, made(length // 2))
