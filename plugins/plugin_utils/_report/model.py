# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report knows: the computers of a survey, the key ring, and an audit. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._core.text import LONGEST_LINE, LONGEST_NAME, visible
from .._survey.rows import RowOutcome

NO_KEY = "no_key"
"""The state and the channel of a computer on which no key is installed."""

MOST_KINDS = 200
"""Different kinds of licences that are told apart; what is beyond them counts as C(OTHER)."""
OTHER = "other"

MOST_NUMBER = 2**53
"""The largest number that a report shows, as the formats that it is written in all have it; what is beyond is no number of anything."""

MOST_KMS_HOSTS = 200
"""KMS hosts that a report knows, the first by their names. Any computer may say that it is one."""


@dataclass(frozen=True, slots=True)
class ReportedComputer:
    """A row of the report.

    Attributes:
        host: Its name in the inventory.
        state: Its licensing state, C(no_key), or for one that was not read what came of asking it.
        product: The name of the product that is Windows itself; empty where it is not known.
        channel: The kind of its key, or C(no_key); empty where it is not known.
        key: The last five characters of the key; likewise.
        days: Until the licence ends; C(None) where it does not end, or nobody knows.
        expires: When that is; empty likewise.
        kms: The KMS host that it is fixed to, or that it last found by DNS; empty for none.
        count: How many clients it has counted; C(None) where it is no KMS host.
        reason: Why it was not read, or why Windows gives it its state; empty for none.
    """

    host: str
    state: str
    product: str = ""
    channel: str = ""
    key: str = ""
    days: int | None = None
    expires: str = ""
    kms: str = ""
    count: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MakLeft:
    """A key of the key ring.

    Attributes:
        name: Its name in the ring.
        key: Its last five characters; empty where it has not the shape of a key.
        computers: How many of the computers hold it.
        remaining: The activations that are left; C(None) where that is not known.
        note: Why not; empty where it is known.
    """

    name: str
    key: str
    computers: int = 0
    remaining: int | None = None
    note: str = ""


@dataclass(slots=True)
class FleetReport:
    """All that is reported.

    Attributes:
        time: When, UTC, such as C(2026-12-01T04:14:02Z).
        expiring_days: A licence that ends in fewer days ends soon.
        computers: In the order in which they answered.
        outcomes: How many were read, unreachable and so on.
        licences: By product, channel and state how many computers have it.
        history: By KMS host its counts over time, the newest last.
        maks: The keys of the key ring.
        listed: The numbers of the computer list, by what they count; empty where there is none.
        audit: The report of an audit; empty where none was made.
    """

    time: str
    expiring_days: int = 30
    computers: list[ReportedComputer] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    licences: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    history: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)
    maks: Sequence[MakLeft] = ()
    listed: Mapping[str, int] = field(default_factory=dict)
    audit: Mapping[str, Any] = field(default_factory=dict)

    def add(self, row: Mapping[str, Any]) -> None:
        """One row of a survey more."""
        outcome = str(row.get("outcome"))
        computer = computer_of_row(row)
        self.computers.append(computer)
        self.outcomes[outcome if outcome in list(RowOutcome) else str(RowOutcome.FAILED)] += 1
        if outcome == RowOutcome.READ:
            kind = (computer.product, computer.channel, computer.state)
            if kind not in self.licences and len(self.licences) >= MOST_KINDS:
                kind = (OTHER, OTHER, OTHER)
            self.licences[kind] += 1

    @property
    def expiring(self) -> list[ReportedComputer]:
        """The computers whose licence ends soon, those that end first before the others."""
        found = [computer for computer in self.computers if computer.days is not None and computer.days < self.expiring_days]
        return sorted(found, key=lambda computer: (computer.days, computer.host))

    @property
    def kms_hosts(self) -> list[ReportedComputer]:
        """The KMS hosts that were read, by their names."""
        return sorted((one for one in self.computers if one.count is not None), key=lambda one: one.host)[:MOST_KMS_HOSTS]

    def states(self) -> Counter[str]:
        """By licensing state how many of the computers that were read have it."""
        found: Counter[str] = Counter()
        for (_product, _channel, state), count in self.licences.items():
            found[state] += count
        return found


def computer_of_row(row: Mapping[str, Any]) -> ReportedComputer:
    """The computer of a row. What has another form than a survey writes is empty."""
    read = row.get("outcome") == RowOutcome.READ
    settings = row.get("kms_client_settings")
    client: Mapping[str, Any] = settings if isinstance(settings, Mapping) else {}
    lifetime = row.get("expires_in_days")
    count = row.get("count")
    ends = read and row.get("permanent") is not True and _is_number(lifetime)
    return ReportedComputer(
        host=visible(str(row.get("host")), LONGEST_NAME),
        state=_word(row.get("state")) or NO_KEY if read else _word(row.get("outcome")),
        product=_word(row.get("product")) if read else "",
        channel=_word(row.get("channel")) or NO_KEY if read else "",
        key=_word(row.get("partial_key"))[:5],
        days=int(lifetime) if ends and lifetime is not None else None,
        expires=_word(row.get("expires")) if ends else "",
        kms=_word(client.get("kms_machine")) or _word(client.get("discovered_machine")),
        count=count if read and row.get("kms_host") is True and _is_number(count) else None,
        reason=_word(row.get("reason"), LONGEST_LINE),
    )


def holders(keys: Mapping[str, str], computers: Iterable[ReportedComputer]) -> dict[str, list[str]]:
    """By the name of a key the computers that hold it.

    Args:
        keys: By name the last five characters.
        computers: All computers.
    """
    names: dict[str, list[str]] = {}
    for name, last in keys.items():
        names.setdefault(last, []).append(name)
    found: dict[str, list[str]] = {name: [] for name in keys}
    for computer in computers:
        if computer.channel == "mak":
            for name in names.get(computer.key, ()):
                found[name].append(computer.host)
    return found


def words(name: str) -> str:
    """A name of the code as people read it."""
    return name.replace("_", " ")


def _word(value: Any, limit: int = LONGEST_NAME) -> str:
    return visible(value, limit) if isinstance(value, str) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MOST_NUMBER
