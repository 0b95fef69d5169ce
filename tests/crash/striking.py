# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a fault happen: by the laboratory's rules, at the front before the controllers, or to the run itself once a number of requests was made."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from integration.killing import descendants

from lab import names
from lab.domain.editor import NothingToChange
from lab.witness import WitnessError

from . import folder
from .kinds import MOMENTS
from .proxy import ProxyWorld
from .schedule import Schedule
from .world import FOREIGN_SID, World
from .writer import Writer

HUNG_AFTER = 900.0
"""Seconds after which a run is ended that does not end by itself."""
_LOOK, _LOOK_AT_RULES = 0.01, 0.05
WAITS = 1.0
"""Seconds that a call waits for its answer in which the run ends."""
WRITES = 0x20 | 0x40000 | 0x80000
"""WRITE_PROPERTY, WRITE_DAC and WRITE_OWNER (MS-ADTS 5.1.3.2)."""


def run_pid() -> int | None:
    """The ansible-playbook that this process has started, if it is at work."""
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    for child in (int(pid) for file in children for pid in _read(file).split()):
        if b"ansible-playbook" in _read_bytes(Path(f"/proc/{child}/cmdline")):
            return child
    return None


def _read(file: Path) -> str:
    return _read_bytes(file).decode()


def _read_bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def kill_tree() -> None:
    """Kill the run with everything that it has started. A worker of Ansible has a session of its own, and would go on without its parent."""
    if (pid := run_pid()) is not None:
        for one in (*descendants(pid), pid):
            _send(one, signal.SIGKILL)


def terminate() -> None:
    """Ask the run to end."""
    if (pid := run_pid()) is not None:
        _send(pid, signal.SIGTERM)


def kill_worker() -> None:
    """Kill one of the run's workers, as the kernel does where memory is short."""
    deadline = time.monotonic() + 2
    while (pid := run_pid()) is not None and time.monotonic() < deadline:
        if workers := descendants(pid):
            _send(workers[0], signal.SIGKILL)
            return


class Strike:
    """A fault that is due; ``hits`` says afterwards how often it happened."""

    def __init__(self, world: World, schedule: Schedule) -> None:
        self.world, self.schedule = world, schedule
        self.hung = False
        self.hits_before_the_end = 0
        self.other: Writer | None = None
        self._hits = 0
        self._over = threading.Event()
        self._undo: list[Callable[[], object]] = []
        self._asked_by: Callable[[], list[int]] = list

    @property
    def hits(self) -> int:
        """How many calls have met the fault."""
        at_front = self.world.front.hits if self.world.front is not None else 0
        return self._hits + at_front + sum(self._asked_by())

    @contextmanager
    def armed(self) -> Iterator[None]:
        """The fault happens meanwhile, and is undone afterwards."""
        world, schedule = self.world, self.schedule
        kind, channel = schedule.kind.name, schedule.kind.channel
        act: Callable[[], object] | None = None
        due: Callable[[], bool] | None = None
        if channel == "moment":
            act, due = self._on_run(kind), self._at_moment()
        elif channel in ("wire", "activation"):
            self._inject(**schedule.rule)
        elif channel == "batch":
            self._microsoft(schedule.rule)
        elif channel.startswith("dns") and world.front is not None:
            world.front.strike(channel, kind, schedule.nth)
        elif channel == "ldap" and world.front is not None:
            world.front.strike(channel, kind, schedule.nth, self._in_directory(kind))
        elif channel == "replication" and world.front is not None:
            world.front.strike("ldap", kind, schedule.nth, self._hold)
        else:
            act, due = self._on_machine(kind), self._by_count(schedule.kind.channel)
        thread = threading.Thread(target=self._watch, args=(act, due))
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def undo(self) -> None:
        """The world without the fault; what was begun is waited for."""
        self.world.lab.control.settle()
        self.world.lab.control.clear_faults()
        if isinstance(self.world, ProxyWorld):
            self.world.server.faults.clear()
        if self.world.front is not None:
            self.world.front.clear()
        for act in self._undo:
            act()

    def _inject(self, **rule: Any) -> None:
        action, _space, resource = self.schedule.where.partition(" ")
        given = {"action": action, "resource": f"*{resource.lstrip('*')}", "skip": self.schedule.nth - 1, **rule}
        self.world.lab.control.inject(**given)
        self._asked_by = self.world.lab.control.fault_hits

    def _microsoft(self, of_kind: Mapping[str, Any]) -> None:
        rule: dict[str, Any] = {"skip": self.schedule.nth - 1, **of_kind}
        if isinstance(self.world, ProxyWorld):
            self.world.server.faults.add(rule)
            self._asked_by = self.world.server.faults.hits
        else:
            self.world.lab.control.microsoft_fault(**rule)
            self._asked_by = self.world.lab.control.microsoft_fault_hits

    def _at_moment(self) -> Callable[[], bool]:
        """Whether the call has arrived that waits for its answer; the work goes on after a while, whoever waits for it still."""
        where = self.schedule.where
        if where == "write":
            return self._by_count("write")
        if where == "batch":
            self._microsoft({"fault": "slow", "seconds": WAITS})
        elif where in MOMENTS and self.world.front is not None:
            self.world.front.strike(where, "", self.schedule.nth, lambda: time.sleep(WAITS))
        else:
            self._inject(sleep=WAITS)
        return lambda: self.hits > 0

    def _by_count(self, channel: str) -> Callable[[], bool]:
        """Whether so many requests were made, or files were written."""
        state, looked, before, writes = self.world.state, dict[str, tuple[int, int]](), self.world.asked(), 0
        folder.changes(state, looked)

        def due() -> bool:
            nonlocal writes
            if channel == "write":
                writes += folder.changes(state, looked)
                return writes >= self.schedule.nth
            return self.world.asked() - before >= self.schedule.nth

        return due

    def _on_run(self, kind: str) -> Callable[[], object]:
        return {"kill of the whole tree": kill_tree, "SIGTERM": terminate, "kill of one worker": kill_worker}[kind]

    def _in_directory(self, kind: str) -> Callable[[], object] | None:
        zone = self.world.zones[0]
        witness = self.world.witness(zone)
        if kind.endswith("between read and write"):
            return lambda: _if_there(lambda: witness.add_ace(f"(A;;RP;;;{FOREIGN_SID[:-1]}2)", witness.record_dn(zone)))
        if kind.endswith("insufficient rights"):
            editor, dn = self.world.editor(zone), witness.record_dn(zone)

            def refuse() -> None:
                _if_there(lambda: editor.deny(names.OPERATOR, WRITES, dn))
                self._undo.append(lambda: _if_there(lambda: editor.remove_denials(names.OPERATOR, dn)))

            return refuse
        return None

    def _hold(self) -> None:
        self.world.lab.control.hold_replication("dc2")
        self._undo.append(lambda: self.world.lab.control.release_replication("dc2"))

    def _on_machine(self, kind: str) -> Callable[[], object]:
        control, state = self.world.lab.control, self.world.state
        label = random.Random(self.schedule.seed).choice(self.world.labels())

        def jump(seconds: float) -> None:
            control.call("jump_clock", host=label, seconds=seconds)

        def with_folder(act: Callable[[Path], None]) -> Callable[[], None]:
            self._undo.append(lambda: folder.make_usable(state))
            return lambda: act(state)

        if kind == "clock jumps":
            seconds = self.schedule.rule["seconds"]
            self._undo.append(lambda: jump(-seconds))
            return lambda: jump(seconds)
        if kind in ("disk full", "read-only folder"):
            return with_folder(folder.fill if kind == "disk full" else folder.make_read_only)
        if kind == "list written by another":
            self.other = Writer(self.world.list_file())
            self._undo.append(self.other.stop)
            # From the beginning: the run reads the list before it writes it.
            self.other.start()
            return lambda: None
        return lambda: control.inject(host=f"{label}.*", fault="refused")

    def _watch(self, act: Callable[[], object] | None, due: Callable[[], bool] | None) -> None:
        """Do it once it is due; end a run that hangs."""
        begun = time.monotonic()
        by_count = self.schedule.kind.channel != "moment" or self.schedule.where == "write"
        while not self._over.wait(_LOOK if by_count else _LOOK_AT_RULES):
            if act is not None and due is not None and due():
                act()
                self._hits, act = 1, None
            if not self.hung and time.monotonic() - begun > HUNG_AFTER:
                self.hung = True
                kill_tree()


def _if_there(change: Callable[[], object]) -> None:
    """Where there is no record yet there is nothing to change."""
    with contextlib.suppress(NothingToChange, WitnessError):
        change()
