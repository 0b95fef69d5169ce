# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings: what was said to a host and what it answered, as a file that tests play back without the host.

A recording is one JSON document:

    format      winops.volume_activation.recording
    version     1; it rises when something changes that a reader has to know
    created     when, UTC
    anonymised  whether names and addresses were replaced
    about       what the recorder knew: versions, connection, whatever its module returned
    exchanges   in the order in which they were made, each with
        request   the envelope that was sent
        seconds   how long the answer took
        answer    the envelope that came back, also where it is a fault; left out where none came
        error     instead of an answer: kind (http, unknown, failed or unreadable), message, for http also status

Requests and answers are the texts themselves, masked. What HTTP and encryption made of them is not in it, nor is a header
of HTTP, so that no credentials can be.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
import typing as t
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .._core.errors import ActivationError
from .._core.files import MIB, check_replaceable
from .carrier import Carrier, HttpError
from .masking import Aliases, Masker
from .session import UnknownOutcome

FORMAT = "winops.volume_activation.recording"
VERSION = 1
LARGEST = 256 * MIB
"""Bytes of a recording that is read."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its answer, or with the error that came instead."""

    request: bytes
    seconds: float
    answer: bytes = b""
    error: ActivationError | None = None


class Recorder:
    """A carrier that remembers what another one carries."""

    def __init__(self, carrier: Carrier) -> None:
        self.endpoint = carrier.endpoint
        self.exchanges: list[Exchange] = []
        self._carrier = carrier

    def send(self, message: bytes) -> bytes:
        """See C(Carrier.send)."""
        started = time.monotonic()
        try:
            answer = self._carrier.send(message)
        except ActivationError as error:
            self.exchanges.append(Exchange(message, time.monotonic() - started, error=error))
            raise
        self.exchanges.append(Exchange(message, time.monotonic() - started, answer))
        return answer

    def reconnect(self) -> None:
        """See C(Carrier.reconnect)."""
        self._carrier.reconnect()

    def close(self) -> None:
        """See C(Carrier.close)."""
        self._carrier.close()


@dataclass(frozen=True, slots=True)
class Identities:
    """Whom a recording is about, to be replaced in it; Windows' own names for them are found in the answers.

    Attributes:
        hosts: Names of hosts, such as the one in the inventory.
        users: Accounts.
    """

    hosts: tuple[str, ...] = ()
    users: tuple[str, ...] = ()


def document(recorder: Recorder, about: t.Any, secrets: Iterable[str] = (), replace: Identities | None = None) -> dict[str, t.Any]:
    """The recording as data.

    Args:
        recorder: It has carried the messages.
        about: Anything that JSON can hold.
        secrets: Texts to be masked, beside product keys.
        replace: Whom to replace by other names; C(None) leaves the names as they are.
    """
    texts = [(_text(exchange.request), _text(exchange.answer)) for exchange in recorder.exchanges]
    aliases = None
    if replace:
        known = [text for pair in texts for text in pair if text]
        aliases = Aliases(known, [_host_of(recorder.endpoint), *replace.hosts], replace.users)
    masker = Masker(secrets, aliases)
    return {
        "format": FORMAT,
        "version": VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "anonymised": replace is not None,
        "about": masker.tree(about),
        "exchanges": [
            _exchange(exchange, request, answer, masker) for exchange, (request, answer) in zip(recorder.exchanges, texts, strict=True)
        ],
    }


def check_target(path: str) -> None:
    """Find out before any work whether a recording can be written there.

    Raises:
        ActivationError: It can't.
    """
    target = Path(path)
    if target.is_dir():
        raise ActivationError(f"A recording can't be written to {path}: it is a folder.", source="options")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise ActivationError(
            f"A recording can't be written to {path}: its folder does not exist on the control node, or is not writable.", source="options"
        )
    with contextlib.suppress(FileNotFoundError):
        check_replaceable(target)


def write(path: str, recording: t.Any) -> None:
    """Write a recording, readable by its owner only, and either whole or not at all.

    Raises:
        ActivationError: The file system refused.
    """
    target = Path(path)
    temporary = ""
    try:
        # Such a file has mode 0600 from the start.
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with open(handle, "w", encoding="utf-8") as file:
            json.dump(recording, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise ActivationError(f"The recording can't be written to {path}: {error.strerror}.", source="options") from error


def _exchange(exchange: Exchange, request: str | None, answer: str | None, masker: Masker) -> dict[str, t.Any]:
    entry: dict[str, t.Any] = {"request": masker.message(request or ""), "seconds": round(exchange.seconds, 4)}
    if exchange.error:
        # Of one whose outcome is unknown the session names the host.
        said = exchange.error.said if isinstance(exchange.error, UnknownOutcome) else exchange.error.message
        entry["error"] = {"kind": _kind(exchange.error), "message": masker.text(said)}
        if isinstance(exchange.error, HttpError):
            entry["error"]["status"] = exchange.error.status
    elif answer is None:
        # What can't be read can't be masked either.
        entry["error"] = {"kind": "unreadable", "message": f"The answer of {len(exchange.answer)} bytes is not UTF-8, and was left out."}
    else:
        entry["answer"] = masker.message(answer)
    return entry


def _kind(error: ActivationError) -> str:
    if isinstance(error, HttpError):
        return "http"
    return "unknown" if isinstance(error, UnknownOutcome) else "failed"


def _text(message: bytes) -> str | None:
    try:
        text = message.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _host_of(endpoint: str) -> str:
    authority = endpoint.partition("//")[2].partition("/")[0]
    return authority.partition("]")[0] + "]" if authority.startswith("[") else authority.partition(":")[0]
