# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The topology for people: which hosts the clients of each site try, in which order. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.text import columns, visible

_HEADING = ("  step", "KMS host", "of site", "priority", "weight", "share")
_NUMBERS = (0, 3, 4, 5)


def order_table(topology: Mapping[str, Any]) -> list[str]:
    """The orders of a derived topology as lines: a heading, and for each site one with the record that its clients ask, above its hosts.

    A step's number is on the first of its hosts.
    """
    sites: dict[str, int] = {}
    rows: list[tuple[str, ...]] = [_HEADING]
    for name, order in topology["orders"].items():
        sites[f"Clients of {name} ask {topology['sites'][name]['record']}:"] = len(rows)
        for step, group in enumerate(order, start=1):
            number = str(step)
            for host in group["hosts"]:
                home = topology["hosts"][host["target"]]["site"]
                address = f"{host['target']}:{host['port']}"
                share = f"{host['share']:g} %"
                rows.append((number, address, home, str(group["priority"]), str(host["weight"]), share))
                number = ""
    lines = columns(rows, right=_NUMBERS)
    ends = [*sites.values(), len(lines)][1:]
    return [
        lines[0],
        *(line for (site, start), end in zip(sites.items(), ends, strict=True) for line in (visible(site), *lines[start:end])),
    ]
