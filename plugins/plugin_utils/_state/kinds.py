# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept in the state directory, and under which names. The guide to state has the same table."""

from __future__ import annotations

import enum


class FileKind(enum.Enum):
    """A kind of state.

    Attributes:
        file: The name of its file in the state directory.
        counts: Whether losing it costs something, such as an activation. Where it would be lost, what counts stops before the first
            change, and what only shows something says it.
    """

    COMPUTER_LIST = ("computer_list.json", True)
    MAK_PROXY_EXPORT = ("mak_proxy_export.json", True)
    JOURNAL = ("journal.jsonl", True)
    SURVEY = ("survey.jsonl", False)
    REPORT_HISTORY = ("report_history.jsonl", False)
    PLAN = ("plan.json", False)
    METRICS = ("metrics.prom", False)
    REPORT_PAGE = ("report.html", False)
    REPORT_TABLE = ("report.csv", False)
    REPORT_DATA = ("report.json", False)
    REPORT_AUDIT = ("report_audit.json", False)

    def __init__(self, file: str, counts: bool) -> None:
        self.file = file
        self.counts = counts
