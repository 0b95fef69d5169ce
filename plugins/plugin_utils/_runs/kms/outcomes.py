# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of clients that ask a KMS host.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

STATES = ("licensed", "counted", "failed", "not_reached", "planned")
Client = Mapping[str, Any]
"""C(license), the result of reading it before, and C(client), that of C(kms_client), where it got that far."""


def client_counts(clients: Mapping[str, Client]) -> dict[str, int]:
    """How many clients are in which state."""
    counts = dict.fromkeys(STATES, 0)
    for client in clients.values():
        counts[client_state(client)] += 1
    return counts


def client_state(client: Client) -> str:
    """One of STATES."""
    license_result, result = client.get("license") or {}, client.get("client") or {}
    if license_result.get("unreachable") or result.get("unreachable"):
        return "not_reached"
    if result.get("failed") or "activation" not in result:
        return "failed"
    state = result["activation"]["state"]
    return "planned" if state == "not_attempted" else str(state)


def by_state(clients: Mapping[str, Client]) -> dict[str, list[str]]:
    """The names of the clients in each state that there is."""
    found: dict[str, list[str]] = {}
    for name, client in clients.items():
        found.setdefault(client_state(client), []).append(name)
    return found


def failures(results: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, str]:
    """Why clients failed, by name, whether the tasks said so or not. One that is dark did not fail."""
    return {
        host: str(result.get("msg", ""))
        for host, result in results
        if (result.get("failed") or "error" in result) and not result.get("unreachable")
    }
