# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The topology for people: which hosts the clients of each site try, in which order. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.text import columns

_HEADING = ("site", "clients ask", "step", "KMS host", "of site", "priority", "weight", "share")
_NUMBERS = (2, 5, 6, 7)


def order_table(topology: Mapping[str, Any]) -> list[str]:
    """The orders of a derived topology as lines of a table.

    A site and its record are named once, on the first of its lines; a step's number on the first of its hosts.
    """
    rows: list[tuple[str, ...]] = [_HEADING]
    for name, order in topology["orders"].items():
        site, asked = name, topology["sites"][name]["record"]
        for step, group in enumerate(order, start=1):
            number = str(step)
            for host in group["hosts"]:
                home = topology["hosts"][host["target"]]["site"]
                address = f"{host['target']}:{host['port']}"
                share = f"{host['share']:g} %"
                rows.append((site, asked, number, address, home, str(group["priority"]), str(host["weight"]), share))
                site = asked = number = ""
    return columns(rows, right=_NUMBERS)
