# Copyright: (c) 2026, winops contributors
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

from integration.test_mak_proxy import checksum_of

OTHER = "other-"
_PAUSE = 0.01
_MOST = 200


class Writer:
    """Adds a computer again and again; ``written`` has the names of those that it has added."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self.written: list[str] = []

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, if it has begun."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while not self._over.wait(_PAUSE) and len(self.written) < _MOST:
            if self._path.exists():
                with self._path.with_name(f".{self._path.name}.lock").open("a") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    self._add()

    def _add(self) -> None:
        document = json.loads(self._path.read_text(encoding="utf-8"))
        name = f"{OTHER}{len(self.written):03d}.contoso.com"
        entry = copy.deepcopy(next(iter(document["computers"].values())))
        for product in entry["products"].values():
            product["identifier"] = uuid.uuid4().hex
        document["computers"][name] = entry
        document.pop("checksum")
        document["checksum"] = checksum_of(document)
        fresh = self._path.with_name(f".{self._path.name}.other")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(document), encoding="utf-8")
        fresh.replace(self._path)
        self.written.append(name)
