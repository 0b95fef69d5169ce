# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run from its first play to its recap, as lines. Pure.

Each call tells what happened, and returns the lines that are due then. Nothing here prints, so that the order of lines is tested without Ansible.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping

from .._core.text import one_line
from .answers import TaskAnswer, TaskOutcome
from .kinds import Hosts
from .lines import Line, Tone, lines
from .tally import TaskTally, ViewSettings

# How many different warnings are known as said; beyond them the same one may come again.
_MOST_WARNINGS = 1000
# Progress is told again when this share of the time of the run has passed, so that an hour is not hundreds of lines; at most so many seconds.
_SHARE = 0.2
_LONGEST = 30.0

# How the recap calls hosts: by the counter of Ansible's statistics that is not 0, the first one deciding.
_ENDS = {"failures": ("failed", Tone.FAILED), "unreachable": ("unreachable", Tone.UNREACHABLE), "changed": ("changed", Tone.CHANGED)}
_UNCHANGED = "unchanged"


class View:
    """The condensed output of a run.

    Args:
        settings: How much is shown.
        clock: A time in seconds that only grows.
    """

    def __init__(self, settings: ViewSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._begun = clock()
        self._heading: list[Line] = []
        self._tasks: dict[str, TaskTally] = {}
        self._pending: dict[str, TaskAnswer] = {}
        self._summaries: list[Line] = []
        self._warned: set[str] = set()
        self._hosts: int | None = None
        self._told = self._begun
        self._check_mode = False

    def play(self, name: str, hosts: int | None, check_mode: bool) -> list[Line]:
        """A play begins, or the next batch of its hosts.

        Args:
            name: Of the play.
            hosts: How many hosts it is over; C(None) where that is not known.
            check_mode: Nothing is changed.
        """
        due = self._closed()
        self._hosts, self._check_mode = hosts, check_mode
        self._heading = [Line(f"PLAY {one_line(name)}{' (check mode)' if check_mode else ''}")]
        return due

    def no_hosts(self, expected: bool = False) -> list[Line]:
        """The play has no hosts; nothing is said of one that was expected to have none."""
        heading, self._heading = self._heading, []
        return [] if expected else [Line(f"{line.text}: no hosts matched", Tone.PROGRESS) for line in heading]

    def nobody_left(self) -> list[Line]:
        """All hosts of the play have failed."""
        return [*self._closed(), Line("  No hosts are left.", Tone.FAILED)]

    def task(
        self, key: str, name: str, *, alone: bool = True, everywhere: bool = True, once: bool = False, aside: bool = False
    ) -> list[Line]:
        """A task begins.

        Args:
            key: Tells it apart from all others.
            name: Of the task.
            alone: All hosts have done with the tasks before it.
            everywhere: It runs on all hosts of the play.
            once: It runs on one host.
            aside: See C(TaskTally).
        """
        if key in self._tasks:
            return []
        due = self._closed() if alone else []
        total = 1 if once else self._hosts if everywhere else None
        self._tasks[key] = TaskTally(one_line(name), self._settings, self._clock(), total, aside)
        self._told = self._clock()
        return due

    def started(self, key: str, host: str) -> None:
        """A host begins with a task."""
        if key in self._tasks:
            self._tasks[key].running[host] = None

    def included(self, key: str, host: str) -> None:
        """A host has included tasks, which follow."""
        if key in self._tasks:
            self._tasks[key].running.pop(host, None)
            self._tasks[key].included += 1

    def retried(self, key: str) -> None:
        """A host tries a task again."""
        if key in self._tasks:
            self._tasks[key].retries += 1

    def part(self, host: str, answer: TaskAnswer) -> None:
        """What is known before the result of a host: an item of a loop, or what a task changes. It counts once the result is there."""
        before = self._pending.get(host)
        self._pending[host] = before.and_also(answer) if before else answer

    def result(self, key: str, host: str, outcome: TaskOutcome, answer: TaskAnswer, shown_as: str = "") -> None:
        """A host is done with a task.

        Args:
            key: Of the task.
            host: Its name.
            outcome: What became of it.
            answer: What the result tells. Failures of its items stand for its own.
            shown_as: Its name with the host that it was delegated to.
        """
        if (part := self._pending.pop(host, None)) is not None:
            answer = part.and_also(answer if not part.failures else TaskAnswer(warnings=answer.warnings))
        tally = self._tasks[key]
        tally.running.pop(host, None)
        tally.add(shown_as or host, outcome, answer)
        if outcome in (TaskOutcome.FAILED, TaskOutcome.UNREACHABLE) and self._hosts:
            self._hosts -= 1

    def knows(self, key: str) -> bool:
        """Whether the task has begun."""
        return key in self._tasks

    def progress(self) -> list[Line]:
        """How far the task under way is, if it is time to say so."""
        if not self._tasks or not self._settings.every:
            return []
        tally, now = next(reversed(self._tasks.values())), self._clock()
        if now - self._told < max(self._settings.every, min(_SHARE * (now - self._begun), _LONGEST)):
            return []
        self._told = now
        return [*self._heading_due(), tally.progress(now)]

    def recap(self, hosts: Mapping[str, Mapping[str, int]]) -> list[Line]:
        """The run has ended.

        Args:
            hosts: The counters of each host, as Ansible's recap has them.
        """
        ends: dict[str, Hosts] = {}
        aside: Counter[str] = Counter()
        for host, counters in hosts.items():
            end = next((end for counter, (end, _tone) in _ENDS.items() if counters[counter]), _UNCHANGED)
            ends.setdefault(end, Hosts()).add(host, self._settings.names)
            aside.update(name for name in ("rescued", "ignored") if counters[name])
        due = self._closed()
        order = {**dict(_ENDS.values()), _UNCHANGED: Tone.OK}
        tone = next((order[end] for end in order if end in ends), Tone.OK)
        words = {"changed": "would change"} if self._check_mode else {}
        counts = [f"{ends[end].count} {words.get(end, end)}" for end in order if end in ends]
        counts += [f"{aside[name]} with {name} errors" for name in ("ignored", "rescued") if aside[name]]
        total = "1 host" if len(hosts) == 1 else f"{len(hosts)} hosts"
        took = self._clock() - self._begun
        due += lines([f"RECAP {total} in {took:.0f} s: {', '.join(counts)}"], self._settings.width, 0, tone)
        for end in ("failed", "unreachable"):
            if end in ends:
                due += lines([f"{end}: {ends[end]}"], self._settings.width, 2, order[end])
        return due + self._told_last()

    def interrupted(self, why: str) -> list[Line]:
        """The run ends before its recap, and all that is known is due."""
        under_way = list(self._tasks.values())
        due = self._closed()
        where = f" during: {under_way[-1].name}" if under_way else ""
        due += lines([f"{why} after {self._clock() - self._begun:.0f} s{where}"], self._settings.width, 0, Tone.FAILED)
        return due + self._told_last()

    def _heading_due(self) -> list[Line]:
        heading, self._heading = self._heading, []
        return heading

    def _closed(self) -> list[Line]:
        """The lines of the tasks that have ended."""
        due: list[Line] = []
        for tally in self._tasks.values():
            due += tally.rendered()
            self._summaries += tally.summaries()
            for text, hosts in tally.warned():
                if text not in self._warned:
                    due.append(Line(f"{text} [{hosts}]", Tone.WARNING))
                    if len(self._warned) < _MOST_WARNINGS:
                        self._warned.add(text)
        self._tasks.clear()
        self._pending.clear()
        return [*self._heading_due(), *due] if due else []

    def _told_last(self) -> list[Line]:
        told, self._summaries = self._summaries, []
        return [Line(""), *told] if told else []
