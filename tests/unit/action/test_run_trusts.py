# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""run_trusts asks the controller of the record, and returns what is known by domain."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from handmade import task_of

from ansible_collections.winops.volume_activation.plugins.action import run_trusts
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.settings import DirectorySettings
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.trusts import UNKNOWN, Trust

pytestmark = pytest.mark.tier("test")


def test_what_is_known_comes_back_by_domain(monkeypatch: pytest.MonkeyPatch):
    def read(settings: DirectorySettings, domains: Iterable[str]) -> dict[str, Trust]:
        assert (settings.server, settings.username, settings.password) == ("dc1.west.example", "admin@WEST.EXAMPLE", "secret")
        return {domain: Trust(UNKNOWN, "It is dark.") for domain in domains}

    monkeypatch.setattr(run_trusts, "read_trusts", read)
    options = {"domains": ["east.example"], "domain_server": "dc1.west.example", "domain_username": "admin@WEST.EXAMPLE"}
    templar = SimpleNamespace(template=lambda value: value)
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="x"))
    action = run_trusts.ActionModule(task_of({**options, "domain_password": "secret"}), connection, None, None, templar, None)
    result: dict[str, Any] = action.run(task_vars={"inventory_hostname": "kms-e1"})
    assert result["trusts"] == {"east.example": {"state": "unknown", "why": "It is dark."}}
    assert (result["changed"], result["failed"], result["steps"]) == (False, False, [])
    assert "secret" not in str(result)
