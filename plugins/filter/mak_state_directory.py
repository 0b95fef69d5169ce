# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters about where what costs activations is kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..plugin_utils._errors import ActivationError
from ..plugin_utils._state import variable
from ..plugin_utils._state.directory import StateDirectory
from ..plugin_utils._state.kinds import Kind
from ..plugin_utils._state.outlasting import loss, mounted_here


def mak_state_directory(directory: str | None, alias: str | None = "", file_variable: str = "") -> dict[str, Any]:
    """See C(mak_state_directory.yml)."""
    if file_variable:
        path = variable.absolute(str(directory or "."))
        found = StateDirectory(path, "", loss(path, os.environ, mounted_here(), file_variable, file=True))
    else:
        try:
            found = StateDirectory.here(variable.given({variable.VARIABLE: directory, variable.ALIAS: alias}))
        except ActivationError as refused:
            found = replace(StateDirectory.here(""), fault=refused.message)
    files = {kind.name.lower(): str(found.place(kind)) for kind in Kind}
    return {"path": found.path, "files": files, "fault": found.fault, "refusal": found.refusal}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"mak_state_directory": mak_state_directory}
