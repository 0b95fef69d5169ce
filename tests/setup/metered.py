# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command and says what it cost, with all that it has started, daemons of the laboratory too.

    metered.py FILE COMMAND [ARGUMENT ...]

FILE gets C({"wall": seconds, "cpu": seconds, "yardstick": seconds}). The exit code is the command's. What it leaves running is waited for, ten seconds
at most: a process whose parent has ended becomes a child of this one, and its time counts once it has ended (prctl(2),
PR_SET_CHILD_SUBREAPER).
"""

from __future__ import annotations

import ctypes
import dataclasses
import json
import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import ledger

_PR_SET_CHILD_SUBREAPER = 36
_LATE_SECONDS = 10.0
_YARDSTICK_SECONDS = 10.0


def run(command: list[str]) -> tuple[int, ledger.Cost]:
    """Run a command; returns its exit code, and what it cost."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    yardsticks: list[float] = []
    ended = threading.Event()
    beside = threading.Thread(target=_measure, args=(yardsticks, ended))
    beside.start()
    started = time.monotonic()
    code = subprocess.run(command, check=False).returncode
    wall = time.monotonic() - started
    ended.set()
    beside.join()
    late = time.monotonic() + _LATE_SECONDS
    while time.monotonic() < late and _reaped():
        time.sleep(0.05)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return code, ledger.Cost(round(wall, 1), round(used.ru_utime + used.ru_stime, 1), sum(yardsticks) / len(yardsticks))


def _measure(yardsticks: list[float], ended: threading.Event) -> None:
    """Take the yardstick at once, and every few seconds until the command has ended."""
    yardsticks.append(ledger.piece_of_work())
    while not ended.wait(_YARDSTICK_SECONDS):
        yardsticks.append(ledger.piece_of_work())


def _reaped() -> bool:
    """Take note of every child that has ended; whether there are others."""
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        return False
    return True


if __name__ == "__main__":
    exit_code, cost = run(sys.argv[2:])
    Path(sys.argv[1]).write_text(json.dumps(dataclasses.asdict(cost)), encoding="utf-8")
    sys.exit(exit_code if exit_code >= 0 else 128 - exit_code)
