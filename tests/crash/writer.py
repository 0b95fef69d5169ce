# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another writer of a computer list, who keeps to what the documentation says of it: the lock beside the file, and one rename."""

from __future__ import annotations

import copy
import fcntl
import json
import threading
import uuid
from pathlib import Path
from typing import Any

from integration.test_mak_proxy import checksum_of

OTHER = "other.contoso.com"
_PAUSE = 0.005


class Writer:
    """Has a computer of its own in the list, and gives it another name again and again.

    Attributes:
        turns: How often it has written.
        lost: How often what it had written was not there at its next turn.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self.turns = 0
        self.lost = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, if it has begun, and look a last time."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        if self.turns:
            self._look(json.loads(self._path.read_text(encoding="utf-8")))

    def _work(self) -> None:
        while not self._over.wait(_PAUSE):
            if self._path.exists():
                with self._path.with_name(f".{self._path.name}.lock").open("a") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    document = json.loads(self._path.read_text(encoding="utf-8"))
                    self._look(document)
                    self._write(document)

    def _look(self, document: dict[str, Any]) -> None:
        there = document["computers"].get(OTHER, {}).get("computer_name", "")
        self.lost += bool(self.turns) and there != f"turn-{self.turns}"

    def _write(self, document: dict[str, Any]) -> None:
        computers = document["computers"]
        if OTHER not in computers:
            entry = copy.deepcopy(next(iter(computers.values())))
            for product in entry["products"].values():
                product["identifier"] = uuid.uuid4().hex
            computers[OTHER] = entry
        computers[OTHER]["computer_name"] = f"turn-{self.turns + 1}"
        document.pop("checksum")
        document["checksum"] = checksum_of(document)
        fresh = self._path.with_name(f".{self._path.name}.other")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(document), encoding="utf-8")
        fresh.replace(self._path)
        self.turns += 1
