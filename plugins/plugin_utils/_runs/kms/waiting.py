# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KMS hosts that wait for confirmation IDs, because they reach no Microsoft.

Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..._core.text import visible_lines
from ..._licensing.offline_ids import grouped
from ..registered import Result


def waiting(results: Mapping[str, Result], confirmed: Collection[str], variable: str) -> dict[str, Any]:
    """What is to be asked of Microsoft, and why the run stops until it is there.

    Args:
        results: The results of C(kms_host) by KMS host.
        confirmed: The hosts with a confirmation ID.
        variable: Where confirmation IDs are given.

    Returns:
        C(installation_ids), by host, of those that are not activated; C(products), those of them without a confirmation ID, as
        M(winops.volume_activation.confirmation_id) takes them; C(lines), the same for people; and C(stop), the reason, empty where
        nobody waits.
    """
    ids = {host: str(result["installation_id"]) for host, result in results.items() if result.get("installation_id")}
    products = [
        {"identifier": host, "installation_id": digits, "extended_pid": results[host]["extended_pid"]}
        for host, digits in ids.items()
        if host not in confirmed
    ]
    lines = visible_lines(f"{product['identifier']}: installation ID {grouped(product['installation_id'])}" for product in products)
    stop = (
        f"The KMS hosts have their keys, but {len(products)} of them {'is' if len(products) == 1 else 'are'} not activated. Get a confirmation ID"
        f" from Microsoft for each installation ID, and run the play again with {variable}: {' | '.join(lines)}"
    )
    return {"installation_ids": ids, "products": products, "lines": lines, "stop": stop if products else ""}
