# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the wire by rule: which requests fail, hang or lose their connection."""

from __future__ import annotations

import fnmatch
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from .fault_rules import CountedRule, FaultRules
from .wsman.backend import FaultKind, WmiError
from .wsman.request_log import Entry
from .wsman.service import DropConnection
from .wsman.tampering import Tampering

REFUSED = "refused"


@dataclass(kw_only=True)
class Rule(CountedRule):
    """One rule. ``host``, ``action`` and ``resource`` are shell patterns, compared without case with the request log's entries
    (``kms-1*``, ``Invoke:*``, ``*SoftwareLicensingService``); ``query`` is a part of the WQL text.

    The first ``skip`` matching requests pass, the ``times`` after them are hit (0 = all), each with ``probability``, diced by
    ``seed``. What happens, in this order: ``sleep`` seconds pass; ``drop`` closes the connection without an answer; ``hresult`` is
    raised as a WMI error of ``kind``; ``fault`` is one of :data:`lab.wsman.tampering.KINDS`, with its ``done`` and ``pace``.

    ``fault="refused"`` is of another sort: connections to the hosts that match are refused until the faults are cleared.
    """

    host: str = "*"
    action: str = "*"
    resource: str = "*"
    query: str = ""
    probability: float = 1.0
    seed: int = 0
    sleep: float = 0.0
    drop: bool = False
    hresult: int = 0
    text: str = ""
    kind: FaultKind = "provider"
    fault: str = ""
    done: bool | None = None
    pace: float = 1.0
    tampering: Tampering | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)
        if self.fault and self.fault != REFUSED:
            self.tampering = Tampering.of(self.fault, self.done, self.pace)

    def matches(self, entry: Entry) -> bool:
        """Whether the rule is about such a request."""
        pairs = ((entry.host, self.host), (entry.action, self.action), (entry.resource, self.resource))
        return (
            self.fault != REFUSED
            and self.query.lower() in entry.query.lower()
            and all(fnmatch.fnmatchcase(value.lower(), pattern.lower()) for value, pattern in pairs)
        )

    def by_chance(self) -> bool:
        """Whether the dice say so."""
        return self._dice.random() < self.probability


class Injector(FaultRules[Rule]):
    """The rules of a lab; an interceptor for :class:`lab.wsman.service.Service`."""

    def __init__(self) -> None:
        super().__init__(Rule)

    def refused(self, addresses: Mapping[str, str]) -> list[str]:
        """The addresses, out of those by host name, to which connections are refused."""
        patterns = [rule.host.lower() for rule in self.rules() if rule.fault == REFUSED]
        return [address for name, address in addresses.items() if any(fnmatch.fnmatchcase(name.lower(), pattern) for pattern in patterns)]

    def __call__(self, entry: Entry) -> Tampering | None:
        """Apply the first rule that hits the request."""
        rule = self.first(entry)
        if rule is None:
            return None
        time.sleep(rule.sleep)
        if rule.drop:
            raise DropConnection
        if rule.hresult:
            raise WmiError(rule.hresult, rule.text or "The lab was told to fail here.", rule.kind)
        return rule.tampering
