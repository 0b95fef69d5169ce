# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The counts of KMS hosts over time: a line of JSON for each report and KMS host, of which the last ones are kept. Pure."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

MOST_OF_HOST = 400
"""Entries that are kept of a KMS host: more than a year of daily reports."""

MOST = 40_000
"""Entries that are kept in all, the newest."""

LARGEST = 16 * 1024 * 1024
"""Bytes of the file. Lines in MOST times the longest have less."""

_LONGEST_NAME = 255
# What a KMS host counts has 32 bits.
_MOST_COUNT = 2**32

History = dict[str, list[tuple[str, int]]]
"""By KMS host times with counts, the newest last."""


def parse(data: bytes) -> History:
    """What a file holds. A line that is none of a history is passed over: the history only shows something."""
    kept: dict[str, deque[tuple[str, int]]] = {}
    for line in data.splitlines()[-MOST:]:
        if entry := _entry(line):
            host, at, count = entry
            kept.setdefault(host, deque(maxlen=MOST_OF_HOST)).append((at, count))
    return {host: list(entries) for host, entries in kept.items()}


def with_report(history: Mapping[str, Sequence[tuple[str, int]]], at: str, counts: Mapping[str, int]) -> History:
    """The history with the counts of one report more.

    Args:
        history: That of before.
        at: When the report was made.
        counts: By KMS host how many clients it has counted.
    """
    merged = {host: list(entries) for host, entries in history.items()}
    for host, count in counts.items():
        merged[host] = [*merged.get(host, []), (at, count)][-MOST_OF_HOST:]
    return merged


def encode(history: Mapping[str, Sequence[tuple[str, int]]]) -> bytes:
    """The lines of a file, in the order of time."""
    entries = sorted((at, host, count) for host, counts in history.items() for at, count in counts)
    lines = (json.dumps({"at": at, "host": host, "count": count}, ensure_ascii=False) for at, host, count in entries[-MOST:])
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def _entry(line: bytes) -> tuple[str, str, int] | None:
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    host, at, count = found.get("host"), found.get("at"), found.get("count")
    if not isinstance(host, str) or not isinstance(at, str) or not isinstance(count, int) or isinstance(count, bool):
        return None
    if not 0 <= count <= _MOST_COUNT:
        return None
    return (host, at, count) if len(host) <= _LONGEST_NAME and len(at) <= len("2026-12-01T04:14:02Z") else None
