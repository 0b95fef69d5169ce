# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of requests to BatchActivation: one JSON object a line, so that tests count what was asked."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path


@dataclass
class Entry:
    """One request. ``request_type`` is 0 where none could be read.

    ``outcome``: ``confirmed``, ``remaining N``, an error code such as ``0x7F``, ``http NNN``, or ``refused: `` and what was wrong with the
    request. ``counted``: an activation was spent for it. ``fault`` names the fault by rule that hit it. No product key ever comes here.
    """

    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))
    peer: str = ""
    request_type: int = 0
    pid: str = ""
    iid: str = ""
    outcome: str = ""
    counted: bool = False
    fault: str = ""


class Journal:
    """Keeps entries, and appends them to a file if there is one. Safe to use from several threads."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.entries: list[Entry] = []
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    def write(self, entry: Entry) -> None:
        """Add one entry."""
        with self._lock:
            self.entries.append(entry)
            if self._path is not None:
                with self._path.open("a", encoding="utf-8") as stream:
                    stream.write(json.dumps(asdict(entry)) + "\n")

    def truncate(self) -> None:
        """Forget everything."""
        with self._lock:
            self.entries.clear()
            if self._path is not None:
                self._path.write_text("", encoding="utf-8")
