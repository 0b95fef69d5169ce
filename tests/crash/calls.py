# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts the calls of a run by their kind, so that the matrix knows what a fault can hit."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from . import folder
from .proxy import ProxyWorld
from .schedule import CALLS
from .world import World

_LOOK = 0.005
_HEADER = """# SPDX-License-Identifier: GPL-3.0-or-later
# Written by python -m crash --record: by playbook how many calls of each kind a run without faults makes.
"""


class Counting:
    """The calls of one run."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._writes = 0
        self._over = threading.Event()

    @contextmanager
    def counting(self) -> Iterator[dict[str, Any]]:
        """Calls are counted meanwhile; what is given has them afterwards."""
        world, found = self._world, dict[str, Any]()
        if world.front is not None:
            world.front.clear()
        microsoft = self._microsoft()
        thread = threading.Thread(target=self._look)
        thread.start()
        try:
            yield found
        finally:
            self._over.set()
            thread.join()
        wire = Counter(f"{entry['action']} {str(entry['resource']).rpartition('/')[2]}" for entry in world.requests())
        found["request"] = len(world.requests())
        found["wire"] = {where: count for where, count in sorted(wire.items()) if not where.startswith("Authenticate")}
        found["write"] = self._writes
        found["batch"] = self._microsoft() - microsoft
        if world.front is not None:
            found |= {name: world.front.counts[name] for name in ("dns_query", "dns_update", "ldap")}
            if len(world.front.addresses) > 1:
                found["replication"] = world.front.counts["ldap"]

    def _microsoft(self) -> int:
        if isinstance(self._world, ProxyWorld):
            return len(self._world.server.journal.entries)
        return len(self._world.lab.microsoft_requests()) if self._world.lab.layout.microsoft_log.exists() else 0

    def _look(self) -> None:
        looked = dict[str, tuple[int, int]]()
        folder.changes(self._world.state, looked)
        while not self._over.wait(_LOOK):
            self._writes += folder.changes(self._world.state, looked)


def record(counted: dict[str, dict[str, Any]], path: Path = CALLS) -> None:
    """Write what was counted, beside what is known of other playbooks."""
    known = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    text = yaml.safe_dump({**(known or {}), **counted}, sort_keys=True)
    path.write_text(_HEADER + text, encoding="utf-8")
