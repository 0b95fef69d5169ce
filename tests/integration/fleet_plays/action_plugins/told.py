# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module of the tests that needs nothing on a host: it returns what its task says."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Every argument is a return value; C(warn) is a warning."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """The arguments."""
        arguments = dict(self._task.args)
        result = {**super().run(tmp, task_vars), **arguments}
        if warning := result.pop("warn", None):
            result["warnings"] = [warning]
        return result
