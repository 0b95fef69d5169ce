# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a parser may do with an input: take it, or refuse it with one clear sentence, in a time and memory that fit its length."""

from __future__ import annotations

import re
import signal
import time
import traceback
import tracemalloc
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError

SECONDS_A_BYTE = 10e-6
"""Processor time that each byte may take. The slowest parser here takes a tenth of it."""

LONGEST_SENTENCE = 2000
"""Characters. A sentence quotes up to 400 characters of others, and a few names of 255."""

MEMORY, MEMORY_A_BYTE = 16 * 1024 * 1024, 200
"""Bytes of memory that an input may take, and more for each of its own."""

HANGS_AFTER = 20.0
"""Seconds of processor time after which a parser is stopped."""

OURS = "ansible_collections/winops/volume_activation/plugins"
_BUG = "a bug in the collection"
# Control and format characters, surrogates, what nobody has assigned, and the ends of lines and paragraphs. Spaces of all kinds are seen.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# What an input puts into a sentence, so that the same refusal of others counts as the same.
_VARYING = re.compile(r"'[^']*'|\"[^\"]*\"|[0-9]+|\([^)]*\)")


class Hangs(BaseException):
    """The parser took longer than anybody waits."""


@dataclass
class Heard:
    """What a parser has said and been given while it read one input.

    Attributes:
        sentences: What a person would see beside the error, such as warnings.
        wrong: What is wrong with it, where the parser's driver sees that itself.
        size: Bytes that it was given, where these are more than the input.
    """

    sentences: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    size: int = 0


@dataclass(frozen=True)
class Parser:
    """Something to be fuzzed.

    Attributes:
        name: What it is called on the command line; its seeds are in the folder of this name below C(corpus).
        read: Gives an input to the collection, as it would come from outside.
        mutate: Makes an input of a seed; the others may lend parts of theirs.
        seconds: Processor time that an input may take, whatever its length.
    """

    name: str
    read: Callable[[bytes, Heard], object]
    mutate: Callable[[Random, bytes, Sequence[bytes]], bytes]
    seconds: float = 0.3


@dataclass(frozen=True)
class Finding:
    """What is wrong.

    Attributes:
        kind: What findings with the same cause have in common.
        text: What happened.
    """

    kind: str
    text: str


@dataclass
class Judged:
    """What came of an input.

    Attributes:
        outcome: C(taken), or the sentence of the refusal without what varies.
        findings: What is wrong.
    """

    outcome: str
    findings: list[Finding]


def judge(parser: Parser, data: bytes, memory: bool = False) -> Judged:
    """Give an input to a parser; with C(memory) see how much it takes, which is slow."""
    judged, seconds, size = _once(parser, data)
    allowed = parser.seconds + SECONDS_A_BYTE * size
    # The collector of garbage, which looks at what earlier inputs have left, must not decide.
    if allowed < seconds < HANGS_AFTER and (again := min(_once(parser, data)[1] for _time in range(2))) > allowed:
        judged.findings.append(Finding("too slow", f"{again:.2f} s for {size} bytes"))
    if memory:
        tracemalloc.start()
        try:
            size = _once(parser, data)[2]
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        if peak > MEMORY + MEMORY_A_BYTE * size:
            judged.findings.append(Finding("too much memory", f"{peak} bytes for {size}"))
    return judged


def _once(parser: Parser, data: bytes) -> tuple[Judged, float, int]:
    heard = Heard()
    findings: list[Finding] = []
    outcome = "taken"
    began = time.process_time()
    try:
        with _stopped():
            parser.read(data, heard)
    except ActivationError as refusal:
        # An action joins several refusals into one line.
        sentences = refusal.message.split("\n") if type(refusal).__name__ == "Refusals" else [refusal.message]
        outcome = _VARYING.sub("…", sentences[0])
        heard.sentences += sentences
        if refusal.source == "collection":
            findings.append(Finding("a bug", refusal.message))
    except Hangs:
        findings.append(Finding("hangs", f"more than {HANGS_AFTER:g} s"))
    except Exception as failure:
        findings.append(Finding(_place(failure), "".join(traceback.format_exception(failure, limit=-6))))
    seconds = time.process_time() - began
    findings += [Finding(wrong.partition(":")[0], wrong) for wrong in heard.wrong]
    findings += [Finding(*wrong) for sentence in heard.sentences for wrong in wrong_with(sentence)]
    return Judged(outcome if not findings else "finding", findings), seconds, max(len(data), heard.size)


def wrong_with(sentence: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a sentence for people: the kind, and a text."""
    if not sentence.isprintable() and any(unicodedata.category(sign) in _UNSEEN for sign in sentence):
        yield "not one visible line", repr(sentence[:300])
    if _BUG in sentence:
        yield f"a bug: {_VARYING.sub('…', sentence)[:200]}", sentence[:600]
    if not sentence.strip():
        yield "an empty sentence", repr(sentence)
    if len(sentence) > LONGEST_SENTENCE:
        yield f"too long: {_VARYING.sub('…', sentence)[:60]}", f"{len(sentence)} characters: {sentence[:300]!r}"


def _place(failure: BaseException) -> str:
    """The kind of an exception, and where the collection let it pass."""
    frames = traceback.extract_tb(failure.__traceback__)
    own = [frame for frame in frames if OURS in frame.filename] or frames[-1:]
    where = ", ".join(f"{frame.filename.rpartition('/plugins/')[2]}:{frame.name}" for frame in own[-1:])
    return f"{type(failure).__name__} in {where}"


@contextmanager
def _stopped() -> Iterator[None]:
    """Stop what takes more processor time than anybody waits for."""

    def stop(_number: int, _frame: object) -> None:
        raise Hangs

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, HANGS_AFTER)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
