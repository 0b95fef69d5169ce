# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A full list gives one of its computers without being taken apart as a whole, and the same as when it is."""

from __future__ import annotations

import json
from pathlib import Path

import lists
import pytest
from hypothesis import given
from unit import timing

from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.vault import cipher_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list import one_computer, store
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.model import FullList
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.one_computer import computer_in
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.store import ListFile
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.writing import render
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError

pytestmark = pytest.mark.tier("quick")


@given(lists.full_lists)
def test_each_computer_is_the_one_of_the_whole_list(full: FullList):
    data = render(full)
    assert {name: computer_in(data, name) for name in full.computers} == full.computers
    assert computer_in(data, "who is this") is None


def test_a_name_that_stands_elsewhere_is_no_computer():
    full = lists.isolated(2)
    full.computers["iso-001"].fqdn = 'computers": {\n  "iso-003": {'
    data = render(full)
    for name in ("iso-003", "products", "computers", "", "iso-00"):
        assert computer_in(data, name) is None
    assert computer_in(data, "iso-002") == full.computers["iso-002"]


def saved(path: Path, full: FullList, password: str = "") -> ListFile:
    file = ListFile(str(path), cipher_of(password, ""))
    with file.locked():
        file.save(full)
    return file


@pytest.mark.parametrize("password", ["", "of the list"])
def test_it_is_found_in_the_file_also_where_that_is_encrypted(tmp_path: Path, password: str, monkeypatch: pytest.MonkeyPatch):
    full = lists.isolated(3)
    file = saved(tmp_path / "list.json", full, password)
    monkeypatch.setattr(store, "parse", None)
    assert file.computer("iso-002") == full.computers["iso-002"]


def test_a_list_that_somebody_else_has_laid_out_is_read_as_a_whole(tmp_path: Path):
    file = saved(tmp_path / "list.json", lists.isolated(3))
    document = json.loads(Path(file.path).read_bytes())
    Path(file.path).write_text(json.dumps(document, indent=4), encoding="utf-8")
    assert computer_in(Path(file.path).read_bytes(), "iso-002") is None
    assert file.computer("iso-002").address == "10.1.1.2"
    assert file.computer("iso-009") is None


def test_what_is_damaged_is_refused_as_ever(tmp_path: Path):
    file = saved(tmp_path / "list.json", lists.isolated(3))
    text = Path(file.path).read_text(encoding="utf-8")
    Path(file.path).write_text(text.replace(lists.iid(2), "x"), encoding="utf-8")
    with pytest.raises(ActivationError, match="was changed since it was written"):
        file.computer("iso-002")
    Path(file.path).write_text(text[: text.index(lists.iid(2))], encoding="utf-8")
    with pytest.raises(ActivationError, match="ends before it is complete"):
        file.computer("iso-002")


@pytest.mark.tier("test")
def test_of_ten_thousand_computers_one_is_found_in_milliseconds():
    data = render(lists.isolated(10_000))
    assert timing.seconds(lambda name: one_computer.computer_in(data, name), "iso-9999") < 0.05
