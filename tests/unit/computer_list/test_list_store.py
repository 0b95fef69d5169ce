# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a computer list is whole whatever happens while it is saved."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import lists
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions import vault as _vault
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list import store
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.model import FullList
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.store import ListFile
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError

pytestmark = pytest.mark.tier("quick")

# Saves lists of one computer more each time, as fast as it can, until it is killed; says how many it has saved.
SAVER = """
import sys
import lists
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.store import ListFile
file = ListFile(sys.argv[1], backups=3)
full = lists.isolated(200)
for number in range(201, 100000):
    full.computers[f"iso-{number:03}"] = lists.computer(number)
    with file.locked():
        file.save(full)
    print(len(full.computers), flush=True)
"""


def save(path: Path, full: FullList, **options: object) -> ListFile:
    file = ListFile(str(path), **options)  # type: ignore[arg-type]
    with file.locked():
        file.save(full)
    return file


def full(file: ListFile) -> FullList:
    document = file.load()
    assert isinstance(document, FullList)
    return document


def test_what_is_saved_is_loaded(tmp_path: Path):
    written = lists.isolated()
    file = save(tmp_path / "list.json", written)
    assert file.exists
    assert file.load() == written
    assert not file.encrypted


def test_only_the_owner_reads_the_file_its_backups_and_its_lock(tmp_path: Path):
    before = os.umask(0)
    try:
        save(tmp_path / "list.json", lists.isolated(1))
        save(tmp_path / "list.json", lists.isolated(2))
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(["list.json", "list.json.~1~", ".list.json.lock"], 0o600)


def test_a_file_that_others_could_read_can_be_read_by_its_owner_only_afterwards(tmp_path: Path):
    path = tmp_path / "list.json"
    save(path, lists.isolated(1))
    path.chmod(0o644)
    save(path, lists.isolated(2))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_backups_are_numbered_and_the_oldest_go(tmp_path: Path):
    path = tmp_path / "list.json"
    for computers in range(1, 8):
        save(path, lists.isolated(computers), backups=3)
    held = {found.name: len(full(ListFile(str(found))).computers) for found in tmp_path.glob("list.json*")}
    assert held == {"list.json": 7, "list.json.~6~": 6, "list.json.~5~": 5, "list.json.~4~": 4}


def test_a_run_that_saves_often_leaves_one_backup(tmp_path: Path):
    path = tmp_path / "list.json"
    file = save(path, lists.isolated(1))
    with file.locked():
        for computers in range(2, 6):
            file.save(lists.isolated(computers))
    assert [len(full(ListFile(str(found))).computers) for found in tmp_path.glob("list.json.~*")] == [1]


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP])
def test_a_backup_is_copied_where_there_are_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int):
    def no_link(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    path = tmp_path / "list.json"
    save(path, lists.isolated(1))
    monkeypatch.setattr(store.os, "link", no_link)
    save(path, lists.isolated(2))
    assert len(full(ListFile(f"{path}.~1~")).computers) == 1
    assert len(full(ListFile(str(path))).computers) == 2


def test_other_files_of_the_folder_are_left_alone(tmp_path: Path):
    others = [tmp_path / name for name in ("list.json.old", "list.json.~x~", "mylist.json.~1~", ".other.json.1.tmp")]
    for other in others:
        other.write_text("kept", encoding="utf-8")
    for computers in range(1, 5):
        save(tmp_path / "list.json", lists.isolated(computers), backups=1)
    assert all(other.read_text(encoding="utf-8") == "kept" for other in others)


def test_a_symbolic_link_stays_one(tmp_path: Path):
    (tmp_path / "real").mkdir()
    link = tmp_path / "list.json"
    link.symlink_to(tmp_path / "real" / "list.json")
    save(link, lists.isolated())
    assert link.is_symlink()
    assert (tmp_path / "real" / "list.json").is_file()


@pytest.mark.parametrize("call", ["fsync", "replace", "link"])
def test_a_disk_that_is_full_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str):
    path = tmp_path / "list.json"
    file = save(path, lists.isolated(1))
    before = path.read_bytes()

    def full_disk(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched, file.locked():
        patched.setattr(store.os, call, full_disk)
        with pytest.raises(ActivationError) as refused:
            file.save(lists.isolated(2))
    assert refused.value.message == f"{path} can't be written: No space left on device (ENOSPC); make room on the disk."
    assert path.read_bytes() == before
    # A backup of what is still there does no harm.
    assert {found.name for found in tmp_path.iterdir()} <= {".list.json.lock", "list.json", "list.json.~1~"}


def test_the_content_is_on_the_disk_before_the_name_leads_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(handle: int) -> None:
        calls.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    def noted_replace(source: str, target: str) -> None:
        calls.append("rename")
        assert Path(source).parent == Path(target).parent
        replace(source, target)

    monkeypatch.setattr(store.os, "fsync", noted_fsync)
    monkeypatch.setattr(store.os, "replace", noted_replace)
    save(tmp_path / "list.json", lists.isolated())
    assert calls == ["file", "rename", "folder"]


@pytest.mark.tier("soak")
def test_killed_while_it_saves_the_file_is_whole_and_nothing_confirmed_is_lost(tmp_path: Path):
    path = tmp_path / "list.json"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for round_ in range(8):
        process = subprocess.Popen([sys.executable, "-c", SAVER, str(path)], env=environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.013 * round_)
        os.kill(process.pid, signal.SIGKILL)
        said = process.stdout.read().split()
        process.wait()
        found = len(full(ListFile(str(path))).computers)
        assert found >= int(said[-1]) if said else found >= 201
    # What a kill has left lying about goes with the next run.
    save(path, lists.isolated())
    assert list(tmp_path.glob(".list.json.*.tmp")) == []


def test_another_run_waits_until_the_first_is_over(tmp_path: Path):
    path = tmp_path / "list.json"
    save(path, lists.isolated(1))
    order = []

    def second() -> None:
        with ListFile(str(path)).locked():
            order.append("second")

    with ListFile(str(path)).locked():
        waiting = threading.Thread(target=second)
        waiting.start()
        time.sleep(0.2)
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def test_a_lock_that_is_not_given_up_is_a_sentence_with_its_process(tmp_path: Path):
    path = tmp_path / "list.json"
    with ListFile(str(path)).locked(), pytest.raises(ActivationError) as refused, ListFile(str(path)).locked(0.1):
        pass
    assert refused.value.message == (
        f"{path} has been in use by another run (process {os.getpid()}) for 0.1 seconds; wait until that is over, and run this again."
    )


def test_a_run_that_was_killed_holds_no_lock(tmp_path: Path):
    path = tmp_path / "list.json"
    held = (
        "import sys, time; from lists import *; from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.store"
    )
    program = f"{held} import ListFile\nwith ListFile(sys.argv[1]).locked(): print('held', flush=True); time.sleep(60)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", program, str(path)], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    process.kill()
    process.wait()
    save(path, lists.isolated())


def test_a_file_or_folder_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ActivationError) as refused:
        ListFile(str(tmp_path / "list.json")).load()
    assert refused.value.message == f"There is no file {tmp_path}/list.json; give the path of one that was saved before."
    with pytest.raises(ActivationError) as refused, ListFile(str(tmp_path / "usb" / "list.json")).locked():
        pass
    assert refused.value.message == f"{tmp_path}/usb/list.json can't be locked: No such file or directory (ENOENT); make its folder first."
    with pytest.raises(ActivationError) as refused:
        ListFile(str(tmp_path)).load()
    assert refused.value.message == f"{tmp_path} can't be read: Is a directory (EISDIR); give the path of a file."


@pytest.mark.tier("test")
def test_an_encrypted_file_is_what_ansible_vault_reads(tmp_path: Path):
    written, cipher = lists.isolated(), _vault.VaultCipher("correct horse", "lab")
    file = save(tmp_path / "list.json", written, cipher=cipher)
    assert file.encrypted
    assert (tmp_path / "list.json").read_bytes().startswith(b"$ANSIBLE_VAULT;1.2;AES256;lab\n")
    assert b"ISO-001" not in (tmp_path / "list.json").read_bytes()
    assert file.load() == written
    assert _vault.cipher_of("", "lab") is None
    (tmp_path / "password").write_text("correct horse", encoding="utf-8")
    command = ["ansible-vault", "view", "--vault-id", f"lab@{tmp_path}/password", str(tmp_path / "list.json")]
    assert '"computer_name": "ISO-001"' in subprocess.check_output(command, text=True)


def test_without_the_password_an_encrypted_file_is_a_sentence(tmp_path: Path):
    path = tmp_path / "list.json"
    save(path, lists.isolated(), cipher=_vault.VaultCipher("correct horse"))
    with pytest.raises(ActivationError) as refused:
        ListFile(str(path)).load()
    assert refused.value.message == f"{path} is encrypted by Ansible Vault, and no password is given for it."
    damaged = path.read_bytes()[:-90] + b"\n"
    for data, password in ((path.read_bytes(), "wrong"), (damaged, "correct horse")):
        path.write_bytes(data)
        with pytest.raises(ActivationError) as refused:
            ListFile(str(path), _vault.VaultCipher(password)).load()
        assert refused.value.message == (
            f"{path} can't be decrypted: the password is not the one that it was encrypted with, or the file is damaged."
        )
