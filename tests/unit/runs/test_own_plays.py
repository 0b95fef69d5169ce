# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles in a play of a user: what their runs refuse before any host is asked."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import Any

import error_catalogue
import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from handmade import task_of

pytestmark = pytest.mark.tier("quick")

HOSTS = ["pc-1", "pc-2"]
KMS = {"step": "declare", "settings": {"domain": "contoso.com"}}
FIRST: dict[str, tuple[str, dict[str, Any]]] = {
    "kms_single_site": ("run_kms", {**KMS, "face": "kms_single_site"}),
    "kms_multi_site": ("run_kms", {**KMS, "face": "kms_multi_site"}),
    "audit": ("run_audit", {"step": "topology"}),
    "mak_independent": ("run_mak", {"step": "assign"}),
    "mak_to_kms": ("run_mak", {"step": "give_back"}),
    **{f"mak_proxy_{name}": ("run_mak_proxy", {"step": "choose", "chosen": name}) for name in ("collect", "apply", "reapply")},
    "reference_image": ("run_image", {"step": "options"}),
}
"""By playbook the action that begins the same run in a role."""
IN_BATCHES, APART, FOR_EACH = "a run in a play of batches", "a run in a play whose hosts go apart", "a run in a task for each host"
NO_STEP, WRONG_STEP = "MAK proxy activation without a step", "MAK proxy activation with a step that there is not"
CASES = error_catalogue.paired("Plays of users", [IN_BATCHES, APART, FOR_EACH, NO_STEP, WRONG_STEP])


def run(
    module: str, options: dict[str, Any], *, batch: list[str] = HOSTS, strategy: str = "linear", run_once: bool = True
) -> dict[str, Any]:
    """What the action returns in a play over two hosts."""
    groups = {"kms_hosts": [], "kms_clients": HOSTS}
    magic = {"ansible_play_hosts_all": HOSTS, "ansible_play_hosts": HOSTS, "ansible_play_batch": batch, "groups": groups}
    variables = {"inventory_hostname": batch[0], **magic, "hostvars": SimpleNamespace(raw_get=lambda host: {"inventory_hostname": host})}
    task = task_of(options, run_once=run_once, get_play=lambda: SimpleNamespace(get_vars=dict, strategy=strategy))
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="x"))
    action = importlib.import_module(f"ansible_collections.winops.volume_activation.plugins.action.{module}").ActionModule
    found: dict[str, Any] = action(task, connection, None, None, Templar(DataLoader(), variables), None).run(task_vars=variables)
    return found


@pytest.mark.parametrize("playbook", FIRST)
@pytest.mark.parametrize(("case", "keywords"), [(IN_BATCHES, {"batch": ["pc-1"]}), (APART, {"strategy": "ansible.builtin.free"})])
def test_batches_and_hosts_that_go_apart_are_refused_with_the_name_of_the_playbook(playbook: str, case: str, keywords: dict[str, Any]):
    module, options = FIRST[playbook]
    refused = run(module, options, **keywords)
    assert refused["msg"] == error_catalogue.said(CASES[case], action=module, playbook=playbook)
    assert refused["error"]["source"] == CASES[case]["error"]["source"]


def test_a_task_for_each_host_is_refused():
    refused = run("run_mak", {"step": "give_back"}, run_once=False)
    assert refused["msg"] == error_catalogue.said(CASES[FOR_EACH], action="run_mak")
    assert run("run_mak", {"step": "give_back"})["failed"] is False


@pytest.mark.parametrize("step", ["collect", "acquire", "apply", "reapply", "phone"])
def test_the_role_for_mak_proxy_activation_does_one_step(step: str):
    assert run("run_mak_proxy", {"step": "choose", "chosen": step})["chosen"] == step


@pytest.mark.parametrize(("step", "case"), [("", NO_STEP), (None, NO_STEP), ("colect", WRONG_STEP)])
def test_without_a_step_that_there_is_nothing_is_done(step: str | None, case: str):
    assert run("run_mak_proxy", {"step": "choose", "chosen": step})["msg"] == error_catalogue.said(CASES[case])
