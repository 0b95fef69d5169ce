# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of the lines of a run: tasks, progress, recap, summaries, and what comes out when a run does not get that far."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._condensed.answers import TaskAnswer, TaskOutcome, answer_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._condensed.lines import Line, Tone
from ansible_collections.winops.volume_activation.plugins.plugin_utils._condensed.tally import ViewSettings
from ansible_collections.winops.volume_activation.plugins.plugin_utils._condensed.texts import block
from ansible_collections.winops.volume_activation.plugins.plugin_utils._condensed.view import View

pytestmark = pytest.mark.tier("quick")

NOTHING: dict[str, int] = dict.fromkeys(("ok", "changed", "failures", "unreachable", "skipped", "rescued", "ignored"), 0)


class Clock:
    """A time that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def texts(lines: list[Line]) -> list[str]:
    return [" ".join(line.text.split()) for line in lines]


@pytest.fixture
def clock() -> Clock:
    return Clock()


def view_of(clock: Clock, **settings: Any) -> View:
    view = View(ViewSettings(**settings), clock)
    view.play("Clients", 4, check_mode=False)
    return view


def run(view: View, key: str, outcomes: dict[str, TaskOutcome], answer: TaskAnswer | None = None) -> None:
    for host, outcome in outcomes.items():
        view.started(key, host)
        view.result(key, host, outcome, answer or TaskAnswer())


def test_a_task_is_one_line_with_counts_below_its_play(clock: Clock):
    view = view_of(clock)
    assert view.task("1", "Read") == []
    run(view, "1", {"a": TaskOutcome.OK, "b": TaskOutcome.CHANGED, "c": TaskOutcome.UNREACHABLE_IGNORED, "d": TaskOutcome.SKIPPED})
    first = view.task("2", "Write")
    assert texts(first) == ["PLAY Clients", "Read 1 ok, 1 changed, 1 unreachable (ignored)"]
    assert [line.tone for line in first] == [Tone.PLAIN, Tone.CHANGED]
    run(view, "2", {"a": TaskOutcome.SKIPPED})
    assert view.task("3", "What all skip is not shown") == []


def test_everything_counts_the_skipped_and_names_all(clock: Clock):
    view = view_of(clock, everything=True, names=None)
    view.task("1", "Read")
    run(view, "1", dict.fromkeys("abcdefgh", TaskOutcome.FAILED), TaskAnswer(failures=("no",)))
    assert texts(view.task("2", "Write"))[-1] == "failed: 8 hosts (a, b, c, d, e, f, g, h): no"
    run(view, "2", {"a": TaskOutcome.SKIPPED})
    assert texts(view.play("Next", 4, check_mode=True)) == ["Write 1 skipped"]


def test_equal_failures_differences_and_messages_are_there_once(clock: Clock):
    view = view_of(clock)
    view.task("1", "Write")
    for host in "abcde":
        view.part(host, TaskAnswer(differences=(block(["key: x -> y"]),)))
        view.result("1", host, TaskOutcome.CHANGED, TaskAnswer())
    view.result("1", "f", TaskOutcome.FAILED, TaskAnswer(failures=("It is off.",)))
    view.result("1", "g", TaskOutcome.FAILED, TaskAnswer(failures=("It is off.",)), "g -> dc1")
    assert texts(view.task("2", "Say")) == [
        "PLAY Clients",
        "Write 5 changed, 2 failed",
        "failed: 2 hosts (f, g -> dc1): It is off.",
        "5 hosts (a, b, c and 2 more): key: x -> y",
    ]
    run(view, "2", {"a": TaskOutcome.OK, "b": TaskOutcome.OK}, TaskAnswer(said=("hello",)))
    view.task("3", "Show")
    run(view, "3", {"a": TaskOutcome.OK}, TaskAnswer(said=(block(["{", "}"]),)))
    assert texts(view.task("4", "x"))[-4:] == ["Show 1 ok", "a:", "{", "}"]


@pytest.mark.parametrize(
    ("hosts", "told"),
    [
        (["pc-1"], "failed: pc-1: http://10.0.0.1:5985/wsman of pc-1 is closed."),
        (["pc-1", "pc-2"], "failed: 2 hosts (pc-1, pc-2): http://<host>:5985/wsman of <host> is closed."),
    ],
)
def test_a_message_of_one_host_is_as_it_was(clock: Clock, hosts: list[str], told: str):
    view = view_of(clock)
    view.task("1", "Read")
    for host in hosts:
        address = f"10.0.0.{host[-1]}"
        result = {"msg": f"{host}: http://{address}:5985/wsman of {host} is closed.", "warnings": [f"{host} is slow."]}
        run(view, "1", {host: TaskOutcome.FAILED}, answer_of(result, [host, address], "x", failed=True))
    slow = f"{hosts[0]} is slow. [{hosts[0]}]" if len(hosts) == 1 else "<host> is slow. [2 hosts (pc-1, pc-2)]"
    assert texts(view.task("2", "x"))[2:] == [told, slow]


def test_the_items_of_a_loop_count_once_for_a_host_and_their_sentences_stand_for_that_of_the_task(clock: Clock):
    view = view_of(clock)
    view.task("1", "Each")
    for _item in range(2):
        view.part("a", TaskAnswer(failures=("No such thing.",)))
    view.part("b", TaskAnswer(failures=("No such thing.",), warnings=("Slow.",)))
    for host in "ab":
        view.result("1", host, TaskOutcome.FAILED_IGNORED, TaskAnswer(failures=("One or more items failed",)))
    assert texts(view.task("2", "x"))[1:] == [
        "Each 2 failed (ignored)",
        "failed (ignored): 2 hosts (a, b): No such thing.",
        "Slow. [b]",
    ]


def test_many_kinds_are_bounded(clock: Clock):
    view = view_of(clock)
    view.task("1", "Write")
    for number in range(100):
        view.result("1", f"h{number}", TaskOutcome.FAILED, TaskAnswer(failures=(f"Reason {number}",)))
    lines = texts(view.task("2", "x"))
    assert len(lines) < 14
    assert lines[-1] == "failed: 92 hosts (h8, h9, h10 and 89 more): other messages"


def test_a_warning_is_shown_once_in_a_run(clock: Clock):
    view = view_of(clock)
    for key in "12":
        view.task(key, "Read")
        run(view, key, dict.fromkeys("abcd", TaskOutcome.OK), TaskAnswer(warnings=("The clock differs.",)))
    due = view.task("3", "x")
    assert [line.text for line in due if line.tone is Tone.WARNING] == []
    first = view_of(clock)
    first.task("1", "Read")
    run(first, "1", dict.fromkeys("abcd", TaskOutcome.OK), TaskAnswer(warnings=("The clock differs.",)))
    assert [line.text for line in first.task("2", "x") if line.tone is Tone.WARNING] == [
        "The clock differs. [4 hosts (a, b, c and 1 more)]"
    ]


def test_progress_is_told_every_few_seconds_and_less_often_the_longer_it_takes(clock: Clock):
    view = view_of(clock, every=5)
    view.task("1", "Read")
    told = []
    for _second in range(600):
        clock.now += 1
        told += [clock.now - 100] if view.progress() else []
    assert told[:3] == [5, 10, 15]
    assert 15 < len(told) < 35
    for _second in range(1200):
        clock.now += 1
        told += [clock.now - 100] if view.progress() else []
    assert told[-1] - told[-2] == 30
    view.task("2", "Write")
    assert view.progress() == []


def test_progress_says_how_far_it_is_and_for_whom_it_waits_where_there_is_room(clock: Clock):
    view = view_of(clock, every=5)
    hosts = [f"pc-{number}.contoso.com" for number in range(4)]
    view.task("1", "Read")
    for host in hosts:
        view.started("1", host)
    clock.now += 5
    assert texts(view.progress()) == ["PLAY Clients", "... Read 0 of 4 hosts, 5 s"]
    for host in hosts[:3]:
        view.result("1", host, TaskOutcome.OK, TaskAnswer())
    clock.now += 5
    assert texts(view.progress()) == ["... Read 3 of 4 hosts, 10 s, waiting for pc-3.contoso.com"]
    view.retried("1")
    view.result("1", hosts[3], TaskOutcome.OK, TaskAnswer())
    clock.now += 5
    assert texts(view.progress()) == ["... Read 4 of 4 hosts, 15 s, 1 retries"]
    assert texts(view_of(clock, every=0).progress()) == []


def test_hosts_that_include_tasks_are_on_their_way_and_no_line(clock: Clock):
    view = view_of(clock, every=5)
    view.task("1", "Role, preflight")
    view.started("1", "a")
    view.included("1", "a")
    clock.now += 5
    assert texts(view.progress())[-1] == "... Role, preflight 1 of 4 hosts, 5 s"
    assert view.task("2", "Read") == []


def test_hosts_that_are_lost_are_not_waited_for(clock: Clock):
    view = view_of(clock)
    view.task("1", "Read")
    run(view, "1", {"a": TaskOutcome.FAILED, "b": TaskOutcome.UNREACHABLE, "c": TaskOutcome.OK, "d": TaskOutcome.FAILED_IGNORED})
    view.task("2", "Write")
    view.result("2", "c", TaskOutcome.OK, TaskAnswer())
    clock.now += 10
    assert texts(view.progress())[-1].startswith("... Write 1 of 2 hosts, 10 s")


def test_the_recap_comes_before_what_roles_have_to_say(clock: Clock):
    view = view_of(clock)
    view.task("1", "Findings")
    run(view, "1", {"a": TaskOutcome.OK}, TaskAnswer(summary=(("note  pc-001  A finding",),)))
    clock.now += 74
    counters = {
        "a": NOTHING | {"ok": 2},
        "b": NOTHING | {"changed": 1},
        "c": NOTHING | {"failures": 1, "changed": 1},
        "d": NOTHING | {"unreachable": 1},
        "e": NOTHING | {"ok": 1, "ignored": 2, "rescued": 1},
    }
    due = view.recap(counters)
    assert [line.text for line in due][2:] == [
        "RECAP 5 hosts in 74 s: 1 failed, 1 unreachable, 1 changed, 2 unchanged, 1 with",
        "  ignored errors, 1 with rescued errors",
        "  failed: c",
        "  unreachable: d",
        "",
        "Findings",
        "  note  pc-001  A finding",
    ]
    assert due[2].tone is Tone.FAILED


def test_check_mode_says_what_would_change(clock: Clock):
    view = View(ViewSettings(), clock)
    view.play("Clients", 1, check_mode=True)
    view.task("1", "Read")
    run(view, "1", {"a": TaskOutcome.CHANGED})
    assert texts(view.recap({"a": NOTHING | {"changed": 1}})) == [
        "PLAY Clients (check mode)",
        "Read 1 changed",
        "RECAP 1 host in 0 s: 1 would change",
    ]


def test_a_summary_that_is_of_some_hosts_says_of_which(clock: Clock):
    view = view_of(clock)
    view.task("1", "Summary")
    view.result("1", "a", TaskOutcome.OK, TaskAnswer(summary=(("one",),)))
    view.result("1", "b", TaskOutcome.OK, TaskAnswer(summary=(("two",),)))
    assert texts(view.recap({}))[-4:] == ["Summary (a)", "one", "Summary (b)", "two"]


def test_what_is_known_comes_out_when_the_run_is_interrupted(clock: Clock):
    view = view_of(clock)
    view.task("0", "Findings")
    run(view, "0", {"a": TaskOutcome.OK}, TaskAnswer(summary=(("note",),)))
    view.task("1", "Read")
    run(view, "1", {"a": TaskOutcome.OK, "b": TaskOutcome.FAILED}, TaskAnswer(failures=("It is off.",)))
    clock.now += 3
    assert texts(view.interrupted("Terminated"))[-7:] == [
        "Read 1 ok, 1 failed",
        "ok: a: It is off.",
        "failed: b: It is off.",
        "Terminated after 3 s during: Read",
        "",
        "Findings",
        "note",
    ]


def test_a_play_without_hosts_and_one_that_lost_them(clock: Clock):
    view = view_of(clock)
    assert texts(view.no_hosts()) == ["PLAY Clients: no hosts matched"]
    view.play("Next", 1, check_mode=False)
    view.task("1", "Read")
    run(view, "1", {"a": TaskOutcome.FAILED}, TaskAnswer(failures=("no",)))
    assert texts(view.nobody_left())[-1] == "No hosts are left."


def test_tasks_that_run_side_by_side_are_told_at_the_end_of_the_play(clock: Clock):
    view = view_of(clock)
    view.task("1", "Read", alone=False)
    view.result("1", "a", TaskOutcome.OK, TaskAnswer())
    assert view.task("2", "Write", alone=False) == []
    view.result("2", "a", TaskOutcome.OK, TaskAnswer())
    view.result("1", "b", TaskOutcome.OK, TaskAnswer())
    assert view.task("2", "Write", alone=False) == []
    assert texts(view.play("Next", 1, check_mode=False)) == ["PLAY Clients", "Read 2 ok", "Write 1 ok"]


def test_a_task_on_one_host_or_on_those_that_notified_it_has_no_total(clock: Clock):
    view = view_of(clock, every=1)
    view.task("1", "Once", once=True)
    clock.now += 2
    assert texts(view.progress())[-1] == "... Once 2 s"
    view.task("2", "handler: Restart", everywhere=False)
    view.result("2", "a", TaskOutcome.OK, TaskAnswer())
    clock.now += 2
    assert texts(view.progress())[-1] == "... handler: Restart 1 host, 2 s"


def test_memory_does_not_grow_with_the_hosts(clock: Clock):
    def most(hosts: int) -> int:
        view = view_of(clock)
        tracemalloc.start()
        for task in range(1):
            view.task(str(task), "Read")
            for number in range(hosts):
                name = f"pc-{number:05}.contoso.com"
                view.started(str(task), name)
                view.part(name, TaskAnswer(differences=(block(["key: x -> y"]),)))
                answer = TaskAnswer(failures=(f"Reason {number}",), warnings=(f"Clock {number}",), summary=((f"line {number}",),))
                view.result(str(task), name, TaskOutcome.FAILED_IGNORED, answer)
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    few, many = most(250), most(1000)
    assert many < 1.5 * few


def test_what_only_keeps_something_for_later_has_no_line(clock: Clock):
    view = view_of(clock)
    view.task("1", "Record which clients ask", aside=True)
    run(view, "1", {"a": TaskOutcome.OK}, TaskAnswer())
    assert texts(view.task("2", "Record the outcome", aside=True)) == []
    run(view, "2", {"a": TaskOutcome.FAILED}, TaskAnswer(failures=("no",)))
    assert texts(view.task("3", "Next"))[1].startswith("Record the outcome 1 failed")
