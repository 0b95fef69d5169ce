# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the way of a report, and what it says of what it does not know."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import error_catalogue
import pytest
from fleets import audit, fleet, report_of, row, survey_file
from handmade import task_of

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._report import keys
from ansible_collections.winops.volume_activation.plugins.plugin_utils._report.reading import read_audit

pytestmark = pytest.mark.tier("test")

RING, NO_AUDIT, FOREIGN = "a key ring that is no dictionary", "an audit that there is not", "a file that is no audit"
NOBODY, UNTOLD, NUMBERLESS = "a MAK that no computer holds", "a MAK whose holder did not tell its extended PID", "a MAK without a number"
LIST = "a computer list that can't be read"
WRITTEN = error_catalogue.paired("Reports", [RING, NO_AUDIT, FOREIGN, NOBODY, UNTOLD, NUMBERLESS, LIST])


def run(folder: Path, **options: Any) -> dict[str, Any]:
    """The result of the action."""
    module = importlib.import_module(f"{error_catalogue.COLLECTION}.action.run_report")
    templar = SimpleNamespace(template=lambda value: value)
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="x"))
    task = task_of({"state_directory": str(folder), **options})
    seen = {"ansible_play_hosts": ["pc-1"], "groups": {"kms_hosts": ["kms-1"], "kms_clients": ["pc-1"]}}
    result: dict[str, Any] = module.ActionModule(task, connection, None, None, templar, None).run(task_vars=seen)
    return result


def test_what_is_refused(tmp_path: Path):
    path = tmp_path / "audit.json"
    with pytest.raises(ActivationError) as refused:
        read_audit(str(path))
    assert error_catalogue.shown(refused.value) == error_catalogue.expected(WRITTEN[NO_AUDIT], refused.value, path=path)
    site = audit()["topology"]["east"]
    others = [
        {"counts": None},
        {"counts": {"deviation": "2"}},
        {"links": [{}]},
        {"topology": {"east": {**site, "order": [{"priority": 1e300, "hosts": []}]}}},
    ]
    for text in ("[]", "[" * 50_000, '{"version": 2}', *(json.dumps(audit(**other)) for other in others)):
        path.write_text(text)
        with pytest.raises(ActivationError) as refused:
            read_audit(str(path))
        assert error_catalogue.shown(refused.value) == error_catalogue.expected(WRITTEN[FOREIGN], refused.value, path=path)
    for sound in (audit(), audit(topology=None, links=None, endpoints=[])):
        path.write_text(json.dumps(sound))
        assert read_audit(str(path)) == sound
    with pytest.raises(ActivationError) as refused:
        keys.ring_of(["win"])
    assert error_catalogue.shown(refused.value) == error_catalogue.expected(WRITTEN[RING], refused.value)


@pytest.mark.parametrize(
    ("case", "channel", "asked"),
    [(NOBODY, "gvlk", {}), (UNTOLD, "mak", {}), (NUMBERLESS, "mak", {"counts": [{"name": "win", "remaining": None, "error": ""}]})],
)
def test_why_it_is_not_known_what_a_key_has_left(case: str, channel: str, asked: dict[str, Any]):
    computers = report_of([row("a", channel=channel, partial_key="BBBBB")]).computers
    (left,) = keys.maks_left(keys.ring_of({"win": {"key": "-".join(["BBBBB"] * 5)}}), computers, [], asked)
    assert left.note == error_catalogue.said(WRITTEN[case])


def test_a_list_that_cannot_be_read_is_a_warning_and_the_report_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    warnings: list[str] = []
    monkeypatch.setattr(
        importlib.import_module(f"{error_catalogue.COLLECTION}.plugin_utils._actions.base").display, "warning", warnings.append
    )
    (tmp_path / "computer_list.json").touch()
    survey = survey_file(tmp_path / "survey.report.jsonl", fleet(10))
    made = run(tmp_path, step="report", survey=str(survey))
    (warning,) = warnings
    why = warning.partition("list: ")[2]
    assert why.startswith(f"{tmp_path}/computer_list.json is empty.")
    assert warning == error_catalogue.said(WRITTEN[LIST], why=why)
    assert not made["failed"]
    assert Path(made["files"]["page"]).read_bytes().startswith(b"<!DOCTYPE html>")


def test_what_the_steps_return(tmp_path: Path):
    survey = survey_file(tmp_path / "survey.report.jsonl", fleet(100))
    key = "BBBBB-BBBBB-BBBBB-BBBBB-BBBBB"
    assert run(tmp_path, step="begin")["audit"] == str(tmp_path / "report_audit.json")
    # Without a ring of its own in the result, a key is a last five characters at most.
    found = run(tmp_path, step="keys", survey=str(survey), ring={"win": {"key": key, "product": "windows"}})
    assert found["holders"] == [{"key": "win", "host": "pc-00013.east.contoso.com"}]
    made = run(tmp_path, step="report", survey=str(survey), ring={"win": {"key": key}})
    assert key not in str([*(path.read_text(encoding="utf-8") for path in tmp_path.glob("*")), made])
    refused = run(tmp_path / "none", step="report", survey=str(tmp_path / "none.jsonl"))
    assert (refused["failed"], refused["error"]["source"]) == (True, "file")


def test_a_report_that_nothing_can_be_kept_of_is_refused_before_a_host_is_asked(tmp_path: Path):
    (tmp_path / "file").touch()
    assert "is not a folder" in run(tmp_path / "file" / "state", step="begin")["msg"]
