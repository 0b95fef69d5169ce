# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the KMS of a machine answers to clients (docs/facts/kms.md#thresholds)."""

from __future__ import annotations

import random
from datetime import timedelta

from . import identifiers
from .events import KEY_MANAGEMENT_SERVICE, EventLog
from .kms_line import CountAnswer, CountRequest, parse_time
from .licences import LICENSED
from .licensing import KMS_NOT_ENABLED, Licensing
from .ports import Clock

KMS_HOST_NOT_ACTIVATED = 0xC004F041
KMS_HOST_CANNOT_BE_USED = 0xC004F042
TIMESTAMP_INVALID = 0xC004F06C

CLOCK_SKEW_LIMIT = timedelta(hours=4)
"""docs/facts/kms.md#requests."""

_CLIENT_THRESHOLD = 25  # of Windows clients, docs/facts/kms.md#thresholds
_UNLICENSED = 0


class KmsAnswers:
    """Counts clients in the counter of a machine's licensing service, which is a KMS host as long as it has the key of one."""

    def __init__(self, dns_name: str, clock: Clock, events: EventLog, licensing: Licensing) -> None:
        self._dns_name = dns_name
        self._clock = clock
        self._events = events
        self._licensing = licensing

    def answer(self, request: CountRequest) -> CountAnswer:
        """A client's request, as a KMS host. The client itself compares the count with its threshold."""
        now = self._clock.now()
        code = self._refusal(request)
        count = 0
        if code:
            self._licensing.counter.reject()
        else:
            count = self._licensing.counter.register(request.cmid, request.threshold, request.licence_state, now)
        fields = (f"0x{code:08X}", request.threshold, request.client, request.cmid, request.time, 0, request.licence_state)
        self._events.write(12290, *fields, request.minutes_left, request.product_id, log=KEY_MANAGEMENT_SERVICE, failed=code != 0)
        licence = self._licensing.host_licence()
        pid = self._licensing.extended_pid(licence) if licence else None
        return CountAnswer(code, count, self._licensing.settings.activation_interval, self._licensing.settings.renewal_interval, pid or "")

    def count_made_up(self, clients: int) -> int:
        """Count so many clients that there are not, the same ones each time, as if they had asked; returns the count.

        A KMS says yes to nobody before 25 clients have asked (docs/facts/kms.md#thresholds), and a lab with sites may have fewer.
        Raises ValueError where there is no KMS host.
        """
        if self._licensing.host_licence() is None:
            raise ValueError(f"{self._dns_name} is no KMS host")
        now, generator = self._clock.now(), random.Random(self._licensing.hardware_id)
        for _number in range(clients):
            self._licensing.counter.register(identifiers.make_guid(generator), _CLIENT_THRESHOLD, _UNLICENSED, now)
        return self._licensing.counter.current(now)

    def _refusal(self, request: CountRequest) -> int:
        licence = self._licensing.host_licence()
        now = self._clock.now()
        if licence is None:
            return KMS_NOT_ENABLED
        if licence.status(now).state != LICENSED:
            return KMS_HOST_NOT_ACTIVATED
        if abs(now - parse_time(request.time)) > CLOCK_SKEW_LIMIT:
            return TIMESTAMP_INVALID
        return 0 if request.kms_group in licence.product.serves else KMS_HOST_CANNOT_BE_USED
