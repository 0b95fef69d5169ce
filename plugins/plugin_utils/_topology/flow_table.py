# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The topology for the owners of firewalls: who has to be let through to whom. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.text import columns

_HEADING = ("from site", "from", "to site", "to", "protocol", "port", "purpose")


def flow_table(topology: Mapping[str, Any]) -> list[str]:
    """The flows of a derived topology as lines of a table; clients are named by the networks of their site where those are declared."""
    rows = [_HEADING, *map(_row, topology["flows"])]
    return columns(rows, right=(5,))


def _row(flow: Mapping[str, Any]) -> tuple[str, ...]:
    source = _named(flow["from_host"], flow["from_address"]) if "from_host" in flow else ", ".join(flow["from_networks"]) or "clients"
    target = _named(flow["to_host"], flow["to_address"]) if "to_host" in flow else str(flow["to_server"])
    return str(flow["from_site"]), source, str(flow["to_site"]), target, str(flow["protocol"]), str(flow["port"]), str(flow["purpose"])


def _named(host: str, address: str) -> str:
    return f"{host} ({address})" if address else host
