# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a KMS host remembers of its clients: the cache of CMIDs and the counters (docs/facts/kms.md#count)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

CMID_KEPT = timedelta(days=30)
NO_COUNT = 0xFFFFFFFF
"""-1 as uint32: not a KMS host, or nobody has asked yet (docs/facts/licensing.md#service-properties)."""

STATE_COUNTERS = (
    "UnlicensedRequests",
    "LicensedRequests",
    "OOBGraceRequests",
    "OOTGraceRequests",
    "NonGenuineGraceRequests",
    "NotificationRequests",
)


@dataclass
class KmsCounter:
    """CMIDs by their last contact, newest last, at most twice the largest threshold seen; and request counters."""

    cmids: OrderedDict[str, datetime] = field(default_factory=OrderedDict)
    largest_threshold: int = 0
    total: int = 0
    failed: int = 0
    by_state: dict[int, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def register(self, cmid: str, threshold: int, licence_state: int, now: datetime) -> int:
        """Count a valid request and return the number of clients with it; a refused client is counted all the same (docs/facts/kms.md#count)."""
        with self.lock:
            self.total += 1
            self.by_state[licence_state] = self.by_state.get(licence_state, 0) + 1
            self.largest_threshold = max(self.largest_threshold, threshold)
            self.cmids.pop(cmid, None)
            self.cmids[cmid] = now
            while len(self.cmids) > 2 * self.largest_threshold:
                self.cmids.popitem(last=False)
            self._forget(now)
            return len(self.cmids)

    def reject(self) -> None:
        """Count a request that the host cannot serve."""
        with self.lock:
            self.failed += 1

    def current(self, now: datetime) -> int:
        """KeyManagementServiceCurrentCount."""
        with self.lock:
            self._forget(now)
            return len(self.cmids) if self.total else NO_COUNT

    def properties(self, now: datetime) -> dict[str, int]:
        """The KeyManagementService* counters of the licensing classes."""
        values = {f"KeyManagementService{name}": self.by_state.get(state, 0) for state, name in enumerate(STATE_COUNTERS)}
        return {
            **values,
            "KeyManagementServiceCurrentCount": self.current(now),
            "KeyManagementServiceTotalRequests": self.total,
            "KeyManagementServiceFailedRequests": self.failed,
        }

    def _forget(self, now: datetime) -> None:
        while self.cmids and now - next(iter(self.cmids.values())) > CMID_KEPT:
            self.cmids.popitem(last=False)
