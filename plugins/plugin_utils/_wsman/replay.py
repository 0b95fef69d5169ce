# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays a recording back: a carrier that answers as the recorded host did."""

from __future__ import annotations

import json
import re
import typing as t
import xml.etree.ElementTree as ET
from collections import defaultdict, deque
from pathlib import Path

from .._core.errors import ActivationError
from .._core.files import read_file
from .._core.text import LONGEST_NAME, visible
from .._core.xml import UnreadableXml, parse_xml
from . import namespaces as ns
from .carrier import HttpError
from .masking import Masker
from .recording import FORMAT, LARGEST, VERSION
from .session import UnknownOutcome


def load(path: str | Path) -> dict[str, t.Any]:
    """A recording from its file.

    Raises:
        ActivationError: The file is not a recording, or is of a version that this collection does not know.
    """
    try:
        recording = json.loads(read_file(path, LARGEST).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ActivationError(f"{path} can't be read as a recording: {error}.", source="options") from None
    if not isinstance(recording, dict) or recording.get("format") != FORMAT or not _are_exchanges(recording.get("exchanges")):
        raise ActivationError(f"{path} is not a recording of debug_winrm_session.", source="options")
    if (version := recording.get("version")) != VERSION:
        found = visible(str(version), LONGEST_NAME)
        raise ActivationError(f"{path} is a recording of version {found}; this collection reads version {VERSION}.", source="options")
    return recording


def _are_exchanges(found: t.Any) -> bool:
    """Whether a recording has what is played back: requests, each with an answer or an error."""
    return isinstance(found, list) and all(
        isinstance(exchange, dict)
        and isinstance(exchange.get("request"), str)
        and (isinstance(exchange.get("answer"), str) or ("answer" not in exchange and _is_error(exchange.get("error"))))
        for exchange in found
    )


def _is_error(found: t.Any) -> bool:
    return (
        isinstance(found, dict)
        and isinstance(found.get("message"), str)
        and (found.get("kind") != "http" or (isinstance(found.get("status"), int) and not isinstance(found["status"], bool)))
    )


class Replay:
    """A carrier that answers each request as it was answered in a recording.

    Requests are the same where action, resource, selectors and body are: other requests between them do not matter, and
    neither do message IDs or the endpoint. The same request asked several times gets its answers in the order in which
    they were recorded, so that a state that changed does so again; it is not answered more often than that.

    Args:
        recording: What C(load) or C(recording.document) gives.

    Raises:
        ActivationError: A request in it is no SOAP message.
    """

    endpoint = "http://replay.invalid:5985/wsman"

    def __init__(self, recording: dict[str, t.Any]) -> None:
        self._waiting: defaultdict[str, deque[dict[str, t.Any]]] = defaultdict(deque)
        self._masker = Masker()
        for exchange in recording["exchanges"]:
            self._waiting[_signature(exchange["request"])].append(exchange)

    @property
    def remaining(self) -> int:
        """How many exchanges nobody has asked for yet."""
        return sum(map(len, self._waiting.values()))

    def send(self, message: bytes) -> bytes:
        """See C(Carrier.send).

        Raises:
            ActivationError: The recording has no answer to this request, or an error was recorded instead of one.
        """
        # A recording holds no product key, so that the request in hand has to lose its own before it is looked up.
        request = self._masker.message(message.decode("utf-8"))
        waiting = self._waiting[_signature(request)]
        if not waiting:
            action = _element(request, f"{{{ns.SOAP}}}Header/{{{ns.ADDRESSING}}}Action") or "Identify"
            raise ActivationError(f"The recording holds no (further) answer to this request: {action}: {request}", source="wsman")
        exchange = waiting.popleft()
        if "answer" not in exchange:
            raise _error(exchange["error"])
        return _related(exchange["answer"], _message_id(exchange["request"]), _message_id(request)).encode("utf-8")

    def reconnect(self) -> None:
        """See C(Carrier.reconnect)."""

    def close(self) -> None:
        """See C(Carrier.close)."""


def _signature(request: str) -> str:
    """What makes two requests the same."""
    root = _parse(request)
    header, body = root.find(f"{{{ns.SOAP}}}Header"), root.find(f"{{{ns.SOAP}}}Body")
    empty = ET.Element("none")
    header, body = empty if header is None else header, empty if body is None else body
    selectors = {
        selector.get("Name", "").lower(): selector.text or ""
        for selector in header.iterfind(f"{{{ns.WSMAN}}}SelectorSet/{{{ns.WSMAN}}}Selector")
    }
    for child in body:
        # The text behind an element would be written with it.
        child.tail = None
    content = [ET.canonicalize(ET.tostring(child, encoding="unicode"), rewrite_prefixes=True, strip_text=True) for child in body]
    return json.dumps(
        [
            header.findtext(f"{{{ns.ADDRESSING}}}Action", "").strip(),
            header.findtext(f"{{{ns.WSMAN}}}ResourceURI", "").strip().lower(),
            selectors,
            content,
        ],
        sort_keys=True,
    )


def _error(recorded: dict[str, t.Any]) -> ActivationError:
    if recorded.get("kind") == "http":
        return HttpError(recorded["message"], recorded["status"])
    if recorded.get("kind") == "unknown":
        return UnknownOutcome(recorded["message"], source="wsman")
    return ActivationError(recorded["message"], source="wsman")


def _related(answer: str, recorded_id: str, new_id: str) -> str:
    """The answer as one to the request in hand; Windows may write the ID in another case."""
    return re.sub(re.escape(recorded_id), lambda _found: new_id, answer, flags=re.IGNORECASE) if recorded_id else answer


def _message_id(request: str) -> str:
    return _element(request, f"{{{ns.SOAP}}}Header/{{{ns.ADDRESSING}}}MessageID")


def _element(request: str, path: str) -> str:
    return _parse(request).findtext(path, "").strip()


def _parse(request: str) -> ET.Element:
    try:
        return parse_xml(request)
    except UnreadableXml as error:
        raise ActivationError(f"A recorded request {error}.", source="wsman") from None
