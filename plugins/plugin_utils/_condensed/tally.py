# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of one task, as one line with counts and below it what its hosts changed, failed with and said. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .answers import TaskAnswer, TaskOutcome
from .kinds import Hosts, Kinds
from .lines import Line, Tone, in_two_columns, lines
from .texts import Block, Sentence

MOST_SHOWN = 8
"""How many kinds of differences, failures or messages of one task are shown."""


_TONES = {
    TaskOutcome.FAILED: Tone.FAILED,
    TaskOutcome.UNREACHABLE: Tone.UNREACHABLE,
    TaskOutcome.FAILED_IGNORED: Tone.CHANGED,
    TaskOutcome.UNREACHABLE_IGNORED: Tone.CHANGED,
    TaskOutcome.CHANGED: Tone.CHANGED,
    TaskOutcome.OK: Tone.OK,
}
# How much of a task's name is left where hosts that it waits for are named beside it, in characters.
_LEAST_NAME = 30
# The worst first: it gives the line its colour.
_WORST_FIRST = tuple(_TONES)


@dataclass(frozen=True, slots=True)
class ViewSettings:
    """How much is shown.

    Attributes:
        width: Of the output, in characters.
        names: How many names of hosts are shown; all of them without a number.
        everything: Whether tasks and hosts that were skipped are shown, and all kinds of answers.
        every: Seconds after which a task under way says how far it is; 0 for never.
    """

    width: int = 79
    names: int | None = 3
    everything: bool = False
    every: float = 5

    @property
    def kinds(self) -> int:
        """How many kinds of answers are shown."""
        return 10_000 if self.everything else MOST_SHOWN


@dataclass(slots=True)
class TaskTally:
    """What is known of one task.

    Attributes:
        name: Of the task.
        started: When it began.
        total: On how many hosts it runs; C(None) where that is not known.
        aside: It keeps something for later tasks or jobs, which is not worth a line.
        counts: How many hosts came to which end.
        included: How many hosts have included the tasks of a file or role, which is no end of their own.
        retries: How many times a host tried again.
        running: The hosts that it is under way on.
    """

    name: str
    settings: ViewSettings
    started: float
    total: int | None = None
    aside: bool = False
    counts: Counter[TaskOutcome] = field(default_factory=Counter)
    included: int = 0
    retries: int = 0
    running: dict[str, None] = field(default_factory=dict)
    _failures: dict[TaskOutcome, Kinds[str]] = field(init=False, default_factory=dict)
    _differences: Kinds[Block] = field(init=False)
    _said: Kinds[str | Block] = field(init=False)
    _summary: Kinds[tuple[str, ...]] = field(init=False)
    _warnings: Kinds[str] = field(init=False)

    def __post_init__(self) -> None:
        names = self.settings.names
        self._differences, self._said, self._summary, self._warnings = Kinds(names), Kinds(names), Kinds(names), Kinds(names)

    def add(self, host: str, outcome: TaskOutcome, answer: TaskAnswer) -> None:
        """A host is done."""
        self.counts[outcome] += 1
        self._differences.add(answer.differences, host)
        self._said.add(answer.said, host)
        self._summary.add(answer.summary, host)
        self._warnings.add(answer.warnings, host)
        if answer.failures:
            self._failures.setdefault(outcome, Kinds(self.settings.names)).add(answer.failures, host)

    def progress(self, now: float) -> Line:
        """How far it is, and for whom it waits where there is room for their names."""
        done = self.counts.total() + self.included
        parts = [f"{now - self.started:.0f} s"]
        if self.total and done <= self.total > 1:
            parts.insert(0, f"{done} of {self.total} hosts")
        elif done:
            parts.insert(0, "1 host" if done == 1 else f"{done} hosts")
        if self.retries:
            parts.append(f"{self.retries} retries")
        waiting = f"waiting for {', '.join(self.running)}"
        room = self.settings.width - _LEAST_NAME - len(", ".join(parts))
        if self.total and 0 < len(self.running) == self.total - done and len(waiting) < room:
            parts.append(waiting)
        return Line(in_two_columns(f"  ... {self.name}", ", ".join(parts), self.settings.width), Tone.PROGRESS)

    def rendered(self) -> Iterator[Line]:
        """Its line, and what is below it; nothing where no host did anything."""
        settings = self.settings
        shown = [outcome for outcome in TaskOutcome if self.counts[outcome] and (settings.everything or outcome is not TaskOutcome.SKIPPED)]
        if not shown or (not settings.everything and self._is_beside(shown)):
            return
        counts = ", ".join(f"{self.counts[outcome]} {outcome.value}" for outcome in shown)
        if settings.everything and self.retries:
            counts += f", {self.retries} retries"
        tone = next((_TONES[outcome] for outcome in _WORST_FIRST if self.counts[outcome]), Tone.PLAIN)
        yield Line(in_two_columns(f"  {self.name}", counts, settings.width), tone)
        for outcome, failures in self._failures.items():
            yield from self._sentences(failures, f"{outcome.value}: ", _TONES.get(outcome, Tone.PLAIN))
        yield from self._blocks(self._differences)
        yield from self._blocks(self._said)

    def _is_beside(self, shown: Sequence[TaskOutcome]) -> bool:
        """Whether its line tells nothing that is not told elsewhere: all went well, and it has no message but one for the end of the run."""
        told_last = bool(self._summary.shown(1)[0]) and self.counts.total() == (self.total or 1)
        told_here = any(kinds.shown(1)[0] for kinds in (self._differences, self._said))
        return shown == [TaskOutcome.OK] and (self.aside or told_last) and not told_here

    def _sentences(self, kinds: Kinds[str], before: str, tone: Tone) -> Iterator[Line]:
        shown, others = kinds.shown(self.settings.kinds)
        texts = [f"{before}{hosts}: {_told_of(text, hosts)}" for text, hosts in shown]
        if others.count:
            texts.append(f"{before}{others}: other messages")
        return lines(texts, self.settings.width, 4, tone)

    def _blocks(self, kinds: Kinds[Block] | Kinds[str | Block]) -> Iterator[Line]:
        """Differences and messages, each below the hosts that it is of where there are several."""
        shown, others = kinds.shown(self.settings.kinds)
        for entry, hosts in shown:
            texts = entry.shown() if isinstance(entry, Block) else [entry]
            told_by_all = len(shown) == 1 and not others.count and hosts.count == self.counts.total() and isinstance(entry, str)
            if told_by_all:
                yield from lines(texts, self.settings.width, 4)
            elif len(texts) == 1:
                yield from lines([f"{hosts}: {texts[0]}"], self.settings.width, 4)
            else:
                yield from lines([f"{hosts}:"], self.settings.width, 4)
                for text in texts:
                    yield from lines([text], self.settings.width, 6, _tone_of(text))
        if others.count:
            yield from lines([f"{others}: others"], self.settings.width, 4)

    def summaries(self) -> Iterator[Line]:
        """What is told at the end of the run, below the name of the task."""
        shown, others = self._summary.shown(self.settings.kinds)
        for texts, hosts in shown:
            of_whom = "" if len(shown) == 1 and hosts.count == self.counts.total() else f" ({hosts})"
            yield Line(f"{self.name}{of_whom}")
            yield from lines(texts, self.settings.width, 2)
        if others.count:
            yield Line(f"{self.name}: others on {others}")

    def warned(self) -> Iterator[tuple[str, Hosts]]:
        """Each warning, with the hosts that it came from."""
        return ((_told_of(text, hosts), hosts) for text, hosts in self._warnings.shown(self.settings.kinds)[0])


def _told_of(text: str, hosts: Hosts) -> str:
    return text.own if hosts.count == 1 and isinstance(text, Sentence) else text


def _tone_of(text: str) -> Tone:
    return {"+": Tone.ADDED, "-": Tone.REMOVED}.get(text[:1], Tone.PLAIN)
