# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts answer: WS-Management messages, faults, Identify, whole tasks, and the bind of the KMS interface.

An input for one request is a message with C(@ID@) where it names the request that it answers, behind a comment that says which request.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from random import Random
from typing import Any
from unittest.mock import AsyncMock, MagicMock, patch

from unit.lab.hostile_tasks import STORIES, tell
from unit.lab.hostile_values import SpoiltCarrier, complaints

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.text import visible
from ansible_collections.winops.volume_activation.plugins.plugin_utils._kms_endpoint import bind
from ansible_collections.winops.volume_activation.plugins.plugin_utils._scan import http, identify
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform import classes
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.bounds import MAX_PAGES
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.cim import CimClass
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.fault import WsmanFault
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session
from lab.wsman.request_log import Entry

from .judge import Heard, Parser
from .mutations import mostly, of_bytes, of_xml, times

CLASSES = {value.name: value for value in vars(classes).values() if isinstance(value, CimClass)}
NEXT = b"<!--next-->"
"""Stands between the pages of a query."""

_ASKED = re.compile(rb"<!--(query|get|put|invoke|identify|config)(?: (\w+))?(?:\.(\w+))?-->")
_MESSAGE_ID = re.compile(rb"MessageID>([^<]*)<")


class Answers:
    """A carrier that answers with the messages of an input, and with the last one for ever."""

    endpoint = "http://host:5985/wsman"

    def __init__(self, data: bytes, heard: Heard) -> None:
        self._messages = data.split(NEXT)
        self._heard = heard
        self._sent = 0

    def send(self, message: bytes) -> bytes:
        asked = _MESSAGE_ID.search(message)
        answer = self._messages[min(self._sent, len(self._messages) - 1)]
        self._sent += 1
        assert self._sent < 2 * MAX_PAGES, "the session asks without end"
        answer = answer.replace(b"@ID@", asked[1] if asked else b"")
        self._heard.size += len(answer)
        return answer

    def reconnect(self) -> None:
        pass

    def close(self) -> None:
        pass


def read_answer(data: bytes, heard: Heard) -> object:
    """One request, as the input says, and its answer."""
    found = _ASKED.search(data)
    what, name, method = (part.decode() for part in found.groups(b"")) if found else ("query", "", "")
    cim_class = CLASSES.get(name, classes.SOFTWARE_LICENSING_PRODUCT)
    with Session(Answers(data, heard), "kms-1.contoso.com") as session:
        try:
            return _ask(session, what, cim_class, method)
        except WsmanFault as fault:
            # Whoever catches it decides by these.
            _decisions = fault.timed_out, fault.not_found, fault.hresult, fault.shown_code
            raise


def _ask(session: Session, what: str, cim_class: CimClass, method: str) -> object:
    if what == "identify":
        identity = session.identify()
        return identity.os_version, identity.winrm_version
    if what == "config":
        return session.read_config()
    if what == "get":
        return session.get(cim_class, {"Name": "x"})
    if what == "put":
        return session.put(cim_class, {"Name": "x"}, {})
    if what == "invoke":
        return session.invoke(cim_class, method if method in cim_class.methods else next(iter(cim_class.methods)))
    return session.query(cim_class, list(cim_class.properties))


def read_task(data: bytes, heard: Heard) -> None:
    """A whole task on a host of the laboratory, of whose answers one is that of the input: a document with C(story), C(nth) and C(answer)."""
    document = json.loads(data)
    story = STORIES[document["story"]]
    ended = tell(story, make=_spoiling(int(document["nth"]), document["answer"].encode("utf-8", "surrogatepass")))
    heard.sentences += [*ended.shown, *([ended.result["msg"]] if "msg" in ended.result else [])]
    found = complaints(ended.result, ended.shown, ended.host, ended.carrier.log)
    # What cannot be seen in a sentence is the judge's, who lets spaces of all kinds pass.
    heard.wrong += [f"{wrong} ({story.module})" for wrong in found if not wrong.startswith("not one visible line")]


def _spoiling(nth: int, answer: bytes) -> type[SpoiltCarrier]:
    """A carrier whose nth answer is another one; it relates to the request nevertheless."""

    class Spoiling(SpoiltCarrier):
        def send(self, message: bytes) -> bytes:
            sound = super().send(message)
            asked = _MESSAGE_ID.search(message)
            return answer.replace(b"@ID@", asked[1] if asked else b"") if len(self.log) == nth + 1 else sound

    return Spoiling


def answers_of(name: str) -> list[bytes]:
    """The answers of a sound host to the task of a story, each behind the comment that says to which request."""
    noted: list[bytes] = []

    class Noting(SpoiltCarrier):
        def send(self, message: bytes) -> bytes:
            answer = super().send(message)
            asked = _MESSAGE_ID.search(message)
            noted.append(_asked(self.log[-1]) + (answer.replace(asked[1], b"@ID@") if asked else answer))
            return answer

    tell(STORIES[name], make=Noting)
    return noted


def _asked(entry: Entry) -> bytes:
    if entry.action == "Identify":
        return b"<!--identify-->"
    queried = re.search(r"\bfrom (\w+)", entry.query, re.IGNORECASE)
    if queried:
        return f"<!--query {queried[1]}-->".encode()
    if entry.resource == "config":
        return b"<!--config-->"
    what, _colon, method = entry.action.partition(":")
    return f"<!--{what.lower()} {entry.resource}{f'.{method}' if method else ''}-->".encode()


_SOUND: dict[str, list[bytes]] = {}


def _of_task(draw: Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    """Another answer of the story that the seed names, with a few changes."""
    name = json.loads(data)["story"]
    if name not in _SOUND:
        _SOUND[name] = answers_of(name)
    nth = draw.randrange(len(_SOUND[name]))
    answer = _SOUND[name][nth]
    for _time in range(times(draw)):
        answer = of_xml(draw, answer, _SOUND[name])
    document: dict[str, Any] = {"story": name, "nth": nth, "answer": answer.decode("utf-8", "surrogatepass")}
    return json.dumps(document).encode()


def read_bind(data: bytes, heard: Heard) -> None:
    """The answer of a KMS host's port."""
    try:
        reply = bind.parse_reply(data)
        heard.sentences += [reply.reason or "accepted"]
    except bind.NotRpc as refusal:
        heard.sentences.append(str(refusal))


def read_scan(data: bytes, heard: Heard) -> None:
    """What somebody in a network that is searched answers to Identify over HTTP; nobody fails by it."""

    async def connected(*_where: object, limit: int, **_how: object) -> tuple[asyncio.StreamReader, MagicMock]:
        reader, writer = asyncio.StreamReader(limit), MagicMock()

        def sent(message: bytes) -> None:
            asked = _MESSAGE_ID.search(message)
            reader.feed_data(data.replace(b"@ID@", asked[1] if asked else b""))
            reader.feed_eof()

        writer.write, writer.drain = sent, AsyncMock()
        return reader, writer

    with patch.object(asyncio, "open_connection", connected):
        (found,) = identify.scan(["192.0.2.1"], [identify.Port(5985, "http")], _PACE) or (None,)
        try:
            # The scan passes over every failure; what is no answer has to be told from a defect all the same.
            asyncio.run(http.post("192.0.2.1", 5985, None, {}, b""))
        except http.NoHttpAnswer as refusal:
            heard.sentences += [] if found is None else [str(refusal)]
    if found is not None:
        heard.sentences.append(f"{visible(found.vendor)} {visible(found.product)} {visible(found.stack)}")


_PACE = identify.Pace(parallel=1, rate=1e6, timeout=5, time_limit=100)
PARSERS = [
    Parser("scan", read_scan, mostly(of_bytes)),
    Parser("answers", read_answer, mostly(of_xml, 0.95)),
    Parser("faults", read_answer, mostly(of_xml, 0.95)),
    Parser("identify", read_answer, mostly(of_xml)),
    Parser("tasks", read_task, _of_task, seconds=3.0),
    Parser("bind", read_bind, mostly(of_bytes)),
]
