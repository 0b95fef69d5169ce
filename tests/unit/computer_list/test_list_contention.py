# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Eight runs write one list at the same time, and a ninth keeps to nothing but the documented lock."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import lists
import pytest
from crash.writer import Writer

from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list import tasks
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.model import FullList
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.store import ListFile

pytestmark = pytest.mark.tier("soak")

WRITERS, EACH = 8, 50


def work(path: Path, writer: int) -> None:
    for index in range(EACH):
        number = writer * EACH + index
        done = tasks.save(ListFile(str(path), run=f"run {writer}"), {f"iso-{number:03}": lists.computer(number)}, (), False)
        assert done.steps


def test_no_computer_is_lost_among_eight_writers(tmp_path: Path):
    path = tmp_path / "list.json"
    tasks.save(ListFile(str(path)), {"other.contoso.com": lists.computer(999)}, (), False)
    beside = Writer(path)
    processes = [multiprocessing.get_context("fork").Process(target=work, args=(path, number)) for number in range(WRITERS)]
    for process in processes:
        process.start()
    beside.start()
    for process in processes:
        process.join()
    beside.stop()
    assert [process.exitcode for process in processes] == [0] * WRITERS
    full = ListFile(str(path)).load()
    assert isinstance(full, FullList)
    assert set(full.computers) == {"other.contoso.com", *(f"iso-{number:03}" for number in range(WRITERS * EACH))}
    assert beside.turns > EACH
    assert beside.lost == 0
