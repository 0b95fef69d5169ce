# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bounds on one exchange over HTTP: how many bytes an answer may have, and how long all of it may take.

The time-outs of the HTTP libraries are for a single read, so that a server that sends a byte now and then holds them
for ever, and they take an answer of any length into memory.
"""

from __future__ import annotations

import threading
import typing as t
from collections.abc import Callable, Iterator

from .envelope import MAX_ENVELOPE_SIZE

MAX_ANSWER = 2 * MAX_ENVELOPE_SIZE
"""Bytes of an HTTP body that are read. An answer keeps to the MaxEnvelopeSize of its request; message encryption adds
little to that."""

_PIECE = 16 * 1024

Result = t.TypeVar("Result")


class AnswerRefused(Exception):
    """The answer was not read to its end; the text says why, as a clause."""


class TookTooLong(Exception):
    """The exchange did not end in time."""


def limit_answers(session: t.Any, on_answer: Callable[[], None] = lambda: None) -> None:
    """Make a session of requests refuse answers that are too large or compressed, while they are read.

    Compressed ones are refused because a few bytes can become any number; WinRM sends them only to who asks for it.
    Every answer of the session passes the C(build_response) of an adapter, those of the authentication among them.

    Args:
        session: The session.
        on_answer: Called for each answer when its headers are there.
    """
    session.headers["Accept-Encoding"] = "identity"
    for adapter in session.adapters.values():
        if not isinstance(adapter.build_response, _LimitedBuilder):
            adapter.build_response = _LimitedBuilder(adapter.build_response, on_answer)


def release(session: t.Any) -> None:
    """Undo C(limit_answers) on a session that is not used any more, so that it does not refer to itself."""
    for adapter in session.adapters.values() if session else ():
        vars(adapter).pop("build_response", None)


class _LimitedBuilder:
    """Stands in for the C(build_response) of an adapter."""

    def __init__(self, build: Callable[[t.Any, t.Any], t.Any], on_answer: Callable[[], None]) -> None:
        self._build = build
        self._on_answer = on_answer

    def __call__(self, request: t.Any, raw: t.Any) -> t.Any:
        self._on_answer()
        response = self._build(request, raw)
        read = response.iter_content

        def iter_content(chunk_size: int | None = 1, decode_unicode: bool = False) -> Iterator[t.Any]:
            coding = response.headers.get("Content-Encoding", "identity")
            if coding.lower() != "identity":
                response.close()
                raise AnswerRefused(f"the answer is compressed ({coding}), which nobody asked for")
            total = 0
            try:
                for piece in read(min(chunk_size or _PIECE, _PIECE), decode_unicode):
                    total += len(piece)
                    if total > MAX_ANSWER:
                        response.close()
                        raise AnswerRefused(f"the answer is larger than {MAX_ANSWER} bytes, twice of what was asked for")
                    yield piece
            finally:
                # What refers to itself waits for the garbage collection.
                vars(response).pop("iter_content", None)

        response.iter_content = iter_content
        return response


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
