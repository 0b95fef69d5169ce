# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mak_client takes the confirmation ID of its own host from a computer list, and nobody gets to see it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import error_catalogue
import pytest
from unit.computer_list import lists

from ansible_collections.winops.volume_activation.plugins.action import mak_client
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.vault import cipher_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.store import ListFile
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.mak_client.state import MakClientWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.spp.offline_activation import Confirmation

pytestmark = pytest.mark.tier("quick")

HOST = error_catalogue.HOST
ABSENT = "a list that has none for the computer"
WRITTEN = error_catalogue.paired("A confirmation ID of a computer list", [ABSENT])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A list with a confirmation ID for the host and for another one."""
    full = lists.isolated(1)
    full.computers[HOST] = lists.computer(7, confirmation_id=lists.cid(7))
    next(full.entries()).confirmation_id = lists.cid(1)
    return saved(tmp_path / "list.json", full)


def saved(path: Path, full: Any, password: str = "") -> Path:
    file = ListFile(str(path), cipher_of(password, ""))
    with file.locked():
        file.save(full)
    return path


@pytest.fixture
def wishes(monkeypatch: pytest.MonkeyPatch) -> list[MakClientWish]:
    """What the client was to be, of a client that tells its confirmation ID wherever it can."""
    made: list[MakClientWish] = []

    def client(_session: Any, wish: MakClientWish, check_mode: bool) -> Any:
        made.append(wish)
        said = wish.confirmation.confirmation_id if wish.confirmation else ""
        grouped = "-".join(said[start : start + 6] for start in range(0, len(said), 6))

        def change() -> None:
            if check_mode:
                raise ActivationError(f"It was {said}.")

        return SimpleNamespace(steps=[], result={}, reason=f"{said} {grouped}", warnings=[], change=change)

    monkeypatch.setattr(mak_client, "MakClient", client)
    return made


def run(path: Path, **options: Any) -> dict[str, Any]:
    given = {"product": lists.WINDOWS_10, "computer_list": str(path), **options}
    return error_catalogue.result_of({"module": "mak_client", "options": given})


def test_a_host_gets_its_own_and_shows_it_nowhere(path: Path, wishes: list[MakClientWish]):
    result = run(path, exact_installation_id=False)
    assert [wish.confirmation for wish in wishes] == [Confirmation(lists.cid(7), lists.iid(7), exact=False)]
    assert result["reason"] == "******** ********"
    assert lists.cid(7) not in json.dumps(result)


def test_the_product_of_the_list_may_be_named_apart_from_what_the_key_is_for(path: Path, wishes: list[MakClientWish]):
    run(path, product="windows", listed_product=lists.WINDOWS_10.upper())
    assert (wishes[0].product, wishes[0].confirmation) == ("windows", Confirmation(lists.cid(7), lists.iid(7)))


def test_an_encrypted_list_is_opened_by_the_password_of_the_list(
    tmp_path: Path, wishes: list[MakClientWish], monkeypatch: pytest.MonkeyPatch
):
    full = lists.isolated(0)
    full.computers[HOST] = lists.computer(7, confirmation_id=lists.cid(7))
    path = saved(tmp_path / "list.json", full, "of the list")
    assert "no password is given for it" in run(path)["msg"]
    monkeypatch.setenv("VOLUME_ACTIVATION_LIST_VAULT_PASSWORD", "of the list")
    assert run(path)["reason"] == "******** ********"
    assert len(wishes) == 1


@pytest.mark.parametrize("given", [{"product": lists.WINDOWS_10[:-1] + "1"}, {}])
def test_a_host_without_one_fails_and_others_are_not_taken(tmp_path: Path, wishes: list[MakClientWish], given: dict[str, Any]):
    full = lists.isolated(0)
    full.computers[HOST] = lists.computer(7)
    full.computers["other"] = lists.computer(8, confirmation_id=lists.cid(8))
    path = saved(tmp_path / "list.json", full)
    result = run(path, **given)
    says = error_catalogue.said(WRITTEN[ABSENT], path=path)
    assert result["msg"] == says.replace(lists.WINDOWS_10, given.get("product", lists.WINDOWS_10))
    assert (result["error"]["source"], wishes) == ("file", [])


def test_in_check_mode_one_that_a_merge_would_bring_is_taken_as_given(tmp_path: Path):
    full = lists.isolated(0)
    full.computers[HOST] = lists.computer(7)
    path = saved(tmp_path / "list.json", full)
    action = mak_client.ActionModule.__new__(mak_client.ActionModule)
    action._host = HOST
    options = {"computer_list": str(path), "listed_product": None, "product": lists.WINDOWS_10, "exact_installation_id": True}
    rest = {"activate": False, "confirmation_id": None, "installation_id": None, "vault_password": None, "vault_id": None}
    assert action._confirmation({**rest, **options}, check_mode=True) == Confirmation("", lists.iid(7))
