# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m crash``: schedules of faults by seed, each of which is repeated by its seed alone. Needs root and what the laboratory needs."""

from __future__ import annotations

import argparse
import itertools
import json
import signal
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from integration.networks import own_network

from . import planted
from .calls import record
from .labs import LABS, laboratory
from .schedule import Schedule, draw, matrix, recorded, seeds_from
from .trial import Verdict, Wanted, tried, undisturbed
from .world import world_of
from .worlds import WORLDS


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="crash", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed; one seed is one schedule")
    parser.add_argument("--schedules", type=int, default=1, metavar="K", help="how many seeds, from the first on")
    parser.add_argument(
        "--only", choices=sorted(WORLDS), default="", metavar="PLAYBOOK", help=f"seeds of one alone: {', '.join(sorted(WORLDS))}"
    )
    parser.add_argument("--resume", type=Path, metavar="FILE", help="keep verdicts in a file, and leave out seeds that are in it")
    parser.add_argument("--matrix", action="store_true", help="print playbooks by faults, and run nothing")
    parser.add_argument("--record", action="store_true", help="count the calls of a run without faults, and write them down")
    parser.add_argument(
        "--plant", choices=sorted(planted.BUGS), metavar="BUG", help=f"run a copy with a bug: {', '.join(sorted(planted.BUGS))}"
    )
    return parser.parse_args(given)


def by_lab(schedules: Iterable[Schedule]) -> list[Schedule]:
    """In an order in which each laboratory is started once, and each playbook is run without faults once."""
    labs = list(LABS)
    return sorted(schedules, key=lambda one: (labs.index(WORLDS[one.playbook].lab_name), one.playbook, one.seed))


class Kept:
    """Verdicts by seed, in a file that outlasts an interrupted run."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.verdicts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path and path.exists() else {}

    def has(self, seed: int) -> bool:
        """Whether a seed was run."""
        return str(seed) in self.verdicts

    def add(self, seed: int, verdict: Verdict) -> None:
        """Write it down."""
        self.verdicts[str(seed)] = verdict.plain()
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._path.with_suffix(".new")
            fresh.write_text(json.dumps(self.verdicts, indent=1), encoding="utf-8")
            fresh.replace(self._path)


def run(schedules: list[Schedule], kept: Kept, environment: Mapping[str, str]) -> None:
    """Run them, and print what comes of each."""
    for lab_name, of_lab in itertools.groupby(by_lab(schedules), lambda one: WORLDS[one.playbook].lab_name):
        with laboratory(lab_name) as lab:
            for name, group in itertools.groupby(of_lab, lambda one: one.playbook):
                with world_of(WORLDS[name], lab) as world:
                    wanted: Wanted = undisturbed(world)
                    world.environment = dict(environment)
                    for schedule in group:
                        verdict = tried(world, schedule, wanted)
                        kept.add(schedule.seed, verdict)
                        print(verdict, flush=True)


def count_calls(names: Iterable[str]) -> None:
    """Write down how many calls there are to hit."""
    for lab_name, of_lab in itertools.groupby(sorted(names, key=lambda name: WORLDS[name].lab_name), lambda name: WORLDS[name].lab_name):
        with laboratory(lab_name) as lab:
            for name in of_lab:
                with world_of(WORLDS[name], lab) as world:
                    record({name: undisturbed(world).calls})
                    print(f"counted {name}", flush=True)


def main() -> int:
    """0 where every schedule held."""
    asked = arguments()
    # Whoever ends it finds no laboratory left; what was run is in the file.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    if asked.matrix:
        print("\n".join(matrix(recorded())))
        return 0
    with own_network():
        if asked.record:
            count_calls([asked.only] if asked.only else WORLDS)
            return 0
        kept = Kept(asked.resume)
        seeds = list(itertools.islice(seeds_from(asked.seed, asked.only), asked.schedules))
        print("\n".join(matrix(recorded())))
        print(f"seeds {seeds[0]} to {seeds[-1]}, {sum(kept.has(seed) for seed in seeds)} of them done before", flush=True)
        with planted.collection(asked.plant) as environment:
            run([draw(seed) for seed in seeds if not kept.has(seed)], kept, environment)
    done = [kept.verdicts[str(seed)] for seed in seeds]
    broken = sum(bool(verdict["broken"]) for verdict in done)
    print(f"{len(done)} schedules, {sum(bool(verdict['hits']) for verdict in done)} hit, {broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
