# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a survey says when something is wrong."""

from __future__ import annotations

import importlib
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import error_catalogue
import pytest
import requests
from handmade import task_of

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._survey.file import SurveyFile, read_rows
from ansible_collections.winops.volume_activation.plugins.plugin_utils._survey.schedule import Rejected
from ansible_collections.winops.volume_activation.plugins.plugin_utils._survey.tally import said
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.survey import read_host
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman import shared
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.carriers import open_with
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.contact import Contact
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.settings import ConnectionSettings

pytestmark = pytest.mark.tier("test")

MANY, ONE = "an account that the first host of many rejects", "an account of one host that is rejected"
SILENT = "a host that takes the connection and does not answer"
BUSY, UNWRITABLE = "a survey while another of its name is running", "a survey where nothing can be written"
NOT_THERE, FOREIGN = "a survey that there is not", "a file that holds no survey"
EACH, BATCHES, GONE = "a survey in a task for each host", "a survey in a play of batches", "a survey whose file is gone with the run"
# That of test_silent_hosts.
HELD = "a host that did not answer an earlier task of the run"
WRITTEN = error_catalogue.paired("Surveys", [MANY, ONE, SILENT, BUSY, UNWRITABLE, NOT_THERE, FOREIGN, EACH, BATCHES, GONE, HELD])
HOST = "pc-001.contoso.com"


def check(case: str, error: ActivationError, **known: object) -> None:
    assert error_catalogue.shown(error) == error_catalogue.expected(WRITTEN[case], error, **known)


@pytest.mark.parametrize(("case", "spared"), [(MANY, 107), (ONE, 0)])
def test_an_account_that_was_rejected(case: str, spared: int):
    assert said(Rejected("svc@CONTOSO.COM", HOST, "HTTP 401", spared)) == error_catalogue.said(WRITTEN[case])


@pytest.mark.parametrize("connection", ["psrp", "winrm"])
def test_a_silent_host_is_asked_once_and_given_up_after_the_first_contact(connection: str):
    transport = importlib.import_module("winrm.transport").Transport
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        endpoint = f"http://127.0.0.1:{port}/wsman"
        pattern: Any = {
            "server": "127.0.0.1",
            "port": port,
            "ssl": False,
            "auth": "basic",
            "encryption": "never",
            "username": "u",
            "password": "p",
        }
        if connection == "winrm":
            pattern = transport(endpoint, username="u", password="p", auth_method="basic")
        settings = ConnectionSettings(connection, pattern, (30, 30))
        with pytest.raises(ActivationError) as failure, open_with(settings, HOST, Contact(0.2, watched=True)) as session:
            read_host(session)
        assert failure.value.unreachable
        check(SILENT, failure.value, endpoint=endpoint)
        server.settimeout(0.5)
        asked = [server.accept()[0]]
        with pytest.raises(TimeoutError):
            asked.append(server.accept()[0])
        asked[0].close()


def test_while_many_hosts_are_asked_nobody_looks_for_proxies_in_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "http://proxy.contoso.com:3128")
    merged = requests.Session().merge_environment_settings
    with shared.without_environment():
        assert merged("http://pc-001:5985/wsman", {"https": "http://chosen:1"}, None, None, None)["proxies"] == {"https": "http://chosen:1"}
    assert merged("http://pc-001:5985/wsman", {}, None, None, None)["proxies"]["http"] == "http://proxy.contoso.com:3128"


def test_files(tmp_path: Path):
    path = tmp_path / "survey.jsonl"
    with SurveyFile(path):
        with pytest.raises(ActivationError) as busy:
            SurveyFile(path)
        check(BUSY, busy.value, path=path)
    path.write_text('{"host":"pc-1"}\n[]\n', encoding="utf-8")
    with pytest.raises(ActivationError) as foreign:
        list(read_rows(path))
    check(FOREIGN, foreign.value, path=path)
    with pytest.raises(ActivationError) as missing:
        list(read_rows(tmp_path / "none.jsonl"))
    check(NOT_THERE, missing.value, path=tmp_path / "none.jsonl")
    below = path / "survey" / "survey.jsonl"
    with pytest.raises(ActivationError) as unwritable:
        SurveyFile(below)
    check(UNWRITABLE, unwritable.value, path=below)


def survey(folder: Path | None, run_once: bool = True, **variables: Any) -> tuple[dict[str, Any], list[str]]:
    """The result and the warnings of the module over hosts that are no Windows computers."""
    module = importlib.import_module(f"{error_catalogue.COLLECTION}.action.license_survey")
    base = importlib.import_module(f"{error_catalogue.COLLECTION}.plugin_utils._actions.base")
    options = {"state_directory": str(folder)} if folder else {}
    play = SimpleNamespace(get_vars=dict, get_vars_files=list)
    keys: dict[str, Any] = {"dump_attrs": lambda: {"retries": None}, "get_play": lambda: play, "get_vars": dict}
    task = task_of(options, run_once=run_once, connection="ssh", **keys)
    templar = SimpleNamespace(template=lambda value: value)
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="x"))
    context = SimpleNamespace(timeout=10, password="")
    loader = SimpleNamespace(connection_loader=None)
    action = module.ActionModule(task, connection, context, None, templar, loader)
    warnings: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base.display, "warning", warnings.append)
        hosts = ["linux-1", "linux-2"]
        given = {"inventory_hostname": "linux-1", "ansible_play_hosts": hosts, "ansible_play_batch": hosts}
        result = action.run(task_vars={**given, "hostvars": SimpleNamespace(raw_get=lambda _host: {}), **variables})
    return result, warnings


def test_a_task_or_play_that_does_not_fit(tmp_path: Path):
    for case, (result, _warnings) in {
        EACH: survey(tmp_path, run_once=False),
        BATCHES: survey(tmp_path, ansible_play_batch=["linux-1"]),
    }.items():
        assert (result["msg"], result["error"]["source"]) == (WRITTEN[case]["says"], WRITTEN[case]["error"]["source"])
    assert list(tmp_path.iterdir()) == []


def test_the_alias_of_the_variable_names_the_folder_too(tmp_path: Path):
    for given in ({"volume_activation_state_directory": str(tmp_path / "a")}, {"volume_activation_state_dir": str(tmp_path / "b")}):
        result, warnings = survey(None, **given)
        assert (result["file"], warnings) == (f"{next(iter(given.values()))}/survey.jsonl", [])
    both = {"volume_activation_state_directory": str(tmp_path / "c"), "volume_activation_state_dir": str(tmp_path / "d")}
    result, _warnings = survey(None, **both)
    assert result["failed"] and "its alias volume_activation_state_dir is" in result["msg"]


def test_a_folder_that_others_could_write_is_refused(tmp_path: Path):
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(0o777)
    result, _warnings = survey(folder)
    assert result["failed"] and "has mode 0777" in result["msg"]
    assert list(folder.iterdir()) == []


def test_a_folder_that_ends_with_the_run_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    _result, warnings = survey(tmp_path)
    assert warnings == []
    monkeypatch.setenv("AWX_ISOLATED_DATA_DIR", str(tmp_path / "artifacts" / "1"))
    result, warnings = survey(tmp_path / "state")
    assert result["counts"]["failed"] == 2
    assert warnings == [error_catalogue.said(WRITTEN[GONE], path=tmp_path / "state", runner=tmp_path)]
