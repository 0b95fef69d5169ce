# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Microsoft's BatchActivation service answers: a whole answer, or only the XML inside, around which a right one is put."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from unit.computer_list.lists import EPID, iid, isolated

from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.reading import parse
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.writing import render
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.acquiring import Source, Way, acquire
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.batch_request import Question
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.batch_response import BatchAnswer
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.counts import counts
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.service import Service
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.settings import MicrosoftSettings

from .judge import Heard, Parser
from .mutations import mostly, of_xml

SETTINGS = MicrosoftSettings("https://activation.contoso.com/", retries=0, parallel=1)
_OUTSIDE = (
    '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    '<BatchActivateResponse xmlns="http://www.microsoft.com/BatchActivationService"><BatchActivateResult><ResponseXml>{}</ResponseXml>'
    "</BatchActivateResult></BatchActivateResponse></soap:Body></soap:Envelope>"
)


def read_response(data: bytes, heard: Heard) -> None:
    """The answer to each kind of request, into a computer list and into the counts of keys."""
    whole = data if b"ResponseXml" in data else _OUTSIDE.format(escape(data.decode("utf-8", "replace"))).encode("utf-8", "replace")
    refusals: list[ActivationError] = []

    def ask(question: Question) -> BatchAnswer:
        try:
            return Service(SETTINGS)._read(200, "", whole, question)
        except ActivationError as refusal:
            refusals.append(refusal)
            raise

    for status in (302, 500):
        try:
            Service(SETTINGS)._read(status, data[:300].decode("latin-1"), data, Question(EPID, iid(1)))
        except ActivationError as refusal:
            heard.sentences.append(refusal.message)
    for work in (lambda: _counts(ask, heard), lambda: _acquire(ask, heard)):
        try:
            work()
        except ActivationError as refusal:
            heard.sentences.append(refusal.message)
    heard.sentences += [refusal.message for refusal in refusals]
    if len(refusals) > 1:
        raise refusals[-1]


def _counts(ask: Any, heard: Heard) -> None:
    heard.sentences += [row["error"] for row in counts([("clients", EPID)], ask, SETTINGS) if row["error"]]


def _acquire(ask: Any, heard: Heard) -> None:
    document = isolated(1)
    names = {product.identifier: name for name, product in document.listed()}
    acquired = acquire(Source(list(document.entries()), names), Way(ask, SETTINGS))
    heard.sentences += acquired.warnings
    if parse(render(document), "list.json") != document:
        heard.wrong.append("the list is another one when it is read again")


PARSERS = [Parser("batch", read_response, mostly(of_xml, 0.95))]
