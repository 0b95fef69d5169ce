# Copyright (c) 2026, winops contributors
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
description: [Counts tasks that ran in the file that KILL_COUNTER names, and kills the process group when KILL_AFTER of them have ended.]
"""


class CallbackModule(CallbackBase):
    """A task has ended when the next one begins, or the run does. One that was skipped everywhere does not count: it did nothing."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "kill_after"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._ended = 0
        self._ran = False

    def v2_runner_on_ok(self, result) -> None:
        """The task ran on a host."""
        self._ran = True

    def v2_runner_on_failed(self, result, ignore_errors=False) -> None:
        """It did, and failed."""
        self._ran = True

    def v2_playbook_on_task_start(self, task, is_conditional) -> None:
        """Another task begins."""
        self._end()

    def v2_playbook_on_stats(self, stats) -> None:
        """The last task has ended."""
        self._end()

    def _end(self) -> None:
        if not self._ran:
            return
        self._ran = False
        self._ended += 1
        Path(os.environ["KILL_COUNTER"]).write_text(str(self._ended), encoding="utf-8")
        if self._ended == int(os.environ["KILL_AFTER"]):
            os.killpg(os.getpgrp(), signal.SIGKILL)
