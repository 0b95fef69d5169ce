# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many questions: how many at once, what is repeated and what never is, and what is written down before and after."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.codes.code import http
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft import confirmation
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.batch_request import Question
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.batch_response import BatchAnswer
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.confirmation import (
    Asker,
    Item,
    Keeper,
    first_failure_of_all,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.failures import Fate, RequestFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.settings import MicrosoftSettings

pytestmark = pytest.mark.tier("quick")

PID = "03612-00206-271-344265-03-1033-20348.0000-0012026"
HOW = MicrosoftSettings("https://activation.sls.microsoft.com/x", retries=3, parallel=4)


def failed(fate: Fate, again: bool, text: str = "no.") -> RequestFailed:
    return RequestFailed(text, fate, again=again, code=http(503))


OUTAGE, KEY_FAULT = failed(Fate.REFUSED, True), failed(Fate.REFUSED, False)
LOST, NO_WAY, BAD_CERTIFICATE = failed(Fate.LOST, True), failed(Fate.NOT_SENT, True), failed(Fate.NOT_SENT, False)


def items(count: int, counts: bool = False) -> list[Item]:
    return [Item(f"product {number}", Question(PID, None if counts else f"{number}")) for number in range(1, count + 1)]


class Microsoft:
    """Answers from a script: for each installation ID what comes of its first request, of the second, and so on."""

    def __init__(self, script: dict[str, list[RequestFailed | None]] | None = None, seconds: float = 0) -> None:
        self.script = script or {}
        self.asked: Counter[str] = Counter()
        self.pauses: list[float] = []
        self.most = 0
        self._under_way = 0
        self._seconds = seconds
        self._lock = threading.Lock()

    def ask(self, question: Question) -> BatchAnswer:
        iid = question.installation_id or "count"
        with self._lock:
            self.asked[iid] += 1
            attempt = self.asked[iid]
            self._under_way += 1
            self.most = max(self.most, self._under_way)
        time.sleep(self._seconds)
        with self._lock:
            self._under_way -= 1
        row = self.script.get(iid, [])
        outcome = row[attempt - 1] if attempt <= len(row) else None
        if outcome is not None:
            raise outcome
        return BatchAnswer(confirmation_id=f"9{iid}")

    def pause(self, _stop: threading.Event, seconds: float) -> None:
        self.pauses.append(seconds)


def run(
    microsoft: Microsoft, asked: Iterable[Item], how: MicrosoftSettings = HOW, keeper: Keeper | None = None, **others: Callable
) -> None:
    Asker(microsoft.ask, how, keeper, microsoft.pause).ask_all(asked, **others)


def test_all_are_asked_once_and_so_many_at_once():
    microsoft, asked = Microsoft(seconds=0.02), items(20)
    run(microsoft, asked)
    assert [item.answer for item in asked] == [BatchAnswer(f"9{number}") for number in range(1, 21)]
    assert set(microsoft.asked.values()) == {1}
    assert microsoft.most == 4
    run(one := Microsoft(seconds=0.001), items(5), replace(HOW, parallel=1))
    assert one.most == 1


@pytest.mark.parametrize(
    ("row", "times", "pauses"),
    [
        ([OUTAGE], 2, [1]),
        ([OUTAGE, NO_WAY, OUTAGE], 4, [1, 2, 4]),
        ([OUTAGE, OUTAGE, OUTAGE, OUTAGE], 4, [1, 2, 4]),
        ([KEY_FAULT], 1, []),
        ([LOST], 1, []),
        ([OUTAGE, LOST], 2, [1]),
        ([NO_WAY, KEY_FAULT], 2, [1]),
        ([BAD_CERTIFICATE], 1, []),
    ],
)
def test_what_is_repeated(row: list[RequestFailed], times: int, pauses: list[float]):
    microsoft, (item,) = Microsoft({"1": list(row)}), items(1)
    run(microsoft, [item])
    assert (microsoft.asked["1"], microsoft.pauses) == (times, pauses)
    assert (item.failure is None) == (times > len(row))


def test_a_count_is_asked_for_again_after_its_answer_was_lost():
    microsoft, (item,) = Microsoft({"count": [LOST, LOST]}), items(1, counts=True)
    run(microsoft, [item])
    assert (microsoft.asked["count"], item.failure) == (3, None)


def test_pauses_do_not_grow_without_end_and_none_means_none():
    microsoft = Microsoft({"1": [OUTAGE] * 20})
    run(microsoft, items(1), replace(HOW, retries=8))
    assert microsoft.pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    microsoft = Microsoft({"1": [OUTAGE] * 20})
    run(microsoft, items(1), replace(HOW, retries=0))
    assert (microsoft.asked["1"], microsoft.pauses) == (1, [])


@given(
    st.dictionaries(
        st.integers(1, 12).map(str),
        st.lists(st.sampled_from([OUTAGE, KEY_FAULT, LOST, NO_WAY, None]), max_size=5),
    ),
    st.integers(0, 3),
    st.integers(1, 5),
)
@settings(max_examples=60)
def test_whatever_happens_nothing_that_may_have_been_counted_is_asked_again(
    script: dict[str, list[RequestFailed | None]], retries: int, parallel: int
):
    microsoft, asked, journal = Microsoft(script), items(12), []
    keeper = Keeper(lambda item: journal.append(("before", item.identifier)), lambda item: journal.append(("after", item.identifier)))
    run(microsoft, asked, replace(HOW, retries=retries, parallel=parallel), keeper)
    for item in asked:
        iid = str(item.question.installation_id)
        requests = [*script.get(iid, []), None][: microsoft.asked[iid]]
        # What may have been counted, an answer or a lost one, is the last that was asked.
        assert all(outcome is not None and outcome.fate != Fate.LOST and outcome.again for outcome in requests[:-1])
        assert len(requests) <= retries + 1
        assert (item.answer is None) != (item.failure is None)
        if requests:
            assert item.failure is requests[-1]
            assert [when for when, identifier in journal if identifier == item.identifier] == ["before", "after"] * len(requests)
        else:
            assert item.failure is not None and item.failure.fate == Fate.NOT_SENT
            assert ("before", item.identifier) not in journal


def test_it_is_written_down_before_a_request_is_sent_and_never_twice_at_once():
    written: set[str] = set()
    busy = threading.Lock()

    def before(item: Item) -> None:
        assert busy.acquire(blocking=False)
        time.sleep(0.002)
        written.add(str(item.question.installation_id))
        busy.release()

    def ask(question: Question) -> BatchAnswer:
        assert question.installation_id in written
        return BatchAnswer("1")

    Asker(ask, HOW, Keeper(before, before)).ask_all(asked := items(20))
    assert all(item.answer for item in asked)


def test_what_was_not_counted_is_written_down_before_the_pause_after_it():
    journal: list[object] = []
    microsoft = Microsoft({"1": [OUTAGE]})
    keeper = Keeper(lambda item: journal.append("before"), lambda item: journal.append(item.failure))
    asker = Asker(microsoft.ask, HOW, keeper, lambda _stop, seconds: journal.append(seconds))
    asker.ask_all(items(1))
    assert journal == ["before", OUTAGE, 1, "before", None]


@pytest.mark.parametrize("when", ["before", "after"])
def test_where_nothing_can_be_written_down_nothing_more_is_asked(when: str):
    def full(item: Item) -> None:
        if len(microsoft.asked) >= 6:
            raise ActivationError("the disk is full.", source="options")

    microsoft, asked = Microsoft(seconds=0.005), items(50)
    with pytest.raises(ActivationError, match="the disk is full"):
        run(microsoft, asked, keeper=Keeper(**{when: full}))
    assert 6 <= sum(microsoft.asked.values()) <= 6 + HOW.parallel


def test_a_service_that_answers_nobody_is_left_alone():
    for outcome in (LOST, NO_WAY):
        microsoft, asked = Microsoft({str(number): [outcome] * 9 for number in range(1, 41)}), items(40)
        run(microsoft, asked)
        assert 5 <= len(microsoft.asked) <= 5 + HOW.parallel
        last = asked[-1].failure
        assert last is not None
        assert last.message == "It was not asked for any more, because the service did not answer others: no."
        assert (last.fate, last.shown_code) == (Fate.NOT_SENT, "HTTP 503")
    microsoft, asked = Microsoft({str(number): [BAD_CERTIFICATE] for number in range(1, 41)}), items(40)
    run(microsoft, asked)
    assert len(microsoft.asked) <= HOW.parallel
    assert first_failure_of_all(asked) is BAD_CERTIFICATE


def test_a_service_that_fails_everybody_is_asked_once_for_each_of_the_others():
    microsoft, asked = Microsoft({str(number): [OUTAGE] * 9 for number in range(1, 41)}), items(40)
    run(microsoft, asked)
    assert len(microsoft.asked) == 40
    assert microsoft.asked["40"] == 1
    assert first_failure_of_all(asked) is None


@pytest.mark.parametrize("outcome", [LOST, NO_WAY, KEY_FAULT, OUTAGE])
def test_the_others_still_get_theirs(outcome: RequestFailed):
    microsoft, asked = Microsoft({str(number): [outcome] * 9 for number in range(1, 41, 3)}), items(40)
    run(microsoft, asked, replace(HOW, parallel=1))
    assert sum(item.answer is not None for item in asked) == 26


def test_progress_at_a_bounded_rate_and_none_of_short_work(monkeypatch: pytest.MonkeyPatch):
    told: list[tuple[int, int, int]] = []

    def progress(*numbers: int) -> None:
        told.append(numbers)

    run(Microsoft(), items(10), progress=progress)
    assert told == []
    monkeypatch.setattr(confirmation, "PROGRESS_SECONDS", 0.1)
    microsoft = Microsoft({"1": [KEY_FAULT]}, seconds=0.02)
    run(microsoft, items(80), progress=progress)
    assert 3 <= len(told) <= 6
    assert told[-1] == (80, 80, 1)
    assert [done for done, _all, _without in told] == sorted(done for done, _all, _without in told)
