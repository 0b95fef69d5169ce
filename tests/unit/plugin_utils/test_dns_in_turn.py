# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several records by one task: whoever reads of a failure knows what was done before it, and what was not begun."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import Step, StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.srv_record import PendingRecord, RecordOutcome, in_turn

pytestmark = pytest.mark.tier("quick")


def step(name: str, number: int = 1) -> Step:
    return Step(f"SRV {name}", f"value {number}", "absent", "present")


def made(name: str) -> PendingRecord:
    return PendingRecord([step(name)], lambda: RecordOutcome([step(name)], {"name": name}, []))


def failing(name: str, failure: Callable[[], Exception]) -> PendingRecord:
    def make() -> RecordOutcome:
        raise failure()

    return PendingRecord([step(name), step(name, 2)], make)


def test_all_are_made() -> None:
    assert [outcome.result["name"] for outcome in in_turn([made("a"), made("b")])] == ["a", "b"]


def test_a_failed_step_is_told_with_what_was_done_before_and_what_was_not_begun() -> None:
    def refused() -> Exception:
        return StepFailed(step("b", 2), [step("b")], [step("b", 3)])

    with pytest.raises(StepFailed) as found:
        in_turn([made("a"), failing("b", refused), made("c")])
    assert found.value.step == step("b", 2)
    assert found.value.done == [step("a"), step("b")]
    assert found.value.remaining == [step("b", 3), step("c")]


def test_one_that_does_not_show_is_told_like_a_failed_step() -> None:
    reason = ActivationError("It does not show.")
    with pytest.raises(StepFailed) as found:
        in_turn([made("a"), failing("b", lambda: reason), made("c")])
    assert found.value.__cause__ is reason
    assert (found.value.step, found.value.done, found.value.remaining) == (step("b"), [step("a")], [step("b", 2), step("c")])


def test_the_only_one_fails_as_it_is() -> None:
    with pytest.raises(ActivationError, match="not shown"):
        in_turn([failing("a", lambda: ActivationError("not shown"))])
