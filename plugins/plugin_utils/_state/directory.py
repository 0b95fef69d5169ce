# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder that state is kept in: whether it may be used, and how it is written to."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from .._core.errors import ActivationError
from .._core.files import busy, lock, open_own, owner_of_new_files, real_path, refused, remove_left, replace_file, sync_folder
from . import variable
from .kinds import FileKind
from .lines import Lines
from .outlasting import default_directory, loss, loss_of_default, mounted_here
from .variable import VARIABLE, absolute

_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class StateDirectory:
    """Where state is kept.

    Attributes:
        path: The folder, from the root. It is made, with mode 0700, when something is written.
        fault: Why nothing can be kept in it, as a sentence with what to set; empty where it can.
        loss: Why it is lost with the run, likewise.
    """

    path: str
    fault: str
    loss: str

    @classmethod
    def judge(cls, given: str, environment: Mapping[str, str], mount_points: Iterable[str]) -> StateDirectory:
        """Where state is kept, whether that can be used, and whether it is still there after the run. Nothing is made.

        Args:
            given: The folder that the user names, see C(variable.given); empty for none.
            environment: The environment variables of the process.
            mount_points: What is mounted where.
        """
        if given:
            path = absolute(given)
            return cls(path, _fault(path), loss(path, environment, mount_points, VARIABLE))
        path = default_directory(environment)
        return cls(path, _fault(path), loss_of_default(path, environment, VARIABLE))

    @classmethod
    def here(cls, given: str) -> StateDirectory:
        """The same for this process."""
        return cls.judge(given, os.environ, mounted_here())

    @classmethod
    def of_variables(cls, values: Mapping[str, object]) -> StateDirectory:
        """The same, where what is wrong with the variables is told with all else that is found.

        Args:
            values: By their names.
        """
        try:
            return cls.here(variable.given(values))
        except ActivationError as refused:
            return replace(cls.here(""), fault=refused.message)

    @property
    def refusal(self) -> str:
        """Why nothing that counts may be kept in it; empty where it may."""
        return self.fault or self.loss

    def check(self, kind: FileKind) -> list[str]:
        """Find out before the first change whether a kind of state can be kept.

        Returns:
            Warnings, for the user to see once.

        Raises:
            ActivationError: It can't, or it counts and would be lost.
        """
        stops = self.refusal if kind.counts else self.fault
        if stops:
            raise ActivationError(stops, source="options")
        return [self.loss] if self.loss else []

    def place(self, kind: FileKind) -> Path:
        """The file of a kind."""
        return Path(self.path, kind.file)

    def write_atomically(self, kind: FileKind, data: bytes, seconds: float = _PATIENCE) -> None:
        """Put a file of mode 0600 in the place of the one that is there; whoever reads has the old one or the new one.

        Args:
            kind: Which file.
            data: What it holds.
            seconds: How long to wait for another run that writes it.

        Raises:
            ActivationError: The folder can't be written, the disk is full, or another run holds the lock. The file is as it was.
        """
        self.rewrite(kind, lambda _path: data, seconds)

    def rewrite(self, kind: FileKind, made: Callable[[Path], bytes], seconds: float = _PATIENCE) -> None:
        """The same where the new file depends on the one that is there, which nobody else writes meanwhile.

        Args:
            kind: Which file.
            made: Gives what it holds; called with the path of the file, which may not be there.
            seconds: As above.

        Raises:
            ActivationError: As above.
        """
        path = self.place(kind)
        try:
            self.make()
            handle = open_own(path.with_name(f".{path.name}.lock"))
            try:
                if not lock(handle, seconds):
                    raise busy(path, seconds)
                remove_left(path)
                replace_file(path, made(path))
            finally:
                os.close(handle)
        except OSError as failure:
            raise refused(path, "can't be written", failure) from failure

    @contextmanager
    def lines(self, kind: FileKind, anew: bool = False, seconds: float = _PATIENCE) -> Iterator[Lines]:
        """A file of lines to append to, which nobody else appends to meanwhile. It has mode 0600.

        Args:
            kind: Which file. Of a kind that counts each line is on the disk when it is written, of others all are at the end.
            anew: Remove the lines that are there; without it, what is appended comes behind them.
            seconds: How long to wait for another run that appends.

        Raises:
            ActivationError: The folder can't be written, there is something else by that name, or another run holds the file.
        """
        path = self.place(kind)
        try:
            self.make()
            handle = open_own(path, "file")
        except OSError as failure:
            raise refused(path, "can't be written", failure) from failure
        try:
            if not lock(handle, seconds):
                raise busy(path, seconds)
            yield self._lines(path, handle, anew, kind.counts)
            _sync(path, handle)
        finally:
            os.close(handle)

    @staticmethod
    def _lines(path: Path, handle: int, anew: bool, durable: bool) -> Lines:
        try:
            sync_folder(path.parent)
            return Lines(path, handle, anew, durable)
        except OSError as failure:
            raise refused(path, "can't be written", failure) from failure

    def make(self) -> None:
        """Make the folder and those that lead to it; what is there keeps its mode."""
        folder = Path(self.path)
        missing = [place for place in (folder, *folder.parents) if not place.exists()]
        for place in reversed(missing):
            place.mkdir(mode=0o700, exist_ok=True)


def _sync(path: Path, handle: int) -> None:
    try:
        os.fsync(handle)
    except OSError as failure:
        raise refused(path, "can't be written", failure) from failure


def _fault(path: str) -> str:
    """Why nothing can be kept in a folder, which may not be there yet."""
    try:
        real_path(path)
    except ActivationError as link:
        return link.message
    place = Path(path)
    while not os.path.lexists(place):
        place = place.parent
    other = f"set {VARIABLE} to another folder"
    if not place.is_dir():
        return f"{place} is not a folder; {other}."
    if not os.access(place, os.W_OK | os.X_OK):
        return f"{place} can't be written by the account that runs Ansible; give it the right to, or {other}."
    # A folder that is missing is made with mode 0700.
    return _taken_over(path, place.stat()) if place == Path(path) else ""


def _taken_over(path: str, found: os.stat_result) -> str:
    """Who else could replace the files of a folder."""
    new = f"set {VARIABLE} to a folder that does not exist, which is then made with mode 0700"
    if found.st_uid not in (0, os.geteuid()) and found.st_uid != _owner_of_new_files(path, found.st_uid):
        return f"{path} belongs to another account (uid {found.st_uid}), which could replace what is kept in it; {new}."
    mode = stat.S_IMODE(found.st_mode)
    if mode & (stat.S_IWGRP | stat.S_IWOTH) and not mode & stat.S_ISVTX:
        return f"{path} has mode {mode:04o}, so that other accounts could replace what is kept in it. Run chmod go-w {path}, or {new}."
    return ""


def _owner_of_new_files(path: str, found: int) -> int | None:
    try:
        return owner_of_new_files(Path(path), found)
    except OSError:
        return None
