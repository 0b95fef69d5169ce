# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends runs of Ansible in the middle, with everything that they have started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and theirs."""
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except (FileNotFoundError, ProcessLookupError):
        return []  # it has ended meanwhile
    return [found for child in children for found in (*descendants(child), child)]


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a run and wait for its end. A worker of Ansible has a session of its own, and would go on without its parent."""
    for pid in (*descendants(process.pid), process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def lines(log: Path) -> int:
    """How many lines a log has."""
    return log.read_bytes().count(b"\n") if log.exists() else 0


def kill_at_line(process: subprocess.Popen[bytes], log: Path, number: int) -> bool:
    """Kill a run as soon as a log has that many lines; whether it came to that before the run ended by itself."""
    while process.poll() is None:
        if lines(log) >= number:
            kill(process)
            break
        time.sleep(0.005)
    return process.returncode == -signal.SIGKILL
