# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of BatchActivation by rule: which requests fail, wait, or lose their answer."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass

from ..fault_rules import CountedRule
from .request import BatchRequest

FAULTS = (
    "error",
    "http",
    "slow",
    "close_before",
    "close_after",
    "half",
    "garbage",
    "html",
    "empty",
    "doctype",
    "no_answer",
    "other_answer",
    "other_text",
    "huge",
)


@dataclass(kw_only=True)
class Rule(CountedRule):
    """One rule. ``request_type`` 1 or 2, 0 for both; ``pid`` and ``iid`` are shell patterns.

    The first ``skip`` matching requests pass, the ``times`` after them are hit (0 = all). ``seconds`` pass before anything else
    happens. Then, by ``fault``, where ``counts`` below means that the activation is spent all the same:

    * ``error``: the answer has the error ``code``. ``http``: a bare HTTP ``status``, and where there is one, a ``location``.
    * ``slow``: nothing but the wait; counts.
    * ``close_before``: the connection is closed without an answer and before the work.
    * ``close_after``: the work is done and its answer lost; counts. ``half``: the connection ends in the middle of the answer; counts.
    * ``garbage``, ``html``, ``empty``, ``doctype``: a body that is no answer, with HTTP 200. ``no_answer``: a sound envelope without
      one. ``huge``: 100 MB. The work is not done.
    * ``other_text``: a sound answer with ``text`` in place of the confirmation ID; counts.
    * ``other_answer``: a sound answer to another request, whose installation ID it has, with a confirmation ID that is not for this machine;
      counts.

    ``done`` says otherwise whether the work is done.
    """

    fault: str = "error"
    request_type: int = 0
    pid: str = "*"
    iid: str = "*"
    code: int = 0x80131600
    status: int = 500
    location: str = ""
    seconds: float = 0.0
    text: str = ""
    done: bool | None = None

    def __post_init__(self) -> None:
        if self.fault not in FAULTS:
            raise ValueError(f"no fault {self.fault}; there are {', '.join(FAULTS)}")

    @property
    def counts(self) -> bool:
        """Whether the work is done."""
        return self.fault in ("slow", "close_after", "half", "other_answer", "other_text") if self.done is None else self.done

    def matches(self, request: BatchRequest) -> bool:
        """Whether the rule is about such a request."""
        pairs = ((request.pid, self.pid), (request.installation_id, self.iid))
        return self.request_type in (0, request.kind) and all(fnmatch.fnmatchcase(value, pattern) for value, pattern in pairs)
