# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where state is kept: when that would end with the run or is open to others, and how it is written."""

from __future__ import annotations

import errno
import os
import re
import signal
import stat
from collections.abc import Callable
from pathlib import Path

import error_catalogue
import guides
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core import files as _files
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak_proxy import places
from ansible_collections.winops.volume_activation.plugins.plugin_utils._state.directory import StateDirectory
from ansible_collections.winops.volume_activation.plugins.plugin_utils._state.kinds import FileKind
from ansible_collections.winops.volume_activation.plugins.plugin_utils._state.outlasting import loss, mount_points
from ansible_collections.winops.volume_activation.plugins.plugin_utils._state.variable import ALIAS, VARIABLE, given

pytestmark = pytest.mark.tier("quick")

RUNNER = {"AWX_ISOLATED_DATA_DIR": "/runner/artifacts/42", "HOME": "/home/runner"}
LOCAL_RUNNER = {"AWX_ISOLATED_DATA_DIR": "/tmp/job/artifacts/42", "HOME": "/home/me"}
SHELL = {"HOME": "/home/me"}
MOUNTS = ["/", "/proc", "/runner", "/runner/artifacts"]
OTHER_ACCOUNT = 65534
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def judge(given: str | Path, environment: dict[str, str] = SHELL, mounts: tuple[str, ...] = ("/",)) -> StateDirectory:
    return StateDirectory.judge(str(given), environment, mounts)


def file_of(path: Path) -> Path:
    path.write_text("", encoding="utf-8")
    return path


def folder_of(path: Path, mode: int, owner: int | None = None) -> Path:
    path.mkdir()
    path.chmod(mode)
    if owner is not None:
        if os.geteuid() != 0:
            pytest.skip("only root gives folders away")
        os.chown(path, owner, owner)
    return path


def without_rights(path: Path, patch: pytest.MonkeyPatch) -> Path:
    """As it is for an account that is not root."""
    patch.setattr(os, "access", lambda *_: False)
    return path


def linked(path: Path) -> Path:
    path.symlink_to(file_of(path.with_name("elsewhere")))
    return path


def locked_lines(directory: StateDirectory) -> None:
    with directory.lines(FileKind.SURVEY), directory.lines(FileKind.SURVEY, seconds=0.1):
        pass


def append(directory: StateDirectory, *lines: str, kind: FileKind = FileKind.SURVEY) -> None:
    with directory.lines(kind) as file:
        for line in lines:
            file.append(line)


def append_without_room(directory: StateDirectory, patch: pytest.MonkeyPatch) -> None:
    """On a disk that takes half of the line."""
    write = os.write
    patch.setattr(os, "write", lambda handle, data: write(handle, data[: len(data) // 2]))
    append(directory, '{"host": "pc-1"}')


LOST: dict[str, Callable[[], str]] = {
    "a run of ansible-runner that keeps nothing": lambda: judge("", RUNNER).loss,
    "a state directory that ends with the run": lambda: judge("/runner/project/state", RUNNER, ("/", "/runner")).loss,
    "a state directory inside an execution environment": lambda: judge("/srv/state", RUNNER).loss,
    "a file that ends with the run": lambda: loss("/runner/project", RUNNER, ["/", "/runner"], "mak_proxy_list", file=True),
    "a file inside an execution environment": lambda: loss("/srv/lists", RUNNER, ["/"], "mak_proxy_export", file=True),
}
NAMED: dict[str, dict[str, object]] = {
    "two state directories": {VARIABLE: "/srv/one", ALIAS: "/srv/two"},
    "a state directory that is no path": {ALIAS: ["/srv/one"]},
}
FAULTS: dict[str, Callable[[Path, pytest.MonkeyPatch], Path]] = {
    "a state directory that is a file": lambda path, _: file_of(path),
    "a state directory that can't be written": lambda path, patch: without_rights(folder_of(path, 0o700), patch),
    "a state directory of another account": lambda path, _: folder_of(path, 0o700, OTHER_ACCOUNT),
    "a state directory that others can write": lambda path, _: folder_of(path, 0o775),
}
WRITES: dict[str, Callable[[StateDirectory, pytest.MonkeyPatch], object]] = {
    "a link in place of a file of lines": lambda directory, _: (linked(directory.place(FileKind.SURVEY)), append(directory, "{}")),
    "a file of lines that another run has locked": lambda directory, _: locked_lines(directory),
    "a disk without room for a line": append_without_room,
}
WRITTEN = error_catalogue.paired("State directory", [*LOST, *NAMED, *FAULTS, *WRITES])


@pytest.mark.parametrize("case", LOST)
def test_why_it_is_lost(case: str):
    assert LOST[case]() == error_catalogue.said(WRITTEN[case])


@pytest.mark.parametrize("case", NAMED)
def test_what_names_no_folder(case: str):
    with pytest.raises(ActivationError) as refused:
        given(NAMED[case])
    assert error_catalogue.shown(refused.value) == error_catalogue.expected(WRITTEN[case], refused.value)
    # Roles report it with what else they have found, and can look at the rest.
    found = StateDirectory.of_variables(NAMED[case])
    assert found.refusal == found.fault == refused.value.message
    assert found.place(FileKind.COMPUTER_LIST).name == "computer_list.json"


@pytest.mark.parametrize("case", FAULTS)
def test_a_folder_that_nothing_can_be_kept_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str):
    found = judge(FAULTS[case](tmp_path / "state", monkeypatch))
    for kind in FileKind:
        with pytest.raises(ActivationError) as refused:
            found.check(kind)
        assert error_catalogue.shown(refused.value) == error_catalogue.expected(WRITTEN[case], refused.value, path=found.path)


@pytest.mark.parametrize("case", WRITES)
def test_what_stands_in_the_way_of_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str):
    with pytest.raises(ActivationError) as refused:
        WRITES[case](judge(tmp_path), monkeypatch)
    assert error_catalogue.shown(refused.value) == error_catalogue.expected(WRITTEN[case], refused.value, path=tmp_path / "survey.jsonl")
    assert (tmp_path / "survey.jsonl").read_bytes() == b""


@pytest.mark.parametrize(
    ("given", "environment", "mounts", "path", "said"),
    [
        ("", SHELL, ["/"], "/home/me/.local/state/winops.volume_activation", ""),
        ("", {**SHELL, "XDG_STATE_HOME": "/srv/state"}, ["/"], "/srv/state/winops.volume_activation", ""),
        ("", {**SHELL, "XDG_STATE_HOME": "relative"}, ["/"], "/home/me/.local/state/winops.volume_activation", ""),
        ("/srv/a/../activation/", SHELL, ["/"], "/srv/activation", ""),
        # A job of AWX keeps nothing unless it is told where.
        ("", RUNNER, MOUNTS, "/home/runner/.local/state/winops.volume_activation", "no state directory is set"),
        ("", LOCAL_RUNNER, ["/"], "/home/me/.local/state/winops.volume_activation", "no state directory is set"),
        ("/runner/project/state", RUNNER, MOUNTS, "/runner/project/state", "private directory /runner, which ends"),
        ("/runner/artifacts/state", RUNNER, MOUNTS[:3], "/runner/artifacts/state", "private directory /runner, which ends"),
        ("/tmp/job/state", LOCAL_RUNNER, ["/"], "/tmp/job/state", "private directory /tmp/job, which ends"),
        ("/runner", RUNNER, MOUNTS, "/runner", "private directory /runner, which ends"),
        # What is mounted there outlasts it.
        ("/runner/state/lab", RUNNER, [*MOUNTS, "/runner/state"], "/runner/state/lab", ""),
        ("/state", RUNNER, [*MOUNTS, "/state"], "/state", ""),
        ("/srv/activation", LOCAL_RUNNER, ["/"], "/srv/activation", ""),
        # An execution environment loses its own file system with the run.
        ("/srv/activation", RUNNER, MOUNTS, "/srv/activation", "lies in the execution environment itself"),
        # A container that somebody works in is not known to.
        ("/srv/activation", SHELL, ["/", "/proc"], "/srv/activation", ""),
    ],
)
def test_a_folder_that_ends_with_the_run(given: str, environment: dict[str, str], mounts: list[str], path: str, said: str):
    found = judge(given, environment, tuple(mounts))
    assert found.path == path
    assert (said in found.loss) if said else found.loss == ""
    assert not said or VARIABLE in found.loss


def test_what_counts_stops_and_what_only_shows_warns_where_it_would_be_lost(tmp_path: Path):
    lost, kept = judge(tmp_path, {"AWX_ISOLATED_DATA_DIR": f"{tmp_path}/artifacts/1"}), judge(tmp_path)
    for kind in FileKind:
        assert kept.check(kind) == []
        if kind.counts:
            with pytest.raises(ActivationError, match="which ends with the run"):
                lost.check(kind)
        else:
            assert lost.check(kind) == [lost.loss]


def test_a_link_is_judged_by_where_it_leads(tmp_path: Path):
    (tmp_path / "state").symlink_to("/runner/project")
    assert "private directory /runner" in judge(tmp_path / "state", RUNNER, ("/", "/runner", str(tmp_path))).loss
    if os.geteuid() == 0:
        os.chown(tmp_path / "state", OTHER_ACCOUNT, OTHER_ACCOUNT, follow_symlinks=False)
        assert "is a symbolic link that another account has made" in judge(tmp_path / "state").fault


def test_mount_points_are_read_as_linux_writes_them():
    lines = (
        "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw",
        r"37 35 0:5 / /media/my\040stick\134 rw - vfat /dev/sda1 rw",
        "38 35 0:6 / /dev/shm rw - tmpfs shm rw",
        "39 35",
    )
    assert mount_points("\n".join(lines)) == ["/mnt2", "/media/my stick\\"]


@pytest.mark.parametrize(
    ("values", "folder"),
    [
        ({}, ""),
        ({VARIABLE: "", ALIAS: " "}, ""),
        ({VARIABLE: None}, ""),
        ({VARIABLE: "/srv/a"}, "/srv/a"),
        ({ALIAS: "/srv/a "}, "/srv/a"),
        ({VARIABLE: "", ALIAS: "/srv/a"}, "/srv/a"),
        ({VARIABLE: "/srv/a", ALIAS: "/srv/b/../a/"}, "/srv/a"),
    ],
)
def test_the_alias_names_the_folder_as_well(values: dict[str, object], folder: str):
    assert given(values) == folder
    if folder:
        assert StateDirectory.of_variables(values).path == folder


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o1777])
def test_a_folder_that_only_its_account_can_take_over_is_used_as_it_is(tmp_path: Path, mode: int):
    folder = folder_of(tmp_path / "state", mode)
    found = judge(folder)
    assert found.fault == ""
    found.write_atomically(FileKind.METRICS, b"")
    assert stat.S_IMODE(folder.stat().st_mode) == mode


def test_a_missing_folder_is_made_for_its_account_alone(tmp_path: Path):
    directory = judge(folder_of(tmp_path / "shared", 0o777) / "a" / "b")
    assert (directory.fault, directory.check(FileKind.SURVEY)) == ("", [])
    assert not Path(directory.path).exists()
    append(directory, "{}")
    directory.write_atomically(FileKind.PLAN, b"{}")
    made = [tmp_path / "shared/a", tmp_path / "shared/a/b", *(directory.place(kind) for kind in (FileKind.SURVEY, FileKind.PLAN))]
    assert [stat.S_IMODE(path.stat().st_mode) for path in made] == [0o700, 0o700, 0o600, 0o600]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    directory, place = judge(tmp_path), tmp_path / "metrics.prom"
    left = file_of(tmp_path / ".metrics.prom.killed.tmp")
    victim = tmp_path / "victim"
    victim.write_bytes(b"kept")
    place.symlink_to(victim)
    directory.write_atomically(FileKind.METRICS, b"one")
    assert (place.is_symlink(), place.read_bytes(), victim.read_bytes(), left.exists()) == (False, b"one", b"kept", False)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(FULL))
        with pytest.raises(ActivationError, match="ENOSPC"):
            directory.write_atomically(FileKind.METRICS, b"two")
    assert place.read_bytes() == b"one"
    directory.place(FileKind.PLAN).mkdir()
    with pytest.raises(ActivationError, match="EISDIR"):
        directory.write_atomically(FileKind.PLAN, b"{}")
    names = [".metrics.prom.lock", ".plan.json.lock", "metrics.prom", "plan.json", "victim"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    with (tmp_path / ".metrics.prom.lock").open("rb") as other:
        assert _files.lock(other.fileno(), 0)
        with pytest.raises(ActivationError, match="in use by another run"):
            directory.write_atomically(FileKind.METRICS, b"two", seconds=0.1)


def test_lines_go_on_behind_those_that_are_whole(tmp_path: Path):
    directory, place = judge(tmp_path), tmp_path / "survey.jsonl"
    append(directory, "one", "two")
    with place.open("ab") as file:
        file.write(b"x" * 70_000)
    append(directory, "three")
    assert place.read_bytes() == b"one\ntwo\nthree\n"
    with directory.lines(FileKind.SURVEY, anew=True) as file:
        file.append("four")
        with pytest.raises(ValueError, match="one line"):
            file.append("five\nsix")
    assert place.read_bytes() == b"four\n"
    place.write_bytes(b"y" * 70_000)
    append(directory)
    assert place.read_bytes() == b""


def test_a_line_that_counts_is_on_the_disk_when_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    append(judge(tmp_path), "a", "b", "c", kind=FileKind.SURVEY)
    shows = len(synced)
    append(judge(tmp_path), "a", "b", "c", kind=FileKind.JOURNAL)
    assert len(synced) - shows == shows + 3


def test_a_writer_that_is_killed_leaves_whole_lines_and_no_lock(tmp_path: Path):
    directory = judge(tmp_path)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        with directory.lines(FileKind.SURVEY) as file:
            file.append("one")
            os.write(write, b".")
            signal.pause()
    os.read(read, 1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(read)
    os.close(write)
    append(directory, "two")
    assert (tmp_path / "survey.jsonl").read_bytes() == b"one\ntwo\n"


def test_this_machine_is_judged(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWX_ISOLATED_DATA_DIR", "/tmp/job/artifacts/1")
    found = StateDirectory.of_variables({VARIABLE: "/tmp/job/lists"})
    assert found.refusal.startswith("/tmp/job/lists lies in ansible-runner's private directory")
    monkeypatch.chdir("/")
    monkeypatch.setenv("AWX_ISOLATED_DATA_DIR", "/artifacts/1")
    named = places.places_here("list.json", "", "", "").list
    assert named.directory.refusal.startswith("/ lies in ansible-runner's private directory /,")
    assert named.directory.refusal.endswith("Set mak_proxy_list to a file in a folder that outlasts it.")


def test_the_guide_has_the_table_of_kinds():
    text = (guides.TREE / "docs/docsite/rst/state.rst").read_text(encoding="utf-8")
    rows = re.findall(r"^   \* - ``(\S+)``\n(?:     .*\n)*?     - (The run stops|A warning)$", text, re.MULTILINE)
    assert rows == [(kind.file, "The run stops" if kind.counts else "A warning") for kind in FileKind]
    assert VARIABLE in text and ALIAS in text
