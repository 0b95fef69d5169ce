# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run makes one backup of a list at most, and beside an encrypted list there is none that can be read."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import lists
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions import this_run as _run
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions import vault as _vault
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.this_run import this_run
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list import store, tasks
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.model import FullList
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.store import ListFile

pytestmark = pytest.mark.tier("quick")

CIPHER = _vault.VaultCipher("correct horse")


def save(path: Path, computers: int, run: str = "", cipher: _vault.VaultCipher | None = None) -> None:
    file = ListFile(str(path), cipher, run=run)
    with file.locked():
        file.save(lists.isolated(computers))


def held(folder: Path) -> dict[str, int]:
    found = {}
    for path in folder.glob("list.json*"):
        document = ListFile(str(path), CIPHER).load()
        assert isinstance(document, FullList)
        found[path.name] = len(document.computers)
    return found


def readable(folder: Path) -> list[str]:
    """The files in which a computer's name can be read."""
    return sorted(path.name for path in folder.iterdir() if b"ISO-001" in path.read_bytes())


def test_a_run_over_many_computers_makes_one_backup(tmp_path: Path):
    path = tmp_path / "list.json"
    save(path, 1, "before")
    for computers in range(2, 12):
        save(path, computers, "now")
    assert held(tmp_path) == {"list.json": 11, "list.json.~1~": 1}
    save(path, 12, "later")
    assert held(tmp_path) == {"list.json": 12, "list.json.~1~": 1, "list.json.~2~": 11}


def test_a_run_that_begins_the_list_has_nothing_to_keep(tmp_path: Path):
    for computers in range(1, 4):
        save(tmp_path / "list.json", computers, "now")
    assert held(tmp_path) == {"list.json": 3}


def test_runs_that_take_turns_make_one_each(tmp_path: Path):
    path = tmp_path / "list.json"
    save(path, 1, "before")
    for computers in range(2, 8):
        save(path, computers, f"run {computers % 2}")
    assert held(tmp_path) == {"list.json": 7, "list.json.~1~": 1, "list.json.~2~": 2}


def test_a_run_that_saved_nothing_has_made_none(tmp_path: Path):
    path = tmp_path / "list.json"
    save(path, 1, "before")
    with ListFile(str(path), run="now").locked():
        pass
    save(path, 2, "now")
    assert held(tmp_path) == {"list.json": 2, "list.json.~1~": 1}


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"x" * 100_000, b"12\nnow", b"\n\n\n"])
def test_a_lock_file_that_holds_something_else(tmp_path: Path, content: bytes):
    path = tmp_path / "list.json"
    save(path, 1, "before")
    (tmp_path / ".list.json.lock").write_bytes(content)
    save(path, 2, "another")
    save(path, 3, "another")
    assert held(tmp_path) == {"list.json": 3, "list.json.~1~": 1}


def test_a_number_that_nobody_counts_up_to(tmp_path: Path):
    path = tmp_path / "list.json"
    save(path, 1)
    odd = tmp_path / f"list.json.~{'9' * 200}~"
    odd.write_text("kept", encoding="utf-8")
    save(path, 2)
    assert (tmp_path / "list.json.~1~").exists() and odd.read_text(encoding="utf-8") == "kept"


def test_switching_encryption_on_leaves_nothing_to_read(tmp_path: Path):
    path = tmp_path / "list.json"
    for computers in range(1, 5):
        save(path, computers)
    assert readable(tmp_path) == ["list.json", "list.json.~1~", "list.json.~2~", "list.json.~3~"]
    save(path, 5, cipher=CIPHER)
    assert readable(tmp_path) == []
    assert held(tmp_path) == {"list.json": 5, "list.json.~1~": 1, "list.json.~2~": 2, "list.json.~3~": 3, "list.json.~4~": 4}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_backups_that_an_earlier_version_has_left_are_encrypted_too(tmp_path: Path):
    path = tmp_path / "list.json"
    save(path, 1, cipher=CIPHER)
    # Where a run has made its backup already, the others are seen to all the same.
    save(tmp_path / "plain.json", 2)
    os.rename(tmp_path / "plain.json", tmp_path / "list.json.~1~")
    file = ListFile(str(path), CIPHER)
    planned = tasks.save(file, {}, (), check_mode=True)
    assert readable(tmp_path) == ["list.json.~1~"]
    done = tasks.save(file, {}, (), check_mode=False)
    assert [(step.attribute, step.before, step.after) for step in done.steps] == [("backups without encryption", 1, 0)]
    assert done.steps == planned.steps
    assert readable(tmp_path) == []
    assert tasks.save(file, {}, (), check_mode=False).steps == []


def test_a_confirmation_id_that_is_merged_switches_it_on_as_well(tmp_path: Path):
    path = tmp_path / "list.json"
    save(path, 1)
    tasks.merge(ListFile(str(path), CIPHER), None, [(lists.iid(1), lists.cid(1))], None, False, False)
    assert readable(tmp_path) == []


def test_a_disk_that_is_full_while_backups_are_encrypted_leaves_all_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "list.json"
    save(path, 1)
    save(path, 2)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.os, "replace", full)
    with pytest.raises(Exception, match="No space left"):
        save(path, 3, cipher=CIPHER)
    assert held(tmp_path) == {"list.json": 2, "list.json.~1~": 1}


def in_worker(queue: multiprocessing.SimpleQueue[str]) -> None:
    queue.put(this_run())


def test_every_worker_of_a_run_is_of_that_run():
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    workers = [context.Process(target=in_worker, args=(queue,)) for _worker in range(2)]
    for worker in workers:
        worker.start()
        worker.join()
    assert {queue.get() for _worker in workers} == {this_run()}
    assert this_run()


def test_another_process_is_another_run(monkeypatch: pytest.MonkeyPatch):
    program = "from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.this_run import this_run; print(this_run())"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    others = {subprocess.check_output([sys.executable, "-c", program], env=environment, text=True).strip() for _run in range(2)}
    assert len(others) == 2 and this_run() not in others
    # Where the system does not tell, each task counts as a run of its own.
    monkeypatch.setattr(_run, "_BOOT", Path("/nonexistent"))
    assert this_run() == ""
