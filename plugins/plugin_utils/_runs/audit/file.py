# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of the report. It is made anew at each run, also in check mode: it tells of the run, and is nothing that the run looks at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..._core.errors import ActivationError
from ..._core.files import check_replaceable, real_path, refused, replace_file, write_beside
from ..._state.variable import absolute

_VARIABLE = "kms_audit_report_file"


def checked_path(given: str) -> str:
    """The path from the root of the report; empty where none is wanted.

    Raises:
        ActivationError: It can't be written there.
    """
    if not given:
        return ""
    path = absolute(given)
    with _named(path):
        target = real_path(path)
        with suppress(FileNotFoundError):
            check_replaceable(target)
        Path(write_beside(target, b"")).unlink()
    return path


def write(path: str, report: Mapping[str, Any]) -> str:
    """Write the report, with mode 0600, since it names hosts and what is wrong with them; why it could not be written, else empty."""
    try:
        with _named(path):
            replace_file(real_path(path), f"{json.dumps(report, indent=4, ensure_ascii=False)}\n".encode())
    except ActivationError as failure:
        return failure.message
    return ""


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Has each refusal name the variable."""
    try:
        yield
    except OSError as failure:
        raise refused(f"{_VARIABLE}: {path}", "can't be written", failure) from failure
    except ActivationError as failure:
        raise ActivationError(f"{_VARIABLE}: {failure.message}", source=failure.source) from failure
