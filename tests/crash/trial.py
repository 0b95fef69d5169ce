# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One schedule: a run that meets the fault, a run without it, and what has to hold after each."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from lab.play import Run

from . import checks
from .claims import untrue
from .sampling import Sampler
from .schedule import Schedule
from .striking import Strike
from .world import FOREIGN_SID, Seen, World
from .writer import OTHER, Writer

UNKNOWN = "nobody knows"


@dataclass
class Verdict:
    """What came of a schedule.

    Attributes:
        schedule: It in words.
        hits: How many calls have met the fault; 0 where the run had ended before.
        codes: The exit codes of the runs.
        broken: What does not hold; empty where all does.
        seconds: How long it took.
    """

    schedule: str
    hits: int = 0
    codes: list[int] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        state = "BROKEN" if self.broken else "held" if self.hits else "not hit"
        return "\n".join(
            [f"{state}: {self.schedule}; exit codes {self.codes}, {self.seconds:.0f} s", *(f"    {line}" for line in self.broken)]
        )

    def plain(self) -> dict[str, Any]:
        """For a file."""
        return asdict(self)


@dataclass
class Wanted:
    """A run without faults: how it ends, which keys it installs, and which calls it makes."""

    seen: Seen
    installs: Any
    calls: dict[str, Any]


def undisturbed(world: World) -> Wanted:
    """Run the playbook without faults.

    Raises:
        RuntimeError: It fails, so that no fault could be told from that.
    """
    from .calls import Counting  # noqa: PLC0415  # it needs a world as well

    world.begin()
    with Counting(world).counting() as calls:
        run = world.run()
    world.lab.control.settle()
    if run.rc:
        raise RuntimeError(f"{world.playbook} fails without any fault:\n{run.output[-5000:]}")
    return Wanted(world.seen(), checks.installs(world.requests()), calls)


@dataclass
class Trace:
    """What was seen of a schedule: before it, after the run with the fault, and at the end of the runs without it.

    Attributes:
        first: The run that met the fault.
        runs: All runs, the first one among them.
        installs: By host how many product keys were installed in all of them.
        dark: The sites that were without a serving KMS host at some time.
        unknown: How many activations were asked for once more, because nobody knew their end; each may be counted twice.
    """

    schedule: Schedule
    before: Seen
    after: Seen
    end: Seen
    runs: list[Run]
    installs: Any
    strike: Strike
    dark: set[str]
    unknown: int
    seconds: float

    @property
    def first(self) -> Run:
        return self.runs[0]


def ran(world: World, schedule: Schedule) -> Trace:
    """Run the playbook with the fault, then without; where it says that the end of an activation is unknown, once more as the documentation says."""
    begun = time.monotonic()
    before = world.begin()
    strike, sampler = Strike(world, schedule), Sampler(world)
    with sampler.looking(), strike.armed():
        runs = [world.run()]
    # Before the rules are gone that have counted them.
    hits = strike.hits
    strike.undo()
    strike.hits_before_the_end = hits
    after, requests = world.seen(), list(world.requests())
    with sampler.looking():
        runs.append(world.run())
    unknown = 0
    if runs[-1].rc and world.documented() and _unknown(runs[-1]):
        unknown = world.unanswered()
        runs.append(world.run(world.documented()))
    world.lab.control.settle()
    later = [entry for entry in world.requests()[len(requests) :] if not entry["injected"]]
    installs = checks.installs(requests, schedule) + checks.installs(later)
    return Trace(schedule, before, after, world.seen(), runs, installs, strike, sampler.dark, unknown, time.monotonic() - begun)


def judged(trace: Trace, wanted: Wanted) -> Verdict:
    """What does not hold of a schedule."""
    end, last, strike = trace.end, trace.runs[-1], trace.strike
    extra = trace.unknown
    verdict = Verdict(str(trace.schedule), strike.hits_before_the_end, [run.rc for run in trace.runs], seconds=trace.seconds)
    verdict.broken += _after_the_fault(trace.before, wanted, trace.after, trace.first)
    if last.rc:
        verdict.broken.append(f"the clean run fails: {'; '.join(last.failures()[-2:]) or last.output[-1500:]}")
    if strike.hung:
        verdict.broken.append("the run with the fault did not end by itself")
    verdict.broken += [
        *(f"the site {site or 'of the run'} was without a serving KMS host" for site in sorted(trace.dark)),
        *_kept(trace.before, wanted, end),
        *_overwritten(strike.other),
        *checks.counted(wanted.seen, end, extra),
        *checks.installed_twice(wanted.installs, trace.installs),
        *checks.stopped(end),
        *checks.elsewhere(_with_changes(wanted.seen, end), end, ["spent"] if extra else []),
        *(f"after the clean run: {line}" for line in untrue(last, end)),
    ]
    return verdict


def tried(world: World, schedule: Schedule, wanted: Wanted) -> Verdict:
    """Both."""
    return judged(ran(world, schedule), wanted)


def _after_the_fault(before: Seen, wanted: Wanted, after: Seen, run: Run) -> Sequence[str]:
    found = [*_kept(before, wanted, after), *checks.counted(wanted.seen, after), *untrue(run, after)]
    crashed = [line for line in run.failures() if "report it" in line or "Traceback" in line]
    return [f"after the fault: {line}" for line in [*found, *crashed]]


def _kept(before: Seen, wanted: Wanted, now: Seen) -> list[str]:
    return [*checks.lost(before, now), *checks.wider(before, wanted.seen, now)]


def _overwritten(other: Writer | None) -> list[str]:
    if other is None or not other.lost:
        return []
    return [f"{other.lost} of {other.turns} changes that another writer made in the list are lost"]


def _unknown(run: Run) -> bool:
    return any(UNKNOWN in line or "ask_again" in line for line in [*run.failures(), run.output])


def _with_changes(wanted: Seen, end: Seen) -> Seen:
    """With the ACE and the entries that the fault itself has put there."""
    found = copy.deepcopy(wanted)
    for zone, aces in end.aces.items():
        new = [ace for ace in aces if f"{FOREIGN_SID[:-1]}2" in ace]
        found.aces[zone] = sorted([*found.aces.get(zone, []), *new])
    found.listed |= {entry: known for entry, known in end.listed.items() if entry.startswith(OTHER)}
    return found
