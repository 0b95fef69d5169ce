# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What BatchActivation does with a request: asks the simulated Microsoft, and lets faults by rule happen."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from ..fault_rules import FaultRules
from ..windows.microsoft import UNLIMITED_OR_BLOCKED, ActivationRefused, BatchBroken, Microsoft
from . import request as wire
from . import response
from .faults import Rule
from .journal import Entry, Journal
from .variants import variant

HUGE = 100 * 1024 * 1024
_BODIES = {
    "garbage": b"\x00\x01 Service Unavailable & <not> XML",
    "html": b"<html><head><title>Sign in to the network</title></head><body></body></html>",
    "empty": b"",
    "huge": b" " * 65536,
}
_OTHER_CONFIRMATION_ID = "123456" * 8


@dataclass(frozen=True)
class Reply:
    """What goes back. ``body`` None closes the connection without an answer; ``half`` ends it in the middle; ``huge`` repeats the body."""

    status: int
    body: bytes | None
    content_type: str = "text/xml; charset=utf-8"
    half: bool = False
    huge: bool = False
    location: str = ""


class BatchService:
    """One service; ``seed`` chooses the forms of its answers (:data:`lab.microsoft.variants.TOPICS`)."""

    def __init__(self, microsoft: Microsoft, faults: FaultRules[Rule], journal: Journal, seed: int = 1) -> None:
        self.microsoft = microsoft
        self.faults = faults
        self.journal = journal
        self.seed = seed

    def answer(self, headers: Mapping[str, str], body: bytes, peer: str = "") -> Reply:
        """The reply to a POST; one entry is written to the journal. Header names are in lower case."""
        entry = Entry(peer=peer)
        try:
            return self._answer(headers, body, entry)
        except wire.RequestRefused as refusal:
            entry.outcome = f"refused: {refusal}"
            return Reply(refusal.status, response.fault(str(refusal)) if refusal.status == 500 else b"")
        finally:
            self.journal.write(entry)

    def _answer(self, headers: Mapping[str, str], body: bytes, entry: Entry) -> Reply:
        wire.check_headers(headers)
        request = wire.parse(body)
        entry.request_type, entry.pid, entry.iid = request.kind, request.pid, request.installation_id
        rule = self.faults.first(request)
        if rule is None:
            return self._work(request, entry)
        entry.fault = rule.fault
        time.sleep(rule.seconds)
        reply = self._work(request, entry) if rule.counts else None
        return self._spoil(rule, request, entry, reply)

    def _work(self, request: wire.BatchRequest, entry: Entry) -> Reply:
        try:
            if request.kind == wire.COUNT:
                count = self.microsoft.remaining(request.pid)
                entry.outcome = f"remaining {count}"
                return Reply(200, response.remaining(self.seed, request, count))
            confirmation = self.microsoft.confirmation_id(request.installation_id, request.pid)
        except ActivationRefused as refusal:
            entry.outcome = f"0x{refusal.batch_code:X}"
            return Reply(200, self._refused(request, refusal.batch_code))
        except BatchBroken:
            entry.outcome = "http 500"
            return Reply(500, b"", "text/html")
        entry.outcome, entry.counted = "confirmed", True
        return Reply(200, response.confirmed(self.seed, request, confirmation))

    def _refused(self, request: wire.BatchRequest, code: int) -> bytes:
        if request.kind == wire.COUNT and code == 0x67:
            shown = code if variant(self.seed, "blocked count") == "with the code" else 0
            return response.remaining(self.seed, request, UNLIMITED_OR_BLOCKED, shown)
        return response.refused(self.seed, request, code)

    def _spoil(self, rule: Rule, request: wire.BatchRequest, entry: Entry, reply: Reply | None) -> Reply:
        """The reply that a rule wants; ``reply`` is the sound one where the work was done."""
        kind = rule.fault
        if kind == "error":
            entry.outcome = f"0x{rule.code:X}"
            return Reply(200, response.refused(self.seed, request, rule.code))
        if kind == "http":
            entry.outcome = f"http {rule.status}"
            return Reply(rule.status, b"", "text/html", location=rule.location)
        if kind in ("close_before", "close_after"):
            return Reply(0, None)
        if kind in _BODIES:
            return Reply(200, _BODIES[kind], "text/html" if kind == "html" else "text/xml; charset=utf-8", huge=kind == "huge")
        sound = reply or Reply(200, response.refused(self.seed, request, rule.code))
        if kind == "half":
            return Reply(sound.status, sound.body, half=True)
        if kind == "doctype":
            return Reply(
                200, b'<!DOCTYPE s [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + (sound.body or b"").lstrip(b"\xef\xbb\xbf")
            )
        if kind == "no_answer":
            return Reply(200, response.empty())
        if kind == "other_text":
            return Reply(200, response.confirmed(self.seed, request, rule.text))
        if kind == "other_answer":
            other = wire.BatchRequest(request.kind, request.pid, "0" * len(request.installation_id))
            return Reply(200, response.confirmed(self.seed, other, _OTHER_CONFIRMATION_ID, repeats=True))
        return sound
