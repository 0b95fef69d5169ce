# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of WS-Management requests: one JSON line each, so that tests and benchmarks count what went over the wire."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

_PRODUCT_KEY = re.compile(r"\b(?:[0-9A-Z]{5}-){4}([0-9A-Z]{5})\b", re.IGNORECASE)


def mask_keys(text: str) -> str:
    """Product keys with all but the last five characters hidden."""
    return _PRODUCT_KEY.sub(r"XXXXX-XXXXX-XXXXX-XXXXX-\1", text)


@dataclass
class Entry:
    """One request.

    ``action``: Identify, Enumerate, Pull, Release, Get, Put, GetClass, ``Invoke:METHOD``, ``Shell:ACTION``, or Authenticate for
    an attempt that was refused. ``bytes_in`` and ``bytes_out`` count the whole HTTP messages of this request; those of the
    authentication before it are in ``auth_…`` of the first request of the connection. ``fault`` is the code of the fault, 0 if
    none. ``injected`` names the fault by rule that hit the exchange. ``duration`` is in seconds.
    """

    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))
    host: str = ""
    address: str = ""
    user: str = ""
    authentication: str = ""
    encrypted: bool = False
    action: str = ""
    resource: str = ""
    query: str = ""
    bytes_in: int = 0
    bytes_out: int = 0
    auth_exchanges: int = 0
    auth_bytes_in: int = 0
    auth_bytes_out: int = 0
    connection: int = 0
    status: int = 0
    fault: int = 0
    injected: str = ""
    duration: float = 0.0


class RequestLog:
    """Appends entries to a file; safe for threads. Without a path the entries are only kept in ``entries``."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._file: TextIO | None = None
        self.entries: list[Entry] = []
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8")

    def write(self, entry: Entry) -> None:
        """Add one entry; product keys in a query are masked here."""
        entry.query = mask_keys(entry.query)
        with self._lock:
            if self._file is None:
                self.entries.append(entry)
                return
            self._file.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")
            self._file.flush()

    def truncate(self) -> None:
        """Forget everything written so far."""
        with self._lock:
            self.entries.clear()
            if self._file is not None:
                self._file.truncate(0)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
