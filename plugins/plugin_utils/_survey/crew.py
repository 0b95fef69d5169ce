# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The threads that ask: a bounded number works, and those that only wait for a silent host do not count among them."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from .schedule import Errand, Schedule, TargetT, Verdict

_TICK = 0.2
"""Seconds between two looks at who waits."""

_PAUSE = 0.01
"""Seconds in which answers gather. To take each by itself would wake the calling thread for each, which costs more than the answer."""

_SOON = 0.25
"""Seconds after which a host that has not answered yet counts as one that is waited for."""

_SLACK = 1.0
"""Seconds beyond the limit of the first contact that its own time-outs get to come first."""

_MOST_WAITING = 256
"""Threads that may wait for silent hosts, beside those that work."""

AnswerT = TypeVar("AnswerT")


class Witness(Protocol):
    """Whether anything came from a host."""

    @property
    def made(self) -> bool:
        """It did."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many hosts are asked at once, and how long.

    Attributes:
        threads: How many hosts are read at the same time.
        first_contact: Seconds until a host's first answer.
        host: Seconds for all of one host.
    """

    threads: int
    first_contact: float
    host: float = 300.0


@dataclass(slots=True)
class _Job(Generic[TargetT]):
    errand: Errand[TargetT]
    contact: Witness
    started: float = 0.0


class Crew(Generic[TargetT, AnswerT]):
    """Asks all hosts of a schedule.

    Args:
        schedule: Who is asked when.
        limits: How many, and how long.
        contact: Makes what C(ask) notes the first answer of a host in.
        ask: Asks one host, in a thread of its own; never raises.
        silent: The answer in place of a host that let its time go by; the text says what it did not do.
        take: Called in the calling thread for each answer; returns what it tells about the account, and why.
        tick: Called in the calling thread several times a second.
    """

    def __init__(
        self,
        schedule: Schedule[TargetT],
        limits: Limits,
        contact: Callable[[], Witness],
        ask: Callable[[Errand[TargetT], Witness], AnswerT],
        silent: Callable[[Errand[TargetT], str], AnswerT],
        take: Callable[[Errand[TargetT], AnswerT], tuple[Verdict, str]],
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._schedule = schedule
        self._limits = limits
        self._contact = contact
        self._ask = ask
        self._silent = silent
        self._take = take
        self._tick = tick
        self._jobs: queue.SimpleQueue[_Job[TargetT] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[_Job[TargetT], AnswerT]] = queue.SimpleQueue()
        self._running: dict[int, _Job[TargetT]] = {}
        self._waiting: set[int] = set()
        self._threads = 0
        self._given_up: dict[int, _Job[TargetT]] = {}

    def run(self) -> None:
        """Ask everybody. In memory there is never more than the hosts that are being asked, and as many that come next."""
        looked = time.monotonic()
        try:
            while not self._schedule.finished:
                self._hand_out()
                self._gather()
                now = time.monotonic()
                if now - looked >= _TICK:
                    looked = now
                    self._look(now)
                    self._tick()
        finally:
            for _number in range(self._threads):
                self._jobs.put(None)

    def _hand_out(self) -> None:
        # Where threads are left over that had waited for silent hosts, none comes next: they would all take one.
        spare = self._threads - len(self._given_up) - len(self._waiting) > self._limits.threads
        most = self._limits.threads * (1 if spare else 2)
        while len(self._running) - len(self._waiting) < most and len(self._waiting) < _MOST_WAITING:
            errand = self._schedule.next()
            if errand is None:
                break
            job = _Job(errand, self._contact())
            self._running[id(job)] = job
            self._jobs.put(job)
        needed = min(len(self._running), self._limits.threads + len(self._waiting)) + len(self._given_up)
        while self._threads < needed:
            self._threads += 1
            threading.Thread(target=self._work, daemon=True, name="license survey").start()

    def _gather(self) -> None:
        """Take the answers that are there; where there are none, wait for the first."""
        with contextlib.suppress(queue.Empty):
            self._received(*self._answers.get(timeout=_TICK))
            if len(self._running) > self._limits.threads:
                time.sleep(_PAUSE)
            while True:
                self._received(*self._answers.get_nowait())

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.started = time.monotonic()
            self._answers.put((job, self._ask(job.errand, job.contact)))

    def _received(self, job: _Job[TargetT], answer: AnswerT) -> None:
        if id(job) in self._given_up:
            del self._given_up[id(job)]
            return
        self._finish(job, answer)

    def _finish(self, job: _Job[TargetT], answer: AnswerT) -> None:
        del self._running[id(job)]
        self._waiting.discard(id(job))
        self._schedule.answered(job.errand, *self._take(job.errand, answer))

    def _look(self, now: float) -> None:
        """Who waits, and who has waited long enough."""
        begun = [job for job in self._running.values() if job.started]
        self._waiting = {id(job) for job in begun if not job.contact.made and now - job.started > _SOON}
        for job in begun:
            taken = now - job.started
            if not job.contact.made and taken > self._limits.first_contact + _SLACK:
                self._give_up(job, f"did not answer within {self._limits.first_contact:g} seconds")
            elif taken > self._limits.host:
                self._give_up(job, f"was not read within {self._limits.host:g} seconds")

    def _give_up(self, job: _Job[TargetT], did: str) -> None:
        """Its thread goes on until a time-out of its own ends it, and is of use again then."""
        self._given_up[id(job)] = job
        self._finish(job, self._silent(job.errand, did))
