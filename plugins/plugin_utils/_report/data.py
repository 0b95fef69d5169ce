# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report for programs: a table of all computers as CSV, and the numbers as JSON. Pure."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, fields
from typing import Any

from .model import FleetReport, ReportedComputer

VERSION = 1

# Spreadsheets take a cell that begins so for a formula (OWASP, CSV Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# By this Excel knows UTF-8.
_MARK = "\ufeff"
_COLUMNS = tuple(field.name for field in fields(ReportedComputer))


def as_csv(report: FleetReport) -> bytes:
    """A row for each computer, in UTF-8; RFC 4180. No cell is a formula to a spreadsheet."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for computer in report.computers:
        writer.writerow([_cell(getattr(computer, name)) for name in _COLUMNS])
    return f"{_MARK}{text.getvalue()}".encode("utf-8", "replace")


def as_json(report: FleetReport) -> bytes:
    """The numbers, the computers whose licence ends soon, KMS hosts, keys, and the audit as it is."""
    return f"{json.dumps(as_data(report), ensure_ascii=False, indent=2)}\n".encode("utf-8", "replace")


def as_data(report: FleetReport) -> dict[str, Any]:
    """The same as a dictionary."""
    return {
        "version": VERSION,
        "time": report.time,
        "hosts": len(report.computers),
        "outcomes": dict(sorted(report.outcomes.items())),
        "licences": [
            {"product": product, "channel": channel, "state": state, "count": count}
            for (product, channel, state), count in sorted(report.licences.items())
        ],
        "expiring_days": report.expiring_days,
        "expiring": [{"host": one.host, "days": one.days, "expires": one.expires, "kms": one.kms} for one in report.expiring],
        "kms_hosts": [
            {
                "host": one.host,
                "count": one.count,
                "history": [{"at": at, "count": count} for at, count in report.history.get(one.host, ())],
            }
            for one in report.kms_hosts
        ],
        "maks": [asdict(mak) for mak in report.maks],
        "computer_list": dict(report.listed) or None,
        "audit": dict(report.audit) or None,
    }


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text
