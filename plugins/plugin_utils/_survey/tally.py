# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rows amount to: counts, the first failures, and lines for people. It grows with the kinds of answers, not with the hosts.

Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .._core.text import one_line
from .rows import NOT_REACHED, Row, RowOutcome
from .schedule import Rejected

MOST_FAILURES = 20
"""Failures that a result names."""

MOST_KINDS = 6
_FIRST_NAMES = 5
_REASON = 180
_HOST = 63

_WORDS = {
    RowOutcome.UNREACHABLE: "could not be reached",
    RowOutcome.REJECTED: "did not accept the account",
    RowOutcome.FAILED: "could not be read",
    RowOutcome.NOT_ASKED: "were not asked",
}


@dataclass(slots=True)
class _Kind:
    count: int = 0
    names: list[str] = field(default_factory=list)
    reason: str = ""


class SurveyTally:
    """Counts rows.

    Args:
        hosts: How many there will be.

    Attributes:
        silent: The names of those that were not reached or not asked, or whose account was rejected.
    """

    def __init__(self, hosts: int) -> None:
        self.hosts = hosts
        self.done = 0
        self.silent: list[str] = []
        self._outcomes: Counter[str] = Counter()
        self._states: Counter[str] = Counter()
        self._channels: Counter[str] = Counter()
        self._kinds: dict[tuple[RowOutcome, str], _Kind] = {}
        self._failures: list[dict[str, Any]] = []

    @property
    def failed(self) -> int:
        """How many hosts were not read."""
        return self.done - self._outcomes[RowOutcome.READ]

    def add(self, row: Row) -> None:
        """One more."""
        self.done += 1
        self._outcomes[row.outcome] += 1
        if row.outcome in NOT_REACHED:
            self.silent.append(row.host)
        if row.outcome is RowOutcome.READ:
            self._states[row.facts.get("state") or "no_key"] += 1
            self._channels[row.facts.get("channel") or "no_key"] += 1
            return
        if len(self._kinds) >= MOST_KINDS and (row.outcome, row.code) not in self._kinds:
            kind = self._kinds.setdefault((row.outcome, ""), _Kind())
        else:
            kind = self._kinds.setdefault((row.outcome, row.code), _Kind())
        kind.count += 1
        kind.reason = kind.reason or row.reason
        if len(kind.names) < _FIRST_NAMES:
            kind.names.append(one_line(row.host, _HOST))
        if len(self._failures) < MOST_FAILURES and row.outcome is not RowOutcome.NOT_ASKED:
            self._failures.append({"host": one_line(row.host, _HOST), "outcome": str(row.outcome), "reason": one_line(row.reason, _REASON)})

    def as_result(self, rejected: Sequence[Rejected] = ()) -> dict[str, Any]:
        """Counts, the first failures, and sentences. As JSON they stay below 64 KiB."""
        return {
            "hosts": self.hosts,
            "counts": {str(outcome): self._outcomes[outcome] for outcome in RowOutcome},
            "states": dict(sorted(self._states.items())),
            "channels": dict(sorted(self._channels.items())),
            "failures": list(self._failures),
            "rejected_accounts": [one_line(entry.account, _HOST) for entry in rejected[:MOST_KINDS]],
            "summary": self.lines(rejected),
        }

    def lines(self, rejected: Sequence[Rejected] = ()) -> list[str]:
        """The same for people, each finding in one line with how many hosts have it."""
        states = ", ".join(
            f"{count} {state.replace('_', ' ')}" for state, count in sorted(self._states.items(), key=lambda found: -found[1])
        )
        lines = [f"{self._outcomes[RowOutcome.READ]} of {self.hosts} hosts were read{f': {states}' if states else ''}."]
        for (outcome, _code), kind in sorted(self._kinds.items(), key=lambda found: -found[1].count):
            if outcome is RowOutcome.NOT_ASKED or (outcome is RowOutcome.REJECTED and any(entry.host in kind.names for entry in rejected)):
                continue
            names = ", ".join(kind.names) + (f" and {kind.count - len(kind.names)} more" if kind.count > len(kind.names) else "")
            lines.append(f"{kind.count} {_WORDS[outcome]} ({names}): {one_line(kind.reason, _REASON)}")
        return lines + [said(entry) for entry in rejected[:MOST_KINDS]]


def said(rejected: Rejected) -> str:
    """The one sentence about an account that was rejected."""
    spared = f", and {rejected.spared} more hosts with it were not asked so that it is not locked" if rejected.spared else ""
    return (
        f"{one_line(rejected.host, _HOST)} did not accept the account {one_line(rejected.account, _HOST)}"
        f" ({one_line(rejected.reason, _REASON)}){spared}; set ansible_user and ansible_password."
    )
