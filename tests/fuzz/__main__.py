# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m fuzz``: changed inputs by seed for each parser, each of which is repeated by its seed alone.

The files of C(build/fuzz) are what was found; ``--file`` repeats one without its seed.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random, SystemRandom

from . import FOUND, controllers, corpus, files, hosts, microsoft, names
from .judge import Finding, Judged, Parser, judge

PARSERS = {parser.name: parser for module in (hosts, controllers, names, files, microsoft) for parser in module.PARSERS}
BUILD = Path(__file__).resolve().parents[2] / "build" / "fuzz"
_MEMORY_EACH = 100
_MOST_MEMORY = 3 * 1024**3


@dataclass
class Tried:
    """What came of a parser's inputs.

    Attributes:
        inputs: How many there were.
        outcomes: By outcome how many inputs had it.
        found: By kind the first seed with such a finding, and what it was.
        counts: By kind how many inputs had it.
    """

    inputs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    found: dict[str, tuple[int, Finding]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, seed: int, judged: Judged) -> list[Finding]:
        """Count an input; those of its findings that are of a new kind."""
        self.inputs += 1
        self.outcomes[judged.outcome] += 1
        kinds = {finding.kind: finding for finding in judged.findings}
        new = [finding for kind, finding in kinds.items() if kind not in self.found]
        self.counts.update(kinds.keys())
        self.found.update((finding.kind, (seed, finding)) for finding in new)
        return new

    def __str__(self) -> str:
        taken = 100 * self.outcomes["taken"] // max(self.inputs, 1)
        refusals = len(self.outcomes.keys() - {"taken", "finding"})
        return f"{self.inputs} inputs, {taken} % taken, {refusals} different refusals, {len(self.found)} kinds of findings"


def seeds_of(name: str) -> list[bytes]:
    """The seeds of a parser, in the order of their names."""
    return [path.read_bytes() for path in sorted(corpus(name).iterdir()) if not path.name.startswith(FOUND)]


def input_of(parser: Parser, seed: int, seeds: list[bytes]) -> bytes:
    """The input of a seed."""
    draw = Random(f"{parser.name} {seed}")
    return parser.mutate(draw, draw.choice(seeds), seeds)


def fuzz(parser: Parser, first: int, inputs: int, seconds: float, keep: Path | None) -> Tried:
    """Try the inputs of consecutive seeds, until there were so many or the time is over."""
    tried, seeds = Tried(), seeds_of(parser.name)
    until = time.monotonic() + seconds
    for seed in range(first, first + inputs):
        if time.monotonic() >= until:
            break
        data = input_of(parser, seed, seeds)
        for finding in tried.add(seed, judge(parser, data, memory=seed % _MEMORY_EACH == 0)):
            where = kept(parser, seed, data, keep) if keep else ""
            print(f"FOUND {parser.name} {seed}: {finding.kind}: {finding.text}\n  repeat it: {command(parser, seed)}{where}", flush=True)
    return tried


def kept(parser: Parser, seed: int, data: bytes, folder: Path) -> str:
    """Write an input that was a finding."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{parser.name}-{seed}"
    path.write_bytes(data)
    return f"\n  the input: {path}"


def command(parser: Parser, seed: int) -> str:
    """How to repeat one input."""
    return f"make fuzz ONLY={parser.name} SEED={seed} INPUTS=1"


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--only", default="", metavar="PARSERS", help=f"with commas between them, of {', '.join(PARSERS)}")
    parser.add_argument("--minutes", type=float, default=1.0, help="for each parser")
    parser.add_argument("--seed", type=int, default=None, help="of the first input; the next have the numbers behind it")
    parser.add_argument("--inputs", type=int, default=10**12, help="for each parser at most")
    parser.add_argument("--file", type=Path, default=None, help="an input that was written down, for the one parser of --only")
    asked = parser.parse_args(given)
    asked.parsers = [name for name in asked.only.split(",") if name] or list(PARSERS)
    if unknown := sorted(set(asked.parsers) - set(PARSERS)):
        parser.error(f"there is no parser {', '.join(unknown)}; there are {', '.join(PARSERS)}")
    if asked.file and len(asked.parsers) != 1:
        parser.error("--file needs one parser: --only NAME")
    return asked


def main() -> int:
    """0 where nothing was found."""
    asked = arguments()
    # What takes all memory is a finding, and not the end of the machine.
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    if asked.file:
        judged = judge(PARSERS[asked.parsers[0]], asked.file.read_bytes(), memory=True)
        print(judged.outcome, *(f"{finding.kind}: {finding.text}" for finding in judged.findings), sep="\n")
        return 1 if judged.findings else 0
    first = SystemRandom().randrange(10**12) if asked.seed is None else asked.seed
    print(f"fuzz: seeds from {first} on", flush=True)
    summary = {}
    for name in asked.parsers:
        tried = fuzz(PARSERS[name], first, asked.inputs, 60 * asked.minutes, BUILD)
        print(f"{name}: {tried}", flush=True)
        summary[name] = {"inputs": tried.inputs, "taken": tried.outcomes["taken"], "found": dict(tried.counts)}
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / "summary.json").write_text(json.dumps({"first": first, "parsers": summary}, indent=1), encoding="utf-8")
    found = sum(len(row["found"]) for row in summary.values())
    print(f"{sum(row['inputs'] for row in summary.values())} inputs, {found} kinds of findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
