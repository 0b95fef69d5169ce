# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Canned answers: what recorded hosts said, put together anew for whatever columns of it are asked for."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

RECORDINGS = Path(__file__).resolve().parents[1] / "unit" / "recordings"

_QUERY = re.compile(rb">\s*select\s+([^<]+?)\s+from\s+(\w+)", re.IGNORECASE)
_MESSAGE_ID = re.compile(rb"MessageID>\s*([^<\s]+)\s*<")
_FRAGMENT = re.compile(rb"(<\w+:XmlFragment[^>]*>)(.*?)(</\w+:XmlFragment>)", re.DOTALL)
_ELEMENT = re.compile(rb"<(\w+)(?:\s[^<>]*)?(?:/>|>.*?</\1>)", re.DOTALL)
_RELATES_TO = re.compile(rb"(RelatesTo>)[^<]*(<)")


@dataclass(frozen=True)
class _Instance:
    before: bytes
    after: bytes
    elements: dict[bytes, bytes]


class Host:
    """Answers as a recorded host did; an answer is made once for each query."""

    def __init__(self, recording: Path) -> None:
        self._instances: dict[bytes, _Instance] = {}
        self._made: dict[tuple[bytes, bytes], tuple[bytes, bytes]] = {}
        for exchange in json.loads(recording.read_text(encoding="utf-8"))["exchanges"]:
            asked = _QUERY.search(exchange["request"].encode())
            answer = exchange.get("answer", "").encode()
            found = _FRAGMENT.search(answer)
            if asked and found:
                elements = {element[1].lower(): element[0] for element in _ELEMENT.finditer(found[2])}
                known = self._instances.get(asked[2].lower())
                if known is None or len(known.elements) < len(elements):
                    self._instances[asked[2].lower()] = _Instance(answer[: found.end(1)], answer[found.start(3) :], elements)

    def answer(self, request: bytes) -> bytes | None:
        """The answer to a request; None to one that is no query of a recorded class."""
        asked = _QUERY.search(request)
        message_id = _MESSAGE_ID.search(request)
        if asked is None or message_id is None or asked[2].lower() not in self._instances:
            return None
        columns, of = asked[1], asked[2].lower()
        if (columns, of) not in self._made:
            instance = self._instances[of]
            chosen = [instance.elements.get(column.strip().lower(), b"") for column in columns.split(b",")]
            whole = instance.before + b"".join(chosen) + instance.after
            place = _RELATES_TO.search(whole)
            assert place is not None
            self._made[columns, of] = whole[: place.end(1)], whole[place.start(2) :]
        start, end = self._made[columns, of]
        return start + message_id[1] + end


def hosts() -> list[Host]:
    """The recorded hosts."""
    return [Host(path) for path in sorted(RECORDINGS.glob("modern_*.json"))]


def address(number: int) -> str:
    """The address of a host; 62,500 to each second number, so that more than three million fit into 127.20.0.0 and up."""
    return f"127.{20 + number // 62_500}.{number // 250 % 250}.{number % 250 + 1}"


def number_of(shown: str) -> int:
    """Which host has an address."""
    _net, high, middle, low = map(int, shown.split("."))
    return (high - 20) * 62_500 + middle * 250 + low - 1
