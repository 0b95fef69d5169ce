# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the event log of a KMS host says about its publication, asked when that has failed: a diagnosis, never a decision.

Win32_NTLogEvent reads the whole log for every query, which can take longer than Windows allows; so it is asked for as little as
possible, and not waited for long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from .._codes.asked import Asked
from .._codes.meaning import sentence
from .._errors import ActivationError
from .._srv_value import plain_name
from .._text import visible
from .._wsman.cim import Value
from .._wsman.session import Session, UnknownOutcome
from . import computer
from .classes import WIN32_NT_LOG_EVENT

_SECONDS = 10
_FAILED, _SUCCEEDED = 12293, 12294
_SOURCE = "Microsoft-Windows-Security-SPP"
_CODE = re.compile(r"0x[0-9a-f]{8}", re.IGNORECASE)
# Windows gives event 12293 five strings.
_MOST_STRINGS, _LONGEST_STRING = 10, 100
# The log keeps whole seconds.
_MARGIN = timedelta(seconds=2)


def explain(session: Session, domains: Iterable[str], elapsed: float) -> str:
    """What Windows has written down about its attempts to publish itself, as sentences with a blank in front of each.

    Args:
        session: The host.
        domains: The DNS domains that it did not come into.
        elapsed: Seconds since the attempt began, by our own clock: the host's may be wrong, and its events have that time.
    """
    try:
        now = computer.read_operating_system(session).local_time
        if now is None:
            return ""
        events = _events(session, now - timedelta(seconds=elapsed) - _MARGIN)
    except UnknownOutcome:
        return f" Its event log, which has the reason as event {_FAILED}, did not answer within {_SECONDS} seconds."
    except ActivationError as failure:
        why = failure.clause.rstrip(".")
        return f" Its event log, which has the reason as event {_FAILED}, could not be read: {why}."
    return "".join(f" {_said(domain, events)}" for domain in domains)


def _events(session: Session, since: datetime) -> list[dict[str, Value]]:
    """The events of publication since then, newest first."""
    moment = since.astimezone(UTC).strftime("%Y%m%d%H%M%S.%f+000")
    condition = (
        f"Logfile='Application' and SourceName='{_SOURCE}' and TimeGenerated>='{moment}'"
        f" and (EventCode={_FAILED} or EventCode={_SUCCEEDED})"
    )
    rows = session.query(WIN32_NT_LOG_EVENT, ("EventCode", "InsertionStrings", "TimeGenerated"), condition, timeout=_SECONDS)
    return sorted(rows, key=lambda row: str(row["TimeGenerated"]), reverse=True)


def _said(domain: str, events: Iterable[dict[str, Value]]) -> str:
    for event in events:
        strings = event["InsertionStrings"]
        texts = [visible(str(text).strip(), _LONGEST_STRING) for text in strings[:_MOST_STRINGS]] if isinstance(strings, list) else []
        if domain not in map(plain_name, texts):
            continue
        if event["EventCode"] == _SUCCEEDED:
            return (
                f"Its event log says that it did publish itself in {domain} (event {_SUCCEEDED}): the DNS servers that were asked do not"
                " hold it yet, or are not those that it writes to."
            )
        code = next((text for text in texts if _CODE.fullmatch(text)), "")
        if code:
            return f"Its event log has the reason for {domain} as event {_FAILED}: {sentence(int(code, 16), Asked.PUBLISHING)}"
        return f"Its event log has event {_FAILED} for {domain}: {', '.join(texts)}."
    return f"Its event log has neither event {_FAILED} nor {_SUCCEEDED} for {domain} since then: it has not tried."
