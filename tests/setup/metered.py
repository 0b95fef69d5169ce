# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command and says what it cost, with all that it has started, daemons of the laboratory too.

    metered.py FILE COMMAND [ARGUMENT ...]

FILE gets C({"wall": seconds, "cpu": seconds}). The exit code is the command's. What it leaves running is waited for, ten seconds
at most: a process whose parent has ended becomes a child of this one, and its time counts once it has ended (prctl(2),
PR_SET_CHILD_SUBREAPER).
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_LATE_SECONDS = 10.0


def run(command: list[str]) -> tuple[int, float, float]:
    """Run a command; returns its exit code, the seconds that it took, and those of all processors."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    started = time.monotonic()
    code = subprocess.run(command, check=False).returncode
    wall = time.monotonic() - started
    late = time.monotonic() + _LATE_SECONDS
    while time.monotonic() < late and _reaped():
        time.sleep(0.05)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return code, wall, used.ru_utime + used.ru_stime


def _reaped() -> bool:
    """Take note of every child that has ended; whether there are others."""
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        return False
    return True


if __name__ == "__main__":
    exit_code, wall_seconds, cpu_seconds = run(sys.argv[2:])
    Path(sys.argv[1]).write_text(json.dumps({"wall": round(wall_seconds, 1), "cpu": round(cpu_seconds, 1)}), encoding="utf-8")
    sys.exit(exit_code if exit_code >= 0 else 128 - exit_code)
