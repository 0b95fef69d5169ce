# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order a Windows machine tries the targets of an SRV RRset."""

from __future__ import annotations

import random
from collections.abc import Iterable

from .ports import SrvRecord


def order(records: Iterable[SrvRecord], generator: random.Random, ignores_priority: bool = False) -> list[SrvRecord]:
    """RFC 2782: by priority, within one by weighted lot; Vista and Server 2008 draw among all alike (docs/facts/kms.md#choice-of-a-host)."""
    remaining = sorted(records, key=lambda record: (record.priority, record.target, record.port))
    if ignores_priority:
        generator.shuffle(remaining)
        return remaining
    ordered: list[SrvRecord] = []
    while remaining:
        # Weight 0 goes first, so that it has its small chance (RFC 2782, "Usage rules"); equals are in no order.
        group = [item for item in remaining if item.priority == remaining[0].priority]
        generator.shuffle(group)
        group.sort(key=lambda item: item.weight != 0)
        lot = generator.randint(0, sum(item.weight for item in group))
        running = 0
        for item in group:
            running += item.weight
            if running >= lot:
                break
        ordered.append(item)
        remaining.remove(item)
    return ordered
