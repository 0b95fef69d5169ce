# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module mak_info, as a task would run it, against the laboratory's Microsoft."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.winops.volume_activation.plugins.action.mak_info import ActionModule
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.module_options import documented_options
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from lab.microsoft.server import BatchServer
from lab.microsoft.variants import seed_of
from lab.windows.data import key_named

pytestmark = pytest.mark.tier("test")

KEY, OTHER = "mak_win_enterprise", "mak_server_2022_standard"


def run(microsoft: BatchServer, *keys: dict[str, str], check_mode: bool = False, **options: Any) -> list[dict[str, Any]]:
    given = {
        "microsoft_url": microsoft.url,
        "ca_path": microsoft.ca_path,
        "extended_pids": list(keys),
        "timeout": 5,
        "retries": 0,
    } | options
    checked = ArgumentSpecValidator(documented_options("mak_info"), **ActionModule.CONSTRAINTS).validate(given)
    assert checked.error_messages == []
    outcome = ActionModule.__new__(ActionModule).execute(checked.validated_parameters, check_mode)
    assert (outcome.steps, outcome.warnings) == ([], [])
    counts: list[dict[str, Any]] = outcome.result["counts"]
    return counts


def key(name: str) -> dict[str, str]:
    return {"name": name, "extended_pid": BatchServer.sample(name).extended_pid}


def row(name: str, remaining: int | None, *, unlimited_or_blocked: bool = False, code: str = "") -> dict[str, Any]:
    return {**key(name), "remaining": remaining, "unlimited_or_blocked": unlimited_or_blocked, "error_code": code}


def without_sentence(counts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for entry in counts:
        assert bool(entry["error"]) == bool(entry["error_code"])
    return [{name: value for name, value in entry.items() if name != "error"} for entry in counts]


@pytest.mark.parametrize("check_mode", [False, True])
def test_what_is_left_of_keys_in_the_order_in_which_they_are_given_and_each_is_asked_once(microsoft: BatchServer, check_mode: bool):
    microsoft.microsoft.set_remaining(key_named(OTHER).key, 7)
    counts = run(microsoft, key(OTHER), key(KEY), key(OTHER), check_mode=check_mode)
    assert without_sentence(counts) == [row(OTHER, 7), row(KEY, 50), row(OTHER, 7)]
    assert [(entry.request_type, entry.iid, entry.counted) for entry in microsoft.journal.entries] == [(2, "", False)] * 2
    assert {name: left["remaining"] for name, left in microsoft.microsoft.snapshot().items() if name in (KEY, OTHER)} == {KEY: 50, OTHER: 7}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("exhausted", {"remaining": 0}),
        ("unlimited", {"remaining": None, "unlimited_or_blocked": True}),
        ("invalid", {"remaining": None, "code": "0x68"}),
        ("wrong_type", {"remaining": None, "code": "0x86"}),
        ("outage", {"remaining": None, "code": "0x80004003"}),
        ("batch_http_500", {"remaining": None, "code": "HTTP 500"}),
    ],
)
def test_a_key_without_a_number_does_not_keep_the_others_from_theirs(microsoft: BatchServer, state: str, expected: dict[str, Any]):
    microsoft.microsoft.set_state(key_named(KEY).key, state)
    assert without_sentence(run(microsoft, key(KEY), key(OTHER))) == [row(KEY, **expected), row(OTHER, 10)]


@pytest.mark.parametrize(("form", "code"), [("with the code", "0x67"), ("alone", "")])
def test_a_blocked_key(microsoft: BatchServer, form: str, code: str):
    microsoft.service.seed = seed_of("blocked count", form)
    microsoft.microsoft.set_state(key_named(KEY).key, "blocked")
    (entry,) = run(microsoft, key(KEY))
    assert without_sentence([entry]) == [row(KEY, None, unlimited_or_blocked=True, code=code)]
    assert ("the product key is blocked" in entry["error"]) == bool(code)


def test_a_question_for_a_number_is_repeated_where_its_answer_was_lost(microsoft: BatchServer):
    microsoft.faults.add({"fault": "close_after"})
    assert without_sentence(run(microsoft, key(KEY), retries=1)) == [row(KEY, 50)]
    assert len(microsoft.journal.entries) == 2
    microsoft.faults.add({"fault": "garbage", "times": 0})
    (entry,) = run(microsoft, key(KEY))
    assert entry["remaining"] is None
    assert entry["error"].endswith("the answer is no XML, or not all of it; try again later.")


def test_without_a_way_to_microsoft_the_playbooks_that_need_none_are_named(microsoft: BatchServer):
    with pytest.raises(ActivationError, match="by the playbooks mak_proxy_collect, mak_proxy_acquire and mak_proxy_apply"):
        run(microsoft, key(KEY), key(OTHER), microsoft_url="https://127.0.0.1:9/x")


def test_nothing_to_ask_about(microsoft: BatchServer):
    assert run(microsoft) == []
