# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills the run and all its workers after a number of tasks, as a power cut would."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: kill_after
type: aggregate
short_description: Kills the run after a number of tasks
description: [Counts tasks in the file that KILL_COUNTER names, and kills the process group when KILL_AFTER of them have ended.]
"""


class CallbackModule(CallbackBase):
    """A task has ended when the next one begins, or the run does."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "kill_after"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._begun = 0

    def v2_playbook_on_task_start(self, task, is_conditional) -> None:
        """Another task begins."""
        self._ended(self._begun)
        self._begun += 1

    def v2_playbook_on_stats(self, stats) -> None:
        """The last task has ended."""
        self._ended(self._begun)

    def _ended(self, tasks: int) -> None:
        Path(os.environ["KILL_COUNTER"]).write_text(str(tasks), encoding="utf-8")
        if tasks and tasks == int(os.environ["KILL_AFTER"]):
            os.killpg(os.getpgrp(), signal.SIGKILL)
