# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts on which something is set: the server that remembers it, their inventory, and whether a run has changed what it should."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scale import bench

from . import connections

_RECAP = re.compile(r"^pc-\d+\S*\s+: ok=\d+\s+changed=(\d+)\s+unreachable=0\s+failed=0", re.MULTILINE)


@dataclass(frozen=True)
class Reached:
    """A connection whose server runs and takes commands."""

    connection: connections.Connection
    server: bench.Server


@contextmanager
def serving(name: str, place: connections.Place) -> Iterator[Reached]:
    """A server meanwhile.

    Args:
        name: The connection, one of C(connections.NAMES).
        place: Where things are.
    """
    connection = connections.named(name, place)
    server = bench.Server(bench.free_port(), *connection.server, "--commands")
    try:
        yield Reached(connection, server)
    finally:
        server.end()


def inventory(folder: Path, reached: Reached, hosts: int, **variables: Any) -> Path:
    """The file of an inventory with the groups of the playbooks.

    Args:
        folder: Where it is written.
        reached: How the hosts are reached.
        hosts: How many.
        variables: What all have beside.
    """
    path = folder / f"fleet-{reached.server.port}-{hosts}.json"
    listed = bench.inventory(hosts, reached.server.port, **variables)
    listed["all"]["vars"] = {**reached.connection.variables, "ansible_port": reached.server.port, **variables}
    path.write_text(json.dumps(listed), encoding="utf-8")
    return path


def check(log: Path, hosts: int, changes: int, says: str = "") -> None:
    """Whether a run has done what it should, by what Ansible says at its end.

    Args:
        log: The output.
        hosts: How many hosts there are.
        changes: How many tasks of each host have to have changed something. Hosts that had no task at all are not named there.
        says: What a task has to have said.

    Raises:
        RuntimeError: It has not.
    """
    text = log.read_text(encoding="utf-8")
    found = Counter(map(int, _RECAP.findall(text)))
    if set(found) - {changes} or (changes and found[changes] != hosts):
        raise RuntimeError(f"instead of {changes} changes on each of {hosts} hosts there were {dict(found)}, see {log}")
    if says not in text:
        raise RuntimeError(f"nothing said {says!r}, see {log}")
