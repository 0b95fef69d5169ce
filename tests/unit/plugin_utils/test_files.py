# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a user names are regular and of bounded size, and nothing is written through what somebody else has put in place of one."""

from __future__ import annotations

import os
import stat
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import error_catalogue
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list import store
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.model import FullList
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.store import ListFile
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core import files as _files
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._unattend import file as answer_file
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman import recording, replay

pytestmark = pytest.mark.tier("quick")

FIFO, DEVICE, TOO_LARGE = "a FIFO where a file is read", "a device where a file is read", "a file that is too large"
LARGE_LIST, LINK = "a computer list that is too large", "a link of another account"
LOCKS = ("a link", "a hard link", "a FIFO", "a file of another account")
RECORD_FIFO, RECORD_OTHER = "a device where a recording is to be written", "a file of another account where a recording is to be written"
WRITTEN = error_catalogue.paired(
    "Files on the control node",
    [FIFO, DEVICE, TOO_LARGE, LARGE_LIST, LINK, *(f"{what} in place of a lock file" for what in LOCKS), RECORD_FIFO, RECORD_OTHER],
)
OTHER_ACCOUNT = 65534

READERS: dict[str, Callable[[str], object]] = {
    "a list": lambda path: ListFile(path).load(),
    "whether a list is encrypted": lambda path: ListFile(path).encrypted,
    "an answer file": answer_file.read,
    "a recording": replay.load,
    "certificates": lambda path: _files.check_file(path, _files.LARGEST_CERTIFICATES),
}


def test_a_small_file_takes_little_memory(tmp_path: Path):
    path = tmp_path / "small"
    path.write_bytes(b"x" * 100)
    tracemalloc.start()
    try:
        assert _files.read_file(path, 256 * _files.MIB) == b"x" * 100
        assert tracemalloc.get_traced_memory()[1] < 4 * _files.MIB
    finally:
        tracemalloc.stop()


def check(case: str, error: ActivationError, **known: object) -> None:
    found = error_catalogue.shown(error)
    wanted = error_catalogue.expected(WRITTEN[case], error, **known)
    # Who has named the file is the reader's business.
    assert found | {"source": ""} == wanted | {"source": ""}


def foreign(path: Path) -> None:
    """Give a file to another account, as only root can."""
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    os.chown(path, OTHER_ACCOUNT, OTHER_ACCOUNT, follow_symlinks=False)


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Path]:
    """A file of somebody else, which is as it was afterwards."""
    path = tmp_path / "victim"
    path.write_text("kept", encoding="utf-8")
    path.chmod(0o640)
    yield path
    assert path.read_text(encoding="utf-8") == "kept" and stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("reader", READERS)
def test_a_fifo_or_a_device_is_not_waited_for(tmp_path: Path, reader: str):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    link = tmp_path / "link"
    link.symlink_to(path)
    for given in (path, link):
        with pytest.raises(ActivationError) as refused:
            READERS[reader](str(given))
        check(FIFO, refused.value, path=given if reader in ("an answer file", "a recording", "certificates") else path)
    with pytest.raises(ActivationError) as refused:
        READERS[reader]("/dev/zero")
    check(DEVICE, refused.value)


def test_a_backup_that_is_none_is_not_waited_for(tmp_path: Path):
    save(tmp_path / "list.json")
    os.mkfifo(tmp_path / "list.json.~1~")
    with pytest.raises(ActivationError, match="is a FIFO"):
        _ = ListFile(str(tmp_path / "list.json"), Turned()).plain_backups


@pytest.mark.parametrize("reader", ["a list", "an answer file", "a recording", "certificates"])
def test_a_file_is_refused_by_its_size_before_it_is_read(tmp_path: Path, reader: str):
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ActivationError, match="is larger than"):
        READERS[reader](str(path))


def test_a_file_that_grows_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "Unattend.xml"
    path.write_bytes(bytes(answer_file.LARGEST + 1))
    monkeypatch.setattr(_files, "_check", lambda *_: None)
    with pytest.raises(ActivationError) as refused:
        answer_file.read(str(path))
    check(TOO_LARGE, refused.value, path=path)


def test_a_list_that_could_not_be_read_again_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "list.json"
    monkeypatch.setattr(store, "LARGEST", 64)
    monkeypatch.setattr(store, "MIB", 1)
    with pytest.raises(ActivationError) as refused:
        save(path)
    check(LARGE_LIST, refused.value, path=path)
    assert not path.exists()


class Turned:
    """Turns bytes round, which is enough to tell them from those that are readable."""

    def encrypt(self, data: bytes) -> bytes:
        return store.VAULT + data[::-1]

    def decrypt(self, data: bytes, path: str) -> bytes:
        return data[len(store.VAULT) :][::-1]


def save(path: Path, cipher: Turned | None = None) -> None:
    file = ListFile(str(path), cipher)
    with file.locked():
        file.save(FullList())


@pytest.mark.parametrize("what", LOCKS)
def test_nothing_is_written_to_what_is_no_lock_of_ours(tmp_path: Path, victim: Path, what: str):
    lock = tmp_path / ".export.json.lock"
    if what == "a link":
        lock.symlink_to(victim)
    elif what == "a hard link":
        os.link(victim, lock)
    elif what == "a FIFO":
        os.mkfifo(lock)
    else:
        lock.write_text("kept", encoding="utf-8")
        foreign(lock)
    with pytest.raises(ActivationError) as refused:
        save(tmp_path / "export.json")
    check(f"{what} in place of a lock file", refused.value, path=lock)
    assert not (tmp_path / "export.json").exists()
    if what == "a file of another account":
        assert lock.read_text(encoding="utf-8") == "kept"


def test_a_link_to_nothing_makes_no_file_where_it_leads(tmp_path: Path):
    (tmp_path / ".export.json.lock").symlink_to(tmp_path / "made")
    with pytest.raises(ActivationError, match="is a symbolic link, and not the lock file"):
        save(tmp_path / "export.json")
    assert not (tmp_path / "made").exists()


def test_a_lock_that_the_file_system_gives_to_another_account_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As on FAT, where every file has the owner that it was mounted with."""
    save(tmp_path / "list.json")
    monkeypatch.setattr(_files.os, "geteuid", lambda: OTHER_ACCOUNT)
    save(tmp_path / "list.json")
    assert [path.name for path in tmp_path.glob(".owner*")] == []


def test_a_link_of_another_account_is_not_followed(tmp_path: Path, victim: Path):
    path = tmp_path / "link"
    path.symlink_to(victim)
    foreign(path)
    for use in (lambda: ListFile(str(path)), lambda: answer_file.check_writable(str(path))):
        with pytest.raises(ActivationError) as refused:
            use()
        check(LINK, refused.value, path=path)
    # A link of one's own to it is no way round.
    (tmp_path / "own").symlink_to(path)
    with pytest.raises(ActivationError, match="another account has made"):
        ListFile(str(tmp_path / "own"))


def test_a_link_of_our_own_or_of_root_is_followed(tmp_path: Path):
    (tmp_path / "link").symlink_to("real.json")
    assert _files.real_path(tmp_path / "link") == tmp_path / "real.json"
    # Where a link leads in a circle, whoever opens it says so.
    (tmp_path / "circle").symlink_to("circle")
    assert _files.real_path(tmp_path / "circle").name == "circle"


def test_a_recording_takes_the_place_of_a_link_and_of_nothing_else_than_a_file_of_ours(tmp_path: Path, victim: Path):
    link = tmp_path / "recording.json"
    link.symlink_to(victim)
    recording.check_target(str(link))
    recording.write(str(link), {})
    assert not link.is_symlink() and stat.S_IMODE(link.stat().st_mode) == 0o600
    fifo, other = tmp_path / "fifo", tmp_path / "other.json"
    os.mkfifo(fifo)
    other.write_text("kept", encoding="utf-8")
    with pytest.raises(ActivationError) as refused:
        recording.check_target(str(fifo))
    check(RECORD_FIFO, refused.value, path=fifo)
    foreign(other)
    with pytest.raises(ActivationError) as refused:
        recording.check_target(str(other))
    check(RECORD_OTHER, refused.value, path=other)


def test_what_was_left_of_killed_runs_goes_and_a_folder_of_that_name_stays(tmp_path: Path):
    left, folder = tmp_path / ".list.json.1.tmp", tmp_path / ".list.json.2.tmp"
    left.write_text("", encoding="utf-8")
    folder.mkdir()
    save(tmp_path / "list.json")
    assert not left.exists() and folder.is_dir()
