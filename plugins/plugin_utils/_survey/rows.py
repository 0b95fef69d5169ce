# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows: what is written down of one host.

Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from .._core.text import one_line

LONGEST = 1024
"""Bytes of a row about the license alone, its end of line among them."""

LICENSE_FIELDS = (
    "state",
    "product",
    "channel",
    "partial_key",
    "permanent",
    "expires_in_days",
    "expires",
    "kms_host",
    "count",
    "others",
)
"""What the column C(license) has of a host that was read."""

_NAME, _WORD, _REASON, _TEXT = 255, 100, 400, 1000
_MINUTE = timedelta(minutes=1)


class RowOutcome(StrEnum):
    """What came of asking a host."""

    READ = "read"
    UNREACHABLE = "unreachable"
    REJECTED = "rejected"
    FAILED = "failed"
    NOT_ASKED = "not_asked"


NOT_REACHED = frozenset({RowOutcome.UNREACHABLE, RowOutcome.REJECTED, RowOutcome.NOT_ASKED})
"""What counts as out of reach: a rejected password is no better than a dark host."""


@dataclass(frozen=True, slots=True)
class Row:
    """One host.

    Attributes:
        host: Its name in the inventory.
        outcome: Whether it was read.
        at: When, UTC.
        reason: Why it was not read; of one that was, why Windows gives it its state. Empty for none.
        code: The code that goes with the reason; empty where there is none.
        facts: LICENSE_FIELDS, and further columns by their names.
    """

    host: str
    outcome: RowOutcome
    at: datetime
    reason: str = ""
    code: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """The row as JSON has it."""
        return {
            "host": shown_host(self.host),
            "outcome": str(self.outcome),
            "at": self.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            **dict.fromkeys(LICENSE_FIELDS),
            **{name: _shown(value) for name, value in self.facts.items()},
            "reason": one_line(self.reason, _REASON) or None,
            "code": one_line(self.code, _WORD) or None,
        }

    def as_line(self) -> str:
        """The row as a line of a file, without its end. About the license alone it has at most LONGEST bytes with it."""
        data = self.as_data()
        line = _encoded(data)
        if len(line) >= LONGEST and set(data).issubset(_PLAIN):
            # Names in scripts of three bytes a letter.
            for name in ("reason", "product", "host"):
                surplus = len(line) + 1 - LONGEST
                if surplus > 0 and data[name]:
                    data[name] = _shorter(data[name], surplus)
                    line = _encoded(data)
        return line.decode("utf-8")


_PLAIN = frozenset({"host", "outcome", "at", "reason", "code", *LICENSE_FIELDS})


def shown_host(host: str) -> str:
    """How a row names a host of the inventory."""
    return one_line(host, _NAME)


def license_facts(
    windows: Mapping[str, Any] | None, others: Sequence[Mapping[str, Any]], service: Mapping[str, Any], at: datetime
) -> dict[str, Any]:
    """The column C(license).

    Args:
        windows: The product that is Windows itself, as C(license_info) shows it; C(None) where it holds no key.
        others: The other products that hold keys, add-ons among them.
        service: The licensing service, as C(license_info) shows it.
        at: When they were read.
    """
    counts: dict[str, int] = {}
    for product in others:
        counts[str(product["status"])] = counts.get(str(product["status"]), 0) + 1
    found: Mapping[str, Any] = windows or {}
    minutes = found.get("minutes")
    return {
        "state": found.get("status"),
        "product": one_line(str(found["name"]), _WORD) if found.get("name") else None,
        "channel": found.get("channel"),
        "partial_key": one_line(str(found["partial_key"]), 5) if found.get("partial_key") else None,
        "permanent": found.get("permanent"),
        "expires_in_days": found.get("expires_in_days"),
        "expires": None if minutes is None else (at + minutes * _MINUTE).strftime("%Y-%m-%dT%H:%MZ"),
        "kms_host": bool(service.get("kms_host")),
        "count": service.get("current_count") if service.get("kms_host") else None,
        "others": counts or None,
    }


def _shown(value: Any) -> Any:
    """Data with texts of which each is one visible line."""
    if isinstance(value, str):
        return one_line(value, _TEXT)
    if isinstance(value, Mapping):
        return {name: _shown(entry) for name, entry in value.items()}
    return [_shown(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def _encoded(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _shorter(text: str, surplus: int) -> str:
    """The text with so many bytes less, or one letter where it has not so many."""
    kept = text.encode("utf-8", "replace")[: -(surplus + 3)].decode("utf-8", "ignore")
    return f"{kept}..." if kept else text[0]
