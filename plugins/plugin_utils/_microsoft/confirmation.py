# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many questions to Microsoft: a few at once, repeated where that is safe, each answer handed over as it comes. Pure.

A request for a confirmation ID may be counted, so one whose fate is not known is never repeated here.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from .._core.errors import ActivationError
from .batch_request import Question, RequestType
from .batch_response import BatchAnswer
from .failures import Fate, RequestFailed
from .settings import MicrosoftSettings

Ask = Callable[[Question], BatchAnswer]

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
"""Seconds before a repetition; each is twice as long as the one before."""

_LEAST_IN_A_ROW = 4
"""When so many questions one after the other have got no answer, and more than are under way at once, no more are asked."""

PROGRESS_SECONDS = 5.0
"""Time between two lines about the progress."""


@dataclass(slots=True)
class Item:
    """One question and what became of it.

    Attributes:
        identifier: What it goes by in results and messages.
        question: What is asked.
        answer: What came; C(None) where nothing did.
        failure: Why nothing came.
    """

    identifier: str
    question: Question
    answer: BatchAnswer | None = None
    failure: RequestFailed | None = None


@dataclass
class Keeper:
    """What is written down around each request; nothing by default.

    Attributes:
        before: Called before each request is sent, and has to have written down for good that it will be.
        after: Called when it is known what became of the request, or that nobody will know.
    """

    before: Callable[[Item], None] = field(default=lambda _item: None)
    after: Callable[[Item], None] = field(default=lambda _item: None)


class Asker:
    """Asks, and keeps what comes.

    Args:
        ask: Sends one request, once.
        settings: How many at once, and how often again.
        keeper: Its methods are never called at the same time.
        pause: Waits for so many seconds, or until the event; a test has a quicker one.
    """

    def __init__(
        self,
        ask: Ask,
        settings: MicrosoftSettings,
        keeper: Keeper | None = None,
        pause: Callable[[threading.Event, float], object] | None = None,
    ) -> None:
        self._ask = ask
        self._settings = settings
        self._keeper = keeper or Keeper()
        self._pause = pause or threading.Event.wait
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._limit = max(_LEAST_IN_A_ROW, settings.parallel + 1)
        self._in_vain = self._unanswered = 0
        self._given_up_for: RequestFailed | None = None

    def ask_all(self, items: Iterable[Item], progress: Callable[[int, int, int], None] | None = None) -> None:
        """Ask for every item; its answer or failure is in the item then.

        Args:
            items: What to ask. One that comes after the service was given up on fails without having been asked.
            progress: Told every few seconds, and at the end of longer work: how many are done, of how many, how many without an answer.

        Raises:
            ActivationError: The keeper could not write something down. Nothing is asked any more then, and what was under way has ended.
        """
        items = list(items)
        with ThreadPoolExecutor(self._settings.parallel) as pool:
            futures = [pool.submit(self._one, item) for item in items]
            try:
                for done in _until_done(futures):
                    if progress:
                        without = sum(item.answer is None for item, future in zip(items, futures, strict=True) if future.done())
                        progress(done, len(items), without)
            finally:
                # After an interruption as well: what has not begun does not begin.
                self._stop.set()
        for future in futures:
            future.result()

    def _one(self, item: Item) -> None:
        if self._given_up_for is not None:
            item.failure = _not_asked(self._given_up_for)
            return
        if self._stop.is_set():
            return
        pause = _FIRST_PAUSE
        for attempt in itertools.count():
            self._attempt(item)
            if item.failure is None or attempt >= self._settings.retries or not self._is_worth_another(item):
                break
            self._pause(self._stop, pause)
            if self._stop.is_set():
                break
            pause = min(2 * pause, _LONGEST_PAUSE)
        self._judge(item)

    def _attempt(self, item: Item) -> None:
        """One request. A run that is killed in a pause between two leaves no trace of one whose fate is not known."""
        self._keep(self._keeper.before, item)
        try:
            item.answer, item.failure = self._ask(item.question), None
        except RequestFailed as failure:
            item.failure = failure
        self._keep(self._keeper.after, item)

    def _is_worth_another(self, item: Item) -> bool:
        return item.failure is not None and _may_be_repeated(item.failure, item.question) and self._is_hopeful

    @property
    def _is_hopeful(self) -> bool:
        """Whether it is worth while to wait for the service; it is not where it has failed one after the other."""
        return self._given_up_for is None and self._in_vain < self._limit

    def _judge(self, item: Item) -> None:
        """Give up on a service that answers nobody: each further request could be one more of which nobody knows what came."""
        failure = item.failure
        with self._lock:
            self._in_vain = self._in_vain + 1 if failure and failure.again else 0
            self._unanswered = self._unanswered + 1 if failure and failure.fate != Fate.REFUSED else 0
            if failure and (self._unanswered >= self._limit or (failure.fate == Fate.NOT_SENT and not failure.again)):
                self._given_up_for = self._given_up_for or failure

    def _keep(self, write: Callable[[Item], None], item: Item) -> None:
        with self._lock:
            try:
                write(item)
            except BaseException:
                self._stop.set()
                raise


def _may_be_repeated(failure: RequestFailed, question: Question) -> bool:
    """Whether to send the same request again: after a fault of the service or the way, but not if it may have been counted."""
    return failure.again and (failure.fate != Fate.LOST or question.kind == RequestType.REMAINING)


def _not_asked(failure: RequestFailed) -> RequestFailed:
    return RequestFailed(
        f"It was not asked for any more, because the service did not answer others: {failure.message}",
        Fate.NOT_SENT,
        again=True,
        code=failure.code,
        name=failure.name,
    )


def _until_done(futures: list[Future[None]]) -> Iterator[int]:
    """How many are done, every few seconds, and at the end if that was later."""
    began, waiting = time.monotonic(), set(futures)
    while waiting:
        until = time.monotonic() + PROGRESS_SECONDS
        while waiting and (left := until - time.monotonic()) > 0:
            _done, waiting = wait(waiting, timeout=left, return_when=FIRST_COMPLETED)
        if waiting or time.monotonic() - began >= PROGRESS_SECONDS:
            yield len(futures) - len(waiting)


def first_failure_of_all(items: Iterable[Item]) -> ActivationError | None:
    """The failure to report where no request of any item was even sent; C(None) where one was, or there is nothing to report."""
    failures = [item.failure for item in items]
    if failures and all(failure is not None and failure.fate == Fate.NOT_SENT for failure in failures):
        return failures[0]
    return None
