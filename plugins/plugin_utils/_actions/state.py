# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Base of the modules whose option C(state_directory) names the folder that keeps what outlives a run."""

from __future__ import annotations

import typing as t

from .._state import variable
from .._state.directory import StateDirectory
from .base import VolumeActivationAction


class StateAction(VolumeActivationAction):
    """Base of the modules that keep state."""

    VARIABLES: t.ClassVar = {"state_directory": variable.VARIABLE}

    def state_directory(self, options: t.Mapping[str, t.Any]) -> StateDirectory:
        """The folder that the task names, or else its variable or the alias of that."""
        folder = options["state_directory"] or ""
        if not self._task.args.get("state_directory"):
            alias = self._templar.template(self._seen.get(variable.ALIAS))
            folder = variable.given({variable.VARIABLE: folder, variable.ALIAS: alias})
        return StateDirectory.here(folder)
