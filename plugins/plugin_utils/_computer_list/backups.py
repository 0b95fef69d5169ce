# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The backups of a computer list: numbered as GNU programs number them, at most one a run, and never readable beside an encrypted list."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from .._core.files import begins_with, read_file, write_beside

_BACKUP = re.compile(r"\.~([0-9]{1,9})~")
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS)
# More runs do not take turns at one list.
_MOST_RUNS = 20
_LONGEST_NOTE = 8192


class Backups:
    """Those of one file. Whoever changes them holds its lock.

    Args:
        file: The file.
        most: How many are kept.
    """

    def __init__(self, file: Path, most: int) -> None:
        self._file = file
        self._most = most

    def keep(self, encrypted: bytes | None) -> None:
        """Make one of the file as it is now, and remove the oldest beyond the number that is kept.

        Args:
            encrypted: The file's content as it is to be kept; C(None) where the file itself gets a second name, or is copied where the
                file system has no hard links (FAT).

        Raises:
            OSError: The folder can't be written.
        """
        there = self.numbered()
        backup = self._file.with_name(f"{self._file.name}.~{max(there, default=0) + 1}~")
        if encrypted is not None:
            os.replace(write_beside(self._file, encrypted), backup)
        else:
            try:
                os.link(self._file, backup)
            except OSError as failure:
                if failure.errno not in _NO_LINKS:
                    raise
                os.replace(write_beside(self._file, self._file.read_bytes()), backup)
        for number in sorted(there)[: max(0, len(there) + 1 - self._most)]:
            there[number].unlink(missing_ok=True)

    def numbered(self) -> dict[int, Path]:
        """The backups that are there, by number."""
        names = ((path, _BACKUP.fullmatch(path.name.removeprefix(self._file.name))) for path in self._file.parent.iterdir())
        return {int(found[1]): path for path, found in names if found and path.name.startswith(self._file.name)}

    def plain(self, mark: bytes, largest: int) -> list[Path]:
        """Those that can be read without a password.

        Args:
            mark: What an encrypted file begins with.
            largest: Bytes that one may have.

        Raises:
            OSError: One can't be read.
            ActivationError: One is no regular file, or too large.
        """
        return [backup for backup in self.numbered().values() if not begins_with(backup, mark, largest, "file")]

    def encrypt(self, plain: Iterable[Path], encrypt: Callable[[bytes], bytes], largest: int) -> None:
        """Encrypt some of them, each whole or not at all.

        Raises:
            OSError: One can't be read or written.
            ActivationError: One is no regular file, or too large.
        """
        for backup in plain:
            os.replace(write_beside(self._file, encrypt(read_file(backup, largest, "file"))), backup)


class Runs:
    """Which runs have made their backup, as the lock file has it: the process that holds the lock, then a run a line.

    Args:
        handle: The lock file, locked.
        run: The run that this is; empty where that is not known, and where each lock is a run of its own.
    """

    def __init__(self, handle: int, run: str) -> None:
        self._handle = handle
        self._run = run
        _holder, *self._known = noted(handle)
        self._write()

    @property
    def has_backup(self) -> bool:
        """Whether this run has made its backup."""
        return self._run != "" and self._run in self._known

    def note(self) -> None:
        """Write down that it has."""
        if self._run and not self.has_backup:
            self._known = [*self._known, self._run][-_MOST_RUNS:]
            self._write()

    def _write(self) -> None:
        # On a disk that is full the lock holds all the same; what is not written down costs one backup more.
        with suppress(OSError):
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, "".join(f"{line}\n" for line in (os.getpid(), *self._known)).encode(), 0)


def noted(handle: int) -> list[str]:
    """The lines of a lock file; the first one is the process that holds it, or nothing that could be one."""
    with suppress(OSError):
        lines = os.pread(handle, _LONGEST_NOTE, 0).decode("ascii", "replace").splitlines()
        holder = lines[0] if lines and lines[0].isdigit() and len(lines[0]) <= 10 else ""
        return [holder, *(line for line in lines[1:] if line.isprintable())]
    return [""]
