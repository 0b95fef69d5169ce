# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the list and the export are, and whether they outlast the run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..._state import variable
from ..._state.directory import StateDirectory
from ..._state.kinds import FileKind
from ..._state.outlasting import loss, mounted_here


@dataclass(frozen=True, slots=True)
class FilePlace:
    """A file that a run reads and writes.

    Attributes:
        path: The file, as the user gave it.
        directory: The folder that is judged; the state directory where the user gave no file.
    """

    path: str
    directory: StateDirectory


@dataclass(frozen=True, slots=True)
class Places:
    """The files of a run.

    Attributes:
        list: The full list, which stays.
        export: The file that leaves and comes back.
        answered: Whether the export is to be merged: the user names it, or it is there.
        state_directory: The state directory where one of the files lies in it, so that it has to be there; empty where none does.
    """

    list: FilePlace
    export: FilePlace
    answered: bool
    state_directory: str

    def as_result(self) -> dict[str, Any]:
        """As tasks and later steps of the run take it."""
        return {
            "list": self.list.path,
            "export": self.export.path,
            "answered": self.answered,
            "state_directory": self.state_directory,
            "list_refusal": self.list.directory.refusal,
            "export_refusal": self.export.directory.refusal,
            "export_fault": self.export.directory.fault,
        }


def places_here(list_path: str, export_path: str, directory: str, alias: str) -> Places:
    """Judge them on this machine.

    Args:
        list_path: What the user names as the full list; empty for the one in the state directory.
        export_path: The same of the export.
        directory: What the user names as the state directory; empty for the default.
        alias: The same by the alias of its variable.
    """
    state = StateDirectory.of_variables({variable.VARIABLE: directory, variable.ALIAS: alias})
    full = _place(list_path, "mak_proxy_list", FileKind.COMPUTER_LIST, state)
    export = _place(export_path, "mak_proxy_export", FileKind.MAK_PROXY_EXPORT, state)
    inside = state.path in (str(Path(place.path).parent) for place in (full, export))
    there = bool(export_path) or Path(export.path).expanduser().is_file()
    return Places(full, export, there, state.path if inside else "")


def _place(given: str, named_by: str, kind: FileKind, state: StateDirectory) -> FilePlace:
    if not given:
        return FilePlace(str(state.place(kind)), state)
    folder = variable.absolute(os.path.dirname(given) or ".")
    return FilePlace(given, StateDirectory(folder, "", loss(folder, os.environ, mounted_here(), named_by, file=True)))
