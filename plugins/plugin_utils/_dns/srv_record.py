# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SRV values of one name: read, compared, changed value by value, and read back.

Nothing is believed of an answer to an update but a refusal: Samba 4.17 signs it wrongly, and a server can say yes before it
shows anything. What counts is what the same server holds afterwards.
"""

from __future__ import annotations

import secrets
import time
import typing as t
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from .._core.errors import ActivationError
from .._core.plan import Plan, Step, StepFailed
from .._srv.value import SrvValue
from .channel import NoDnsAnswer
from .rrset import Held, RrsetChange, RrsetWish, changed, changes, doubtful_targets, outstanding
from .update import OvertakenError, Zone, batches

_PER_MESSAGE = 200
_MOST_ROUNDS = 20
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0


@dataclass(slots=True)
class RecordOutcome:
    """What was done, or in check mode would be done."""

    steps: list[Step]
    result: dict[str, t.Any]
    diff: list[dict[str, t.Any]]
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a record held when it was read, and what has to be done with it."""

    before: Held
    planned: list[RrsetChange]


@dataclass(frozen=True, slots=True)
class Record:
    """A name that holds SRV values.

    Attributes:
        zone: The zone, on the server that is read and written.
        owner: The whole name.
        patience: Seconds that the server may take to show what it accepted.
    """

    zone: Zone
    owner: str
    patience: float

    def look(self, wish: RrsetWish) -> Looked:
        """Read the record, and see that it may be changed where something is due.

        Raises:
            ActivationError: It can't be read, or the server does not hold the zone.
        """
        before = self.zone.read(self.owner)
        planned = changes(wish, before)
        if planned:
            # Before the first change, and in check mode as well: an answer with no values says little about the zone.
            self.zone.check_authority()
            if before and not self.zone.has_record(self.owner):
                before = {}
                planned = changes(wish, before)
        return Looked(before, planned)

    def make(self, wish: RrsetWish, looked: Looked, check_mode: bool) -> RecordOutcome:
        """Bring the values to what is wished for, and see them there.

        Raises:
            ActivationError: It is not as it should be in the end.
            StepFailed: The server refused a change.
        """
        before, planned = looked.before, looked.planned
        if check_mode and planned:
            self.zone.check_updates()
        if check_mode or not planned:
            return self.outcome(wish, before, changed(before, planned), self.steps_of(wish, looked))
        made: list[Step] = []
        held = before
        for turn in range(_MOST_ROUNDS):
            plan = self._plan(wish, held, planned)
            try:
                plan.run()
            except StepFailed as failure:
                made += failure.done
                if not isinstance(failure.__cause__, OvertakenError):
                    raise StepFailed(failure.step, made, failure.remaining) from failure.__cause__
                # Whoever was faster is likely to be one of several; the pauses must not be in step.
                time.sleep(secrets.SystemRandom().uniform(0, _FIRST_PAUSE * (turn + 1)))
                held = self.zone.read(self.owner)
            else:
                made += plan.steps
                held = self._shown(planned)
            planned = changes(wish, held)
            if not planned:
                return self.outcome(wish, before, held, made)
        raise ActivationError(
            f"Others changed {self.owner} on {self.zone.channel.server} {_MOST_ROUNDS} times in a row, so that it is still not as it should "
            f"be ({_listed(planned)}). Run it again when they are done.",
            source="dns",
        )

    def steps_of(self, wish: RrsetWish, looked: Looked) -> list[Step]:
        """What is due, one step for each value."""
        return self._plan(wish, looked.before, looked.planned).steps

    def _plan(self, wish: RrsetWish, held: Held, planned: Sequence[RrsetChange]) -> Plan:
        """One step for each value; the first of a message sends it, and it takes all of them or none."""
        plan = Plan()
        # Who adds or removes values of its own needs to know nothing of the others; who makes a whole of them, or replaces what
        # could have gone meanwhile, does.
        guarded = wish.state == "exact" or any(change.before is not None and change.after is not None for change in planned)
        for batch in batches(planned, _PER_MESSAGE):
            send = self._sender(batch, held if guarded else None)
            held = changed(held, batch)
            for number, change in enumerate(batch):
                plan.add(self._step(change), _nothing if number else send)
        return plan

    def _sender(self, batch: Sequence[RrsetChange], unless_changed: Held | None) -> Callable[[], None]:
        def send() -> None:
            try:
                self.zone.change(self.owner, batch, unless_changed)
            except NoDnsAnswer as silent:
                # It may have been done all the same: that is looked up, and never sent again unseen.
                if left := outstanding(batch, self.zone.read(self.owner)):
                    raise ActivationError(
                        f"{silent.message} The update of {self.owner} does not show there ({_listed(left)}). Run it again.", source="dns"
                    ) from None

        return send

    def _shown(self, made: Sequence[RrsetChange]) -> dict[SrvValue, int]:
        """What the server holds as soon as it shows the changes."""
        return self._polled(lambda held: outstanding(made, held), "accepted the update of")

    def wait_for(self, wish: RrsetWish) -> None:
        """Wait until the server shows what was written past it, into the directory that it takes its zone from.

        Raises:
            ActivationError: It does not show it in time.
        """
        self._polled(lambda held: changes(wish, held), "got by the directory what was written to")

    def _polled(self, lacking: Callable[[Held], list[RrsetChange]], what: str) -> dict[SrvValue, int]:
        """What the server holds as soon as nothing is lacking any more.

        Raises:
            ActivationError: Something is in the end.
        """
        deadline = time.monotonic() + self.patience
        pause = _FIRST_PAUSE
        while True:
            held = self.zone.read(self.owner)
            left = lacking(held)
            if not left:
                return held
            if time.monotonic() + pause > deadline:
                raise ActivationError(
                    f"{self.zone.channel.server} {what} {self.owner} but did not show it within {self.patience:g} s "
                    f"({_listed(left)}). Somebody else may have undone it; look into the server's log.",
                    source="dns",
                )
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _step(self, change: RrsetChange) -> Step:
        subject, how = f"SRV {self.owner}", f"DNS update of {self.zone.name} on {self.zone.channel.server.name}, {self.zone.signer.shown}"
        if change.before is not None and change.after is not None:
            return Step(subject, f"ttl of {change.value}", change.before, change.after, how)
        there, not_there = "present", "absent"
        before, after = (not_there, there) if change.before is None else (there, not_there)
        return Step(subject, f"value {change.value}", before, after, how)

    def outcome(self, wish: RrsetWish, before: Held, after: Held, steps: list[Step]) -> RecordOutcome:
        """The result of a task that found C(before) and leaves C(after)."""
        wanted = {value.target for value in wish.values}
        result = {
            "name": self.owner,
            "before": _rows(before),
            "after": _rows(after),
            "ttl": min(after.values(), default=None),
            "others": [row for row in _rows(after) if row["target"] not in wanted],
        }
        diff = [
            {
                "before": _zone_lines(self.owner, before),
                "after": _zone_lines(self.owner, after),
                "before_header": f"{self.owner} SRV now",
                "after_header": f"{self.owner} SRV wanted",
            }
        ]
        warnings = [
            f"The target {target} has an underscore, which a host's name may not have (RFC 1123); BIND refuses it by default."
            for target in doubtful_targets(wish)
        ]
        return RecordOutcome(steps, result, diff, warnings)


@dataclass(frozen=True, slots=True)
class PendingRecord:
    """One of several records that a task makes.

    Attributes:
        due: What is to be done, as far as it is known.
        make: Does it.
    """

    due: list[Step]
    make: Callable[[], RecordOutcome]


def in_turn(turns: Sequence[PendingRecord]) -> list[RecordOutcome]:
    """Make one record after the other.

    Raises:
        ActivationError: The first and only one is not as it should be in the end.
        StepFailed: One is not; what was done with those before it stays done.
    """
    done: list[RecordOutcome] = []
    for number, turn in enumerate(turns):
        try:
            done.append(turn.make())
        except (StepFailed, ActivationError) as failure:
            made = [step for outcome in done for step in outcome.steps]
            later = [step for other in turns[number + 1 :] for step in other.due]
            if isinstance(failure, StepFailed):
                raise StepFailed(failure.step, [*made, *failure.done], [*failure.remaining, *later]) from failure.__cause__
            if not made and not later:
                raise
            raise StepFailed(turn.due[0], made, [*turn.due[1:], *later]) from failure
    return done


def ensure_all(wished: Sequence[tuple[Record, RrsetWish]], check_mode: bool) -> list[RecordOutcome]:
    """Bring names of one zone to what is wished for, one after the other; all are read before the first one is changed.

    Raises:
        ActivationError: One can't be read, and nothing was changed; or the only one is not as it should be in the end.
        StepFailed: One is not as it should be in the end.
    """
    looked = [(record, wish, record.look(wish)) for record, wish in wished]
    return in_turn(
        [PendingRecord(record.steps_of(wish, seen), partial(record.make, wish, seen, check_mode)) for record, wish, seen in looked]
    )


def _nothing() -> None:
    """The change went along with the message of an earlier step."""


def _rows(held: Held) -> list[dict[str, t.Any]]:
    return [
        {"target": value.target, "port": value.port, "priority": value.priority, "weight": value.weight, "ttl": ttl}
        for value, ttl in sorted(held.items())
    ]


def _zone_lines(owner: str, held: Held) -> str:
    return "".join(f"{owner}. {ttl} IN SRV {str(value).rstrip('.')}.\n" for value, ttl in sorted(held.items()))


def _listed(planned: Sequence[RrsetChange], most: int = 3) -> str:
    shown = [f"{'no longer ' if change.after is None else ''}{change.value}" for change in planned[:most]]
    return f"missing: {', '.join(shown)}" + (f" and {len(planned) - most} more" if len(planned) > most else "")
