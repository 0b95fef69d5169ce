# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the wire by rule: which requests fail, hang or lose their connection."""

from __future__ import annotations

import fnmatch
import threading
import time
from dataclasses import dataclass
from typing import Any

from .wsman.backend import FaultKind, WmiError
from .wsman.request_log import Entry
from .wsman.service import DropConnection


@dataclass
class Rule:
    """One rule. ``host``, ``action`` and ``resource`` are shell patterns, compared without case with the request log's entries
    (``kms-1*``, ``Invoke:*``, ``*SoftwareLicensingService``); ``query`` is a part of the WQL text.

    The first ``skip`` matching requests pass, the ``times`` after them are hit (0 = all). What happens, in this order:
    ``sleep`` seconds pass; ``drop`` closes the connection without an answer; ``hresult`` is raised as a WMI error of ``kind``.
    """

    host: str = "*"
    action: str = "*"
    resource: str = "*"
    query: str = ""
    skip: int = 0
    times: int = 1
    sleep: float = 0.0
    drop: bool = False
    hresult: int = 0
    text: str = ""
    kind: FaultKind = "provider"
    seen: int = 0

    def matches(self, entry: Entry) -> bool:
        """Whether the rule is about such a request."""
        pairs = ((entry.host, self.host), (entry.action, self.action), (entry.resource, self.resource))
        return self.query.lower() in entry.query.lower() and all(
            fnmatch.fnmatchcase(value.lower(), pattern.lower()) for value, pattern in pairs
        )

    def hit(self) -> bool:
        """Count a matching request; whether it is to be hit."""
        self.seen += 1
        return self.seen > self.skip and (self.times == 0 or self.seen <= self.skip + self.times)


class Injector:
    """The rules of a lab; an interceptor for :class:`lab.wsman.service.Service`."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def add(self, rule: dict[str, Any]) -> None:
        """Add a rule. Raises TypeError for an unknown field."""
        with self._lock:
            self._rules.append(Rule(**rule))

    def clear(self) -> None:
        """Remove every rule."""
        with self._lock:
            self._rules.clear()

    def __len__(self) -> int:
        return len(self._rules)

    def __call__(self, entry: Entry) -> None:
        """Apply the first rule that hits the request."""
        with self._lock:
            hits = [rule for rule in self._rules if rule.matches(entry) and rule.hit()]
        if not hits:
            return
        rule = hits[0]
        time.sleep(rule.sleep)
        if rule.drop:
            raise DropConnection
        if rule.hresult:
            raise WmiError(rule.hresult, rule.text or "The lab was told to fail here.", rule.kind)
