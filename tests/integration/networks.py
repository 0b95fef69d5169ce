# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces, so that labs on the same addresses are not in each other's way."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


def leave_network() -> bool:
    """Into a new network namespace; whether that worked."""
    left = bool(_LIBC.unshare(_CLONE_NEWNET) == 0)
    if left:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    return left


@contextmanager
def own_network() -> Iterator[None]:
    """A loopback beside the one of `running_lab`, for a lab of another kind on the same addresses."""
    with open("/proc/thread-self/ns/net", encoding="ascii") as before:
        left = leave_network()
        try:
            yield
        finally:
            if left and _LIBC.setns(before.fileno(), _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "the network namespace of before can't be entered again")
