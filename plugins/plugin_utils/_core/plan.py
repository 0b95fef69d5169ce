# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change is a plan before it is made: what, from which value, to which value, by which call.

Check mode shows the plan, diff mode prints it, a real run carries it out step by step.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class StepKind(StrEnum):
    """What a step is about, for whoever decides by it; C(attribute) is for people."""

    KEY = "product_key"
    LICENSE = "license"
    SETTING = "setting"
    PORT = "listening_port"
    SERVICE = "service"
    PROGRAM = "program"
    SUFFIXES = "dns_suffixes"
    URL = "alternate_url"
    CONFIRMATION = "confirmation_id"
    ENTRY = "directory_entry"
    DESCRIPTION = "description"
    MEMBER = "member"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one attribute of one object.

    Attributes:
        object: What is changed, named so that it means something outside the task: C(kms-1.contoso.com) or
            C(dnsNode _vlmcs._tcp.contoso.com).
        attribute: Which property of it.
        before: Its value now, as JSON can hold it; C(None) where there is none.
        after: Its value afterwards.
        how: The call that makes the change, such as C(SoftwareLicensingService.InstallProductKey).
        after_step: The earlier step that this one needs. Check mode cannot look behind it, so the plan says so.
        decided_by_target: Which of C(before) and C(after) only the target can know until the step was made.
        kind: What it is about.
    """

    object: str
    attribute: str
    before: Any
    after: Any
    how: str = ""
    after_step: str = ""
    decided_by_target: tuple[str, ...] = ()
    kind: StepKind = StepKind.OTHER

    def as_result(self) -> dict[str, Any]:
        """The step as a task result shows it."""
        shown: dict[str, Any] = {
            "object": self.object,
            "attribute": self.attribute,
            "before": self.before,
            "after": self.after,
            "how": self.how,
        }
        if self.kind is not StepKind.OTHER:
            shown["kind"] = self.kind.value
        if self.after_step:
            shown["depends"] = f"after {self.after_step}"
        if self.decided_by_target:
            shown["decided_by_target"] = list(self.decided_by_target)
        return shown

    def __str__(self) -> str:
        return f"{self.object}: {self.attribute}"


class StepFailed(Exception):
    """A step raised; its cause is C(__cause__). What was done before stays done, what remains was not begun."""

    def __init__(self, step: Step, done: list[Step], remaining: list[Step]) -> None:
        super().__init__(str(step))
        self.step = step
        self.done = done
        self.remaining = remaining


@dataclass(slots=True)
class Plan:
    """Steps in the order in which they are made."""

    _entries: list[tuple[Step, Callable[[], Any]]] = field(default_factory=list)

    def add(self, step: Step, apply: Callable[[], Any]) -> None:
        """Append a step and the call that makes it."""
        self._entries.append((step, apply))

    def extend(self, other: Plan) -> None:
        """Append all steps of another plan."""
        self._entries.extend(other._entries)

    @property
    def steps(self) -> list[Step]:
        """The steps, in order."""
        return [step for step, _apply in self._entries]

    def __bool__(self) -> bool:
        return bool(self._entries)

    @contextlib.contextmanager
    def reading_back(self, name: str) -> Iterator[None]:
        """What is read after all steps were made: where that fails, they stay done, and the result has to say so.

        Args:
            name: The object whose state is read.

        Raises:
            StepFailed: The state could not be read, or is not as wanted.
        """
        try:
            yield
        except StepFailed:
            raise
        except Exception as cause:
            raise StepFailed(Step(name, "state read back", None, None), self.steps, []) from cause

    def run(self) -> None:
        """Make every step.

        Raises:
            StepFailed: A step raised. Later steps were not begun.
        """
        steps = self.steps
        for number, (step, apply) in enumerate(self._entries):
            try:
                apply()
            except Exception as failure:
                # What a step does may be a plan of its own, of which the reason is told and not the step.
                reason = failure.__cause__ if isinstance(failure, StepFailed) else failure
                raise StepFailed(step, steps[:number], steps[number + 1 :]) from reason
