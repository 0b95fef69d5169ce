# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of computers that are given back to KMS.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._condensed.alike import failure_lines
from ..._core.text import some, visible_lines
from ..._survey.reach import too_many
from ..registered import Registered
from .outcomes import by_state, client_counts, failures


def counted(found: Registered) -> dict[str, Any]:
    """Which computers were only counted, and ask once more: those who were asked first had to count the others."""
    return {"counted": [host for host in found.hosts if (found.of("client", host).get("activation") or {}).get("state") == "counted"]}


def given_back(found: Registered, check_mode: bool) -> dict[str, Any]:
    """How each computer ended, for people, for later jobs, and for those that failed.

    Args:
        found: C(run), what was given, C(client), and C(again) where a computer asked once more.
        check_mode: Nothing was changed.
    """
    clients = {host: {"client": found.of("again", host) or found.of("client", host)} for host in found.hosts}
    failed = failures((host, client["client"]) for host, client in clients.items())
    silent = by_state(clients).get("not_reached", [])
    if refusal := too_many(found.once("run")["max_unreachable"], silent, len(found.hosts)):
        failed[silent[0]] = refusal
    lines = visible_lines(kms_summary(clients, check_mode))
    return {"lines": lines, "numbers": client_counts(clients), "failures": failed, "failing": list(failed)}


def kms_summary(clients: Mapping[str, Mapping[str, Any]], check_mode: bool) -> list[str]:
    """The end of a run that gave computers back to KMS.

    Args:
        clients: For each computer C(client), the result of C(kms_client).
        check_mode: Nothing was changed.
    """
    found = by_state(clients)
    lines = ["From MAK to KMS" + (" (check mode: nothing was changed)" if check_mode else "")]
    planned = f", {len(found['planned'])} not asked" if "planned" in found else ""
    lines.append(f"Computers: {len(found.get('licensed', []))} of {len(clients)} licensed{planned}")
    if waiting := found.get("counted"):
        lines.append(
            f"Counted, but not licensed yet: {len(waiting)} ({some(waiting)}). A KMS host activates no client before enough clients have asked it;"
            " Windows asks again by itself every two hours."
        )
    if absent := found.get("not_reached"):
        lines.append(f"Not reached: {len(absent)} ({some(absent, 20)})")
    return [*lines, *failure_lines((name, str(clients[name]["client"].get("msg", "no result"))) for name in found.get("failed", []))]
