# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan makes its steps in order, and says where it stopped."""

from __future__ import annotations

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import Plan, Step, StepFailed

pytestmark = pytest.mark.tier("quick")


def step(name: str) -> Step:
    return Step("host", name, 1, 2)


def test_steps_are_made_in_order():
    made: list[str] = []
    plan, other = Plan(), Plan()
    plan.add(step("a"), lambda: made.append("a"))
    other.add(step("b"), lambda: made.append("b"))
    plan.extend(other)
    plan.run()
    assert made == ["a", "b"] == [entry.attribute for entry in plan.steps]
    assert plan
    assert not Plan()


def test_a_failure_names_what_was_done_and_what_was_not_begun():
    made: list[str] = []
    plan = Plan()
    plan.add(step("a"), lambda: made.append("a"))
    plan.add(step("b"), lambda: 1 // 0)
    plan.add(step("c"), lambda: made.append("c"))
    with pytest.raises(StepFailed) as caught:
        plan.run()
    failure = caught.value
    assert made == ["a"]
    assert (str(failure.step), [str(done) for done in failure.done], [str(rest) for rest in failure.remaining]) == (
        "host: b",
        ["host: a"],
        ["host: c"],
    )
    assert isinstance(failure.__cause__, ZeroDivisionError)


def test_a_step_shows_what_it_depends_on_and_what_only_the_target_decides():
    shown = Step("h", "a", None, "x", "call", after_step="key", decided_by_target=("before",)).as_result()
    assert shown == {
        "object": "h",
        "attribute": "a",
        "before": None,
        "after": "x",
        "how": "call",
        "depends": "after key",
        "decided_by_target": ["before"],
    }
    assert set(step("a").as_result()) == {"object", "attribute", "before", "after", "how"}
