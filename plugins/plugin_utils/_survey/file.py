# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a survey: one line of JSON for each host, each line whole.

While a survey runs, its rows go into C(NAME.jsonl.partial). At its end the file takes the place of C(NAME.jsonl), which so is always
the last survey that came to its end. A survey that was killed leaves the other one, and the next begins anew.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from .._core.errors import ActivationError
from .._core.files import lock, open_own, refused, sync_folder
from .._core.text import LONGEST_NAME, visible
from .._state.directory import StateDirectory
from .._state.kinds import FileKind
from .._state.lines import Lines

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_UNNAMED = "survey"


def survey_path(directory: StateDirectory, name: str) -> Path:
    """Where the survey of that name is in the state directory: C(survey.jsonl), or C(survey.NAME.jsonl) for another name.

    Raises:
        ActivationError: The name is no name of a file.
    """
    if not _NAME.fullmatch(name):
        raise ActivationError(
            f"name is '{visible(name, LONGEST_NAME)}', but has to be up to 64 letters, digits, dots, hyphens and underscores, the first a"
            " letter or digit.",
            source="options",
        )
    place = directory.place(FileKind.SURVEY)
    return place if name == _UNNAMED else place.with_name(f"{place.stem}.{name}{place.suffix}")


class SurveyFile:
    """A survey that is being written. Nobody else writes one of this name meanwhile.

    Args:
        path: Where it is to be, see C(survey_path). Its folder is there.

    Raises:
        ActivationError: The folder can't be written, there is something else by that name, or another survey of it is running.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._partial = path.with_name(f"{path.name}.partial")
        try:
            self._handle = self._locked()
            self._lines = Lines(self._partial, self._handle, anew=True, durable=False)
        except OSError as failure:
            raise refused(self._partial, "can't be written", failure) from failure

    def _locked(self) -> int:
        """The file that has the name while its lock is held: one that another survey has just finished has lost it."""
        while True:
            handle = open_own(self._partial, "file")
            try:
                if not lock(handle, 0):
                    raise ActivationError(
                        f"Another survey writes into {self._partial} at this moment. Wait until it is over, or give this one another name"
                        " (option name).",
                        source="file",
                    )
                if os.path.exists(self._partial) and os.path.samestat(os.fstat(handle), os.stat(self._partial)):
                    return handle
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)

    def write(self, line: str) -> None:
        """Add a line, given without its end.

        Raises:
            ActivationError: The disk is full, or what else stands in the way.
        """
        self._lines.append(line)

    def finish(self) -> None:
        """All rows are there."""
        try:
            os.fsync(self._handle)
            os.replace(self._partial, self.path)
            sync_folder(self.path.parent)
        except OSError as failure:
            raise refused(self.path, "can't be written", failure) from failure

    def __enter__(self) -> SurveyFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self.finish()
        finally:
            os.close(self._handle)


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a survey one after another, also of one that was killed: a line without its end was not written.

    Raises:
        ActivationError: There is no such file, or it is none of a survey.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    return
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError):
                    row = None
                if not isinstance(row, dict) or not isinstance(row.get("host"), str):
                    raise ActivationError(f"{path}: line {number} is no row of a survey. Run license_survey again.", source="file")
                yield row
    except OSError as failure:
        raise ActivationError(f"{path} can't be read: {failure.strerror}. Run license_survey first.", source="file") from failure
