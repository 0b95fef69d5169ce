# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much a host may send, and how long it may take: for one exchange, and for all pages of a query.

The time-outs of the HTTP libraries are for a single read, so that a server that sends a byte now and then holds them
for ever, and they take an answer of any length into memory. A query has as many pages as the host says it has.
"""

from __future__ import annotations

import threading
import time
import typing as t
from collections.abc import Callable

from .._core.errors import ActivationError
from .envelope import MAX_ENVELOPE_SIZE

MAX_ANSWER = 2 * MAX_ENVELOPE_SIZE
"""Bytes of an HTTP body that are read. An answer keeps to the MaxEnvelopeSize of its request; message encryption adds
little to that."""

MAX_TEXT = 65_536
"""Characters of one value. The longest that Windows gives for what is read here is a registry value of a few kilobytes."""

MAX_CONTEXT = 1024
"""Characters of an EnumerationContext, which the next request repeats. That of Windows is C(uuid:) and 36 characters."""

MAX_ROWS = 25_000
"""Rows of a query. The most that a query here brings are the licensing products of a computer with Office, some hundreds."""

MAX_PAGES = 1_000
"""Pages of a query. Windows fills each but the first up to MaxEnvelopeSizekb, which has room for some hundred rows; a host with
a MaxBatchItems of 25 needs them for C(MAX_ROWS)."""

MAX_EMPTY_PAGES = 10
"""Pages without a row, one after another. Windows answers to the Enumerate without rows where it does not optimise, and waits
with a Pull until it has one."""

MAX_QUERY_BYTES = 32 * 1024 * 1024
"""Bytes of all answers to a query: C(MAX_ROWS) at 1,300 bytes, which is what a licensing product takes."""

MAX_QUERY_SECONDS = 600
"""Seconds from the first request of a query to its last page. Windows gives up a page after 60, and a large log has few pages."""

Result = t.TypeVar("Result")


class TookTooLong(Exception):
    """The exchange did not end in time."""


class QueryTally:
    """What a query has brought so far.

    Args:
        label: Which query, for messages.
        host: Of which host, for messages.
        endpoint: The URL that it goes to, for messages.
        clock: Seconds, from wherever.
    """

    def __init__(self, label: str, host: str, endpoint: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._label = label
        self._host = host
        self._endpoint = endpoint
        self._clock = clock
        self._began = clock()
        self._pages = self._empty = self._rows = 0

    def add(self, rows: int, received: int) -> None:
        """Count a page.

        Args:
            rows: How many are on it.
            received: The bytes of all answers to the query up to it.

        Raises:
            ActivationError: It is more than any Windows has.
        """
        self._pages += 1
        self._rows += rows
        self._empty = 0 if rows else self._empty + 1
        bounds = (
            (self._rows, MAX_ROWS, "rows"),
            (self._pages, MAX_PAGES, "pages"),
            (self._empty, MAX_EMPTY_PAGES, "empty pages in a row"),
            (received, MAX_QUERY_BYTES, "bytes"),
            (self._clock() - self._began, MAX_QUERY_SECONDS, "seconds"),
        )
        for counted, most, what in bounds:
            if counted > most:
                raise ActivationError(
                    f"{self._label} was ended after {most:,} {what}, more than Windows needs for it. See what answers at {self._endpoint}.",
                    subject=self._host,
                    source="wsman",
                )


def run_within(seconds: float, work: Callable[[], Result]) -> Result:
    """Do the work, but wait no longer than that for its end.

    It goes on in a thread of its own, which ends with the process; what it uses is not to be used again.

    Raises:
        TookTooLong: The time is over.
    """
    outcome: list[Result] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run, daemon=True, name="WS-Management exchange")
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TookTooLong
    if failure:
        raise failure[0]
    return outcome[0]
