# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules get their results from recordings that debug_winrm_session made of the lab's two parks, without the lab."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from handmade import task_of

from ansible_collections.winops.volume_activation.plugins.action.license_info import ActionModule
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions import windows as _windows_action
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.remoting.winrm_session import inspect_session
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.replay import Replay, load
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.transport import CarrierFacts

pytestmark = pytest.mark.tier("quick")

FOLDER = Path(__file__).resolve().parents[1] / "recordings"
RECORDINGS = ("modern_kms_host", "modern_client", "document_kms_host", "document_client")


def license_info(name: str, monkeypatch: pytest.MonkeyPatch, **options: Any) -> dict[str, Any]:
    """What the module returns for a recorded host."""
    replay = Replay(load(FOLDER / f"{name}.json"))
    monkeypatch.setattr(_windows_action, "open_session", lambda _connection, host, _contact: Session(replay, host))
    task = task_of(options)
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="x"), option_definitions={}, allow_extras=False)
    action = ActionModule(task, connection, SimpleNamespace(become=False), None, SimpleNamespace(template=lambda value: value), None)
    return action.run(task_vars={"inventory_hostname": "host1"})


def test_license_info_of_a_kms_host(monkeypatch: pytest.MonkeyPatch):
    result = license_info("modern_kms_host", monkeypatch)
    assert (result["failed"], result["changed"]) == (False, False)
    windows, service = result["windows"], result["service"]
    assert (windows["channel"], windows["status"], windows["permanent"]) == ("csvlk", "licensed", True)
    assert (service["kms_host"], service["listening_port"], service["current_count"]) == (True, 1688, None)
    assert result["operating_system"]["caption"] == "Microsoft Windows Server 2022 Standard"
    # Who it is was replaced when it was recorded.
    assert re.fullmatch(r"host\d", result["operating_system"]["computer_name"])


def test_license_info_of_a_client(monkeypatch: pytest.MonkeyPatch):
    result = license_info("modern_client", monkeypatch, query="windows.channel")
    assert result["queried"] == "gvlk"
    assert not result["service"]["kms_host"]
    assert not result["operating_system"]["server"]


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_session_looks_as_it_did_when_it_was_recorded(name: str):
    document = load(FOLDER / f"{name}.json")
    told = document["about"]
    facts = CarrierFacts(**{field: told.get(field, "") for field in CarrierFacts.__dataclass_fields__})
    with Session(Replay(document), "host1.domain1.example") as session:
        found = inspect_session(session, lambda: facts, told["versions"]["ansible_core"])
    for part in ("rights", "limits", "connection", "endpoint"):
        assert found[part] == told[part]
    old = name.startswith("document")
    assert found["versions"]["winrm"] == ("2.0" if old else "3.0")
    # Without the class for firewall rules, the rule is found in the registry.
    assert found["rights"]["firewall"] == "granted"


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_names_nobody_and_holds_no_secret(name: str):
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert not re.search(r"contoso|svc-winrm|labadmin|\.2026|127\.\d+\.\d+\.\d+", text, re.IGNORECASE)
    assert all(key.startswith("XXXXX-") for key in re.findall(r"\b(?:[A-Z0-9]{5}-){4}[A-Z0-9]{5}\b", text))
