# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task as actions know it, for tests that run an action without ansible-playbook."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


def task_of(args: dict[str, Any], **more: Any) -> SimpleNamespace:
    """A task with these options.

    Args:
        args: The options of the module.
        more: Attributes of the task that are not as usual, such as C(check_mode).
    """
    usual = {
        "check_mode": False,
        "diff": False,
        "async_val": 0,
        "until": None,
        "retries": None,
        "action": "x",
        "resolved_action": "x",
        "delegate_to": None,
        "environment": None,
    }
    return SimpleNamespace(args=args, **{**usual, **more})
