# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection says of files that are no computer lists, and of what contradicts a list, is what the catalogue has."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import error_catalogue
import lists
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.vault import VaultCipher
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list import inspection, store, tasks, writing
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.merging import (
    merge_computers,
    merge_export,
    merge_typed,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.model import Export, FullList
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.reading import of_kind_export, of_kind_full, parse
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.store import ListFile
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError

pytestmark = pytest.mark.tier("quick")

EXPORT = Export("55c92734-d682-4d71-983e-d6ec3f16059f")


def signed(change: Callable[[dict[str, Any]], object]) -> bytes:
    """A list that somebody has changed who knows how its checksum is made."""
    document = writing.as_json(lists.isolated(1))
    change(document)
    del document["checksum"]
    return json.dumps({**document, "checksum": writing.checksum(document)}).encode()


def of_computer(document: dict[str, Any]) -> dict[str, Any]:
    return document["computers"]["iso-001"]


FILES = {
    "a file that is empty": b"",
    "a file that was cut short": writing.render(lists.isolated())[:1000],
    "a file that was edited": writing.render(lists.isolated()).replace(b"ISO-002", b"ISO-003"),
    "a name that somebody wrote twice": b'{"kind": "full", "kind": "export"}',
    "a field that holds something else": signed(lambda document: of_computer(document).update(read="yesterday")),
    "a field that is missing": signed(lambda document: of_computer(document).pop("read")),
    "a field that there is not": signed(lambda document: of_computer(document).update(user="kim")),
    "a file of another program": b"<SoftwareLicensingData/>",
    "a file that is no text": b"\xff\xfe",
    "a file with numbers that JSON does not have": b'{"format": Infinity}',
    "another JSON document": b"{}",
    "another format": b'{"format": "cilx"}',
    "a version that is no number": signed(lambda document: document.update(version="one")),
    "a list of a later version": signed(lambda document: document.update(version=2)),
    "a list of an earlier version": signed(lambda document: document.update(version=0)),
}
KINDS: dict[str, Callable[[], object]] = {
    "an export where a full list is needed": lambda: of_kind_full(EXPORT, "list.json"),
    "a full list where an export is needed": lambda: of_kind_export(lists.isolated(), "list.json"),
}


def other_hardware(**more: Any) -> str:
    read = {"iso-001": lists.computer(7, **more)}
    return merge_computers(lists.isolated(1), read).conflicts[0].reason


def answer(confirmed: bool = False, **change: Any) -> str:
    full = lists.isolated(1)
    export = inspection.export_of(full)
    if confirmed:
        next(full.entries()).confirmation_id = lists.cid(1)
    return merge_export(full, Export(full.list_id, [replace(export.products[0], **change)]), "answer.json").conflicts[0].reason


def typed(installation_id: str) -> str:
    full = lists.isolated(1)
    next(full.entries()).confirmation_id = lists.cid(1)
    return merge_typed(full, [(installation_id, lists.cid(2))]).conflicts[0].reason


SENTENCES: dict[str, Callable[[], str]] = {
    "a computer with other hardware": other_hardware,
    "a computer with another key": lambda: other_hardware(partial_product_key="XXXXX"),
    "a computer whose key was not read": lambda: other_hardware(partial_product_key=""),
    "an answer for a product that is not in the list": lambda: answer(identifier="0" * 32),
    "an answer for the hardware of before": lambda: answer(installation_id="1"),
    "an answer that differs from the one of before": lambda: answer(confirmed=True, confirmation_id="1"),
    "a typed confirmation ID that differs from the one of before": lambda: typed(lists.iid(1)),
    "a typed installation ID that no computer has": lambda: typed("1234567" * 9),
}
LOCKED, FULL_DISK = "a list that another run has locked", "a disk without room for a list"
NO_PASSWORD, OTHER_PASSWORD = "an encrypted list without its password", "an encrypted list with another password"
OTHER_LIST, LOST = "an answer for another list", "an export with answers that would be lost"
WRITTEN = error_catalogue.paired(
    "Computer lists", [*FILES, *KINDS, *SENTENCES, LOCKED, FULL_DISK, NO_PASSWORD, OTHER_PASSWORD, OTHER_LIST, LOST]
)


def check(case: str, error: ActivationError, **known: object) -> None:
    assert error_catalogue.shown(error) == error_catalogue.expected(WRITTEN[case], error, **known)


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_no_list(case: str):
    with pytest.raises(ActivationError) as refused:
        parse(FILES[case], "list.json")
    check(case, refused.value, path="list.json")


@pytest.mark.parametrize("case", KINDS)
def test_a_list_of_the_other_kind(case: str):
    with pytest.raises(ActivationError) as refused:
        KINDS[case]()
    check(case, refused.value, path="list.json")


@pytest.mark.parametrize("case", SENTENCES)
def test_what_is_no_error(case: str):
    assert SENTENCES[case]() == error_catalogue.said(WRITTEN[case])


def saved(path: Path, full: FullList | Export, cipher: VaultCipher | None = None) -> ListFile:
    file = ListFile(str(path), cipher)
    with file.locked():
        file.save(full)
    return file


def test_a_file_that_can_not_be_used(tmp_path: Path):
    path = tmp_path / "list.json"
    file = saved(path, lists.isolated(1))
    with pytest.raises(ActivationError) as refused, file.locked(), ListFile(str(path)).locked(0.1):
        pass
    check(LOCKED, refused.value, path=path, process=os.getpid())
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(ActivationError) as refused, file.locked(), patch.object(store.os, "fsync", side_effect=full):
        file.save(lists.isolated(2))
    check(FULL_DISK, refused.value, path=path)
    saved(path, lists.isolated(1), VaultCipher("correct horse"))
    with pytest.raises(ActivationError) as refused:
        ListFile(str(path)).load()
    check(NO_PASSWORD, refused.value, path=path)
    with pytest.raises(ActivationError) as refused:
        ListFile(str(path), VaultCipher("another")).load()
    check(OTHER_PASSWORD, refused.value, path=path)


def test_an_answer_at_the_wrong_place(tmp_path: Path):
    mine, other = lists.isolated(1), lists.isolated(1)
    with pytest.raises(ActivationError) as refused:
        merge_export(mine, inspection.export_of(other), "answer.json")
    check(OTHER_LIST, refused.value, path="answer.json", other=other.list_id, mine=mine.list_id)
    answered = inspection.export_of(other)
    answered.products[0].confirmation_id = lists.cid(1)
    file, target = saved(tmp_path / "list.json", mine), saved(tmp_path / "export.json", answered)
    with pytest.raises(ActivationError) as refused:
        tasks.export(file, target, None, False)
    check(LOST, refused.value, path=target.path)
