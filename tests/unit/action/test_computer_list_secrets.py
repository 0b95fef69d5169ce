# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A confirmation ID that a task was given is in no result, and the item of a loop that holds one is not printed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from handmade import task_of

from ansible_collections.winops.volume_activation.plugins.action.computer_list import ActionModule
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.model import FullList, ListedComputer, ListedProduct
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.store import ListFile
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.masking import Secrets

pytestmark = pytest.mark.tier("quick")

DIGITS = "123456" * 8
GROUPS = "-".join(["123456"] * 8)
IID = "7" * 63
GUID = "73111121-5638-40f6-bc11-f1d7b0d64300"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = ListFile(str(tmp_path / "list.json"))
    product = ListedProduct("0" * 32, GUID, IID, "06401-00206-271-298329-03-1033-19041.0000-3302026", channel="mak")
    with file.locked():
        file.save(FullList(computers={"iso-001": ListedComputer(products={GUID: product})}))
    return tmp_path / "list.json"


def run(path: Path, item: Any = None, **options: Any) -> dict[str, Any]:
    args = {"state": "merged", "path": str(path), **options}
    task = task_of(args, diff=True)
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="x"))
    templar = SimpleNamespace(template=lambda value: value)
    action = ActionModule(task, connection, None, None, templar, None)
    variables = {"inventory_hostname": "localhost"} | ({"ansible_loop_var": "item", "item": item} if item is not None else {})
    return action.run(task_vars=variables)


@pytest.mark.parametrize("typed", [DIGITS, GROUPS, GROUPS.replace("-", " ")])
@pytest.mark.parametrize("show", [False, True])
def test_the_item_of_a_loop_is_hidden(path: Path, typed: str, show: bool):
    for item in ({"installation_id": IID, "confirmation_id": typed}, typed, {"key": IID, "value": typed}, [GROUPS], {DIGITS: 1}):
        entry = {"installation_id": IID, "confirmation_id": typed}
        assert run(path, item, confirmation_ids=[entry], show_confirmation_ids=show)["_ansible_no_log"] is True


def test_an_item_without_one_is_shown(path: Path):
    entry = {"installation_id": IID, "confirmation_id": DIGITS}
    assert "_ansible_no_log" not in run(path, {"installation_id": IID}, confirmation_ids=[entry])


def test_only_who_asks_for_confirmation_ids_sees_them(path: Path):
    entry = {"installation_id": IID, "confirmation_id": GROUPS}
    hidden = run(path, confirmation_ids=[entry])
    assert hidden["changed"] and DIGITS not in repr(hidden) and GROUPS not in repr(hidden)
    shown = run(path, confirmation_ids=[entry], show_confirmation_ids=True)
    assert shown["computers"][0]["products"][0]["confirmation_id"] == DIGITS


@pytest.mark.parametrize(
    "options",
    [
        {"confirmation_ids": f"{DIGITS}"},
        {"confirmation_ids": [f"installation_id={IID} confirmation_id={GROUPS}x"]},
        {"confirmation_ids": 7},
    ],
)
def test_an_option_in_another_form_is_not_repeated(path: Path, options: dict[str, Any]):
    result = run(path, **options)
    assert result["failed"] and DIGITS not in repr(result) and GROUPS not in repr(result)


@pytest.mark.parametrize(("given", "written"), [(DIGITS, GROUPS), (GROUPS, DIGITS), (GROUPS.replace("-", " "), DIGITS)])
def test_a_confirmation_id_is_found_in_groups_and_without(given: str, written: str):
    """As kms_host, mak_client and slmgr have it among their secrets."""
    assert written not in Secrets([given]).mask(f"for {written}.")
