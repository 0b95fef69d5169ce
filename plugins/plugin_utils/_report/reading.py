# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that a report is made from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .._core.errors import ActivationError
from .._core.files import MIB, read_file, refused
from .._survey.file import read_rows
from .audit_form import is_audit
from .model import FleetReport

LARGEST_AUDIT = 256 * MIB

_VERSION = 1


def read_survey(report: FleetReport, path: str) -> None:
    """Take the rows of a survey into a report, one after another.

    Raises:
        ActivationError: There is no such file, or it is none of a survey.
    """
    for row in read_rows(Path(path)):
        report.add(row)


def read_audit(path: str) -> dict[str, Any]:
    """The report of an audit.

    Raises:
        ActivationError: There is no such file, or it is none.
    """
    try:
        found = json.loads(read_file(path, LARGEST_AUDIT))
    except OSError as failure:
        raise refused(path, "can't be read", failure) from failure
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("version") != _VERSION or not is_audit(found):
        raise ActivationError(f"{path} is no report of an audit. Run the playbook audit again.", source="file")
    return found
