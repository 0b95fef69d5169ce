# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What winrm_target found becomes findings of the role, none of which stands in the way."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.winops.volume_activation.plugins.filter.mak_independent import mak_findings

pytestmark = pytest.mark.tier("quick")

HOST = "pc-001.contoso.com"


def findings(target: dict[str, Any]) -> list[dict[str, Any]]:
    variables = {"__mak_independent_keys": ["enterprise"], "__mak_independent_target": target}
    ring = {"enterprise": {"key": "BCDFG-HJKMP-QRTVW-XY234-6789B"}}
    return [finding for finding in mak_findings({HOST: variables}, [HOST], ring) if "WinRM" in finding["text"]]


def need(met: bool | None) -> dict[str, Any]:
    return {"name": "winrm_service", "met": met, "detail": f"{HOST}: the service WinRM does not start with Windows."}


def test_only_what_is_known_to_be_missing_is_a_finding():
    assert findings({"requirements": [need(False), need(None), need(True)]}) == [
        {"object": HOST, "text": "The service WinRM does not start with Windows.", "blocks": False}
    ]


def test_a_computer_that_could_not_be_looked_at_has_none():
    for target in ({}, {"unreachable": True, "msg": "WinRM"}, {"failed": True, "msg": "WinRM", "error": {}}, {"skipped": True}):
        assert findings(target) == []
