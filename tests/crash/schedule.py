# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which fault a seed is: one seed is one schedule, whatever the machine and whatever other seeds are run beside it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .kinds import ACTIVATE, KINDS, MOMENTS, Kind

CALLS = Path(__file__).with_name("calls.yml")
LEAST = 2
"""A fault is worth a schedule where a playbook makes that many calls of its kind: one goes before it, or another follows."""


@dataclass(frozen=True)
class Schedule:
    """A fault in a run.

    Attributes:
        seed: What it is drawn from.
        playbook: Its name without the collection's.
        kind: What happens.
        where: For a fault on one action of a host: action and class. Otherwise the channel.
        nth: The call that it hits, 1 for the first.
        rule: The rule of the kind, with one of several values chosen.
    """

    seed: int
    playbook: str
    kind: Kind
    where: str
    nth: int
    rule: Mapping[str, Any]

    def __str__(self) -> str:
        chosen = ", ".join(f"{name} {value}" for name, value in self.rule.items() if name in ("hresult", "code", "seconds"))
        at = f"{self.where}, call {self.nth}"
        return f"{self.seed}: {self.playbook} x {self.kind.name} ({at}{f', {chosen}' if chosen else ''})"


def recorded() -> dict[str, dict[str, Any]]:
    """By playbook how many calls of each kind a run without faults makes; ``python -m crash --record`` writes it."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(CALLS.read_text(encoding="utf-8"))
    return found


def places(calls: Mapping[str, Any], kind: Kind) -> dict[str, int]:
    """Where a kind of fault may strike in a run with these calls, with how many there are; nothing where they are too few."""
    wire: dict[str, int] = calls.get("wire", {})
    if kind.channel == "wire":
        found = dict(wire)
    elif kind.channel == "activation":
        found = {where: count for where, count in wire.items() if where.startswith(ACTIVATE)}
    elif kind.channel == "moment":
        found = {**wire, **{name: int(calls.get(name, 0)) for name in MOMENTS}}
    else:
        found = {kind.channel: int(calls.get(kind.channel, 0))}
    return {where: count for where, count in found.items() if count} if sum(found.values()) >= LEAST else {}


def applicable(playbook: str, calls: Mapping[str, Any]) -> list[Kind]:
    """The kinds that a playbook can meet, in an order of its own, so that neighbouring seeds differ."""
    found = [kind for kind in KINDS if places(calls, kind)]
    random.Random(playbook).shuffle(found)
    return found


def draw(seed: int, known: Mapping[str, Mapping[str, Any]] | None = None) -> Schedule:
    """The schedule of a seed: neighbouring seeds go through the playbooks, and then through the kinds of each."""
    known = recorded() if known is None else known
    playbooks = sorted(known)
    playbook = playbooks[seed % len(playbooks)]
    kinds = applicable(playbook, known[playbook])
    kind = kinds[seed // len(playbooks) % len(kinds)]
    dice = random.Random(seed)
    where, count = dice.choice(sorted(places(known[playbook], kind).items()))
    nth = dice.randint(1, count)
    rule = {name: dice.choice(value) if isinstance(value, list) else value for name, value in kind.rule.items()}
    return Schedule(seed, playbook, kind, where, nth, rule)


def seeds_from(first: int, only: str = "", known: Mapping[str, Mapping[str, Any]] | None = None) -> Iterator[int]:
    """Seeds from a first one on, of all playbooks or of one."""
    known = recorded() if known is None else known
    seed = first
    while True:
        if not only or draw(seed, known).playbook == only:
            yield seed
        seed += 1


def matrix(known: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Playbooks by kinds as lines of text: how many calls there are to hit, or n/a."""
    playbooks = sorted(known)
    width = max(len(kind.name) for kind in KINDS)
    lines = [f"{chr(ord('A') + number)}: {playbook}" for number, playbook in enumerate(playbooks)]
    lines.append(f"{'':{width}} {''.join(f'{line[0]:>5}' for line in lines)}")
    for kind in KINDS:
        counts = [sum(places(known[playbook], kind).values()) for playbook in playbooks]
        cells = [str(count or "n/a").rjust(5) for count in counts]
        lines.append(f"{kind.name:{width}} {''.join(cells)}")
    pairs = sum(bool(places(known[playbook], kind)) for playbook in playbooks for kind in KINDS)
    return [
        *lines,
        f"{pairs} of {len(KINDS) * len(playbooks)} pairs; the others are n/a, because the playbook has less than {LEAST} such calls",
    ]
