# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preflight says: a table of its findings, and why nothing is changed where one stands in the way.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._findings import Finding, table


def said_of(findings: Iterable[Finding], only_blocking: bool) -> dict[str, Any]:
    """Findings as a run returns them.

    Args:
        findings: All of them.
        only_blocking: Whether the reason names those alone that stand in the way.

    Returns:
        C(findings), the lines of a table, and C(stop), the reason; empty where nothing stands in the way.
    """
    found = [finding.as_result() for finding in findings]
    blocking = [entry for entry in found if entry["blocks"]]
    named = " | ".join(table(blocking if only_blocking else found)) if blocking else ""
    stop = f"Nothing was changed. {len(blocking)} of {len(found)} findings stand in the way: {named}" if blocking else ""
    return {"findings": table(found) if found else [], "stop": stop}
