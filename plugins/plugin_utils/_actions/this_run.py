# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which run a task belongs to: one process of C(ansible-playbook), whatever workers it forks for its hosts."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
# proc_pid_stat(5): the process's name in brackets is the second field, and the time of its start the 22nd.
_START_TIME = 22 - 3


def this_run() -> str:
    """A text that every task of this run has in common, and no other run on any machine has; empty where the system does not tell.

    Ansible forks a worker for each task and host by C(multiprocessing), which knows the process that forked it. The number of a process
    comes again, and in containers it is nearly always the same; with the time of its start and of the machine's it is unique.
    """
    parent = multiprocessing.parent_process()
    number = os.getpid() if parent is None else parent.pid
    try:
        started = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[_START_TIME]
        return f"{_BOOT.read_text(encoding='ascii').strip()}:{number}:{started}"
    except (OSError, IndexError):
        return ""
