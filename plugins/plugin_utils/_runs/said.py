# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preflight says: a table of its findings, and why nothing is changed where one stands in the way.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .finding import Finding, table


def said_of(findings: Iterable[Finding], only_blocking: bool) -> dict[str, Any]:
    """Findings as a run returns them.

    Args:
        findings: All of them.
        only_blocking: Whether the reason names those alone that stand in the way.

    Returns:
        C(findings), the lines of a table, and C(stop), the reason; empty where nothing stands in the way.
    """
    found = [finding.as_result() for finding in findings]
    return {"findings": table(found), "stop": stop_of(found, only_blocking)}


def stop_of(found: Sequence[Mapping[str, Any]], only_blocking: bool) -> str:
    """Why a run stops before its first change; empty where nothing stands in the way.

    Args:
        found: Findings as variables hold them.
        only_blocking: Whether those alone are named that stand in the way.
    """
    every, blocking = table(found), table([entry for entry in found if entry["blocks"]])
    if not blocking:
        return ""
    return f"Nothing was changed. {len(blocking)} of {len(every)} findings stand in the way: {' | '.join(blocking if only_blocking else every)}"
