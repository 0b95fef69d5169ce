# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS findings in the form of task results. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence

from .._core.errors import ActivationError
from .._srv.order import groups
from .._srv.value import SrvValue
from .compare import Comparison
from .srv import Server, SrvAnswer


def records(comparison: Comparison) -> list[dict[str, t.Any]]:
    """Every value with its time to live, by priority, then by falling weight."""
    ordered = sorted(comparison.values.items(), key=lambda entry: (entry[0].priority, -entry[0].weight, entry[0]))
    return [{**_value(value), "ttl": ttl} for value, ttl in ordered]


def servers(asked: Sequence[Server], answers: Sequence[SrvAnswer | ActivationError], comparison: Comparison) -> list[dict[str, t.Any]]:
    """Server by server what it holds and what it lacks, in the order in which they were named."""
    rows = []
    for server, answer in zip(asked, answers, strict=True):
        row: dict[str, t.Any] = {
            "server": server.name,
            "address": server.address,
            "authoritative": False,
            "holds": [],
            "lacks": [],
            "error": "",
        }
        if isinstance(answer, ActivationError):
            row["error"] = answer.message
        else:
            row["authoritative"] = answer.authoritative
            row["holds"] = [str(value) for value in answer.values]
            row["lacks"] = [str(value) for value in comparison.lacking.get(server, ())]
        rows.append(row)
    return rows


def order(values: Sequence[SrvValue]) -> list[dict[str, t.Any]]:
    """The priorities in the order in which a client tries them, with each target's share in percent."""
    return [
        {
            "priority": group.priority,
            "targets": [
                {"target": value.target, "port": value.port, "weight": value.weight, "share": share} for value, share in group.shares
            ],
        }
        for group in groups(values)
    ]


def differences(comparison: Comparison) -> list[str]:
    """A sentence for every server that lacks what another one holds, and for every one that failed."""
    sentences = [
        f"The DNS server {server} lacks {', '.join(str(value) for value in lacking)}, which another server holds."
        for server, lacking in comparison.lacking.items()
    ]
    return sentences + [failure.message for failure in comparison.failed.values()]


def _value(value: SrvValue) -> dict[str, t.Any]:
    return {"target": value.target, "port": value.port, "priority": value.priority, "weight": value.weight}
