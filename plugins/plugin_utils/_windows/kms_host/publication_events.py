# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the event log of a KMS host says about its publication, asked while that does not show: whether it is worth waiting, and why.

Win32_NTLogEvent reads the whole log for every query, which can take longer than Windows allows; so it is asked for as little as
possible, and not waited for long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, timedelta

from ..._core.codes.asked import Asked
from ..._core.codes.meaning import sentence
from ..._core.errors import ActivationError
from ..._core.text import visible
from ..._srv.value import plain_name
from ..._wsman.cim import Value
from ..._wsman.session import Session, UnknownOutcome
from ..platform import computer
from ..platform.classes import WIN32_NT_LOG_EVENT

_SECONDS = 10
_FAILED, _SUCCEEDED = 12293, 12294
_SOURCE = "Microsoft-Windows-Security-SPP"
_CODE = re.compile(r"0x[0-9a-f]{8}", re.IGNORECASE)
# Windows gives event 12293 five strings.
_MOST_STRINGS, _LONGEST_STRING = 10, 100
# The log keeps whole seconds.
_MARGIN = timedelta(seconds=2)


class PublicationLog:
    """What a host has written down about its attempts to publish itself since one began. The log is read twice at most.

    Args:
        session: The host.
        elapsed: Gives the seconds since the attempt began, by our own clock: the host's may be wrong, and its events have that time.
    """

    def __init__(self, session: Session, elapsed: Callable[[], float]) -> None:
        self._session = session
        self._elapsed = elapsed
        self._events: list[dict[str, Value]] | None = None

    def has_refusals(self, domains: Iterable[str]) -> bool:
        """Whether the newest event of each of these DNS domains says that it failed. A log that does not answer says nothing."""
        try:
            self._events = self._read()
        except ActivationError:
            return False
        newest = [_newest(domain, self._events or ()) for domain in domains]
        if all(event is not None and event["EventCode"] == _FAILED for event in newest):
            return True
        self._events = None
        return False

    def explain(self, domains: Iterable[str]) -> str:
        """Why the host did not come into these DNS domains, as sentences with a blank in front of each."""
        try:
            events = self._read() if self._events is None else self._events
        except UnknownOutcome:
            return f" Its event log, which has the reason as event {_FAILED}, did not answer within {_SECONDS} seconds."
        except ActivationError as failure:
            why = failure.clause.rstrip(".")
            return f" Its event log, which has the reason as event {_FAILED}, could not be read: {why}."
        return "" if events is None else "".join(f" {_said(domain, events)}" for domain in domains)

    def _read(self) -> list[dict[str, Value]] | None:
        """The events of publication since the attempt began, newest first; C(None) where the host does not tell its time."""
        now = computer.read_operating_system(self._session).local_time
        if now is None:
            return None
        since = now - timedelta(seconds=self._elapsed()) - _MARGIN
        moment = since.astimezone(UTC).strftime("%Y%m%d%H%M%S.%f+000")
        condition = (
            f"Logfile='Application' and SourceName='{_SOURCE}' and TimeGenerated>='{moment}'"
            f" and (EventCode={_FAILED} or EventCode={_SUCCEEDED})"
        )
        rows = self._session.query(WIN32_NT_LOG_EVENT, ("EventCode", "InsertionStrings", "TimeGenerated"), condition, timeout=_SECONDS)
        return sorted(rows, key=lambda row: str(row["TimeGenerated"]), reverse=True)


def _texts(event: Mapping[str, Value]) -> list[str]:
    strings = event["InsertionStrings"]
    return [visible(str(text).strip(), _LONGEST_STRING) for text in strings[:_MOST_STRINGS]] if isinstance(strings, list) else []


def _newest(domain: str, events: Iterable[dict[str, Value]]) -> dict[str, Value] | None:
    return next((event for event in events if domain in map(plain_name, _texts(event))), None)


def _said(domain: str, events: Iterable[dict[str, Value]]) -> str:
    event = _newest(domain, events)
    if event is None:
        return f"Its event log has neither event {_FAILED} nor {_SUCCEEDED} for {domain} since then: it has not tried."
    if event["EventCode"] == _SUCCEEDED:
        return (
            f"Its event log says that it did publish itself in {domain} (event {_SUCCEEDED}): the DNS servers that were asked do not"
            " hold it yet, or are not those that it writes to."
        )
    texts = _texts(event)
    code = next((text for text in texts if _CODE.fullmatch(text)), "")
    if code:
        return f"Its event log has the reason for {domain} as event {_FAILED}: {sentence(int(code, 16), Asked.PUBLISHING)}"
    return f"Its event log has event {_FAILED} for {domain}: {', '.join(texts)}."
