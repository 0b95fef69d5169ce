# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file of lines that are written whole."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from .._core.files import refused

_BLOCK = 65536


class Lines:
    """Appends to a file that this process has locked.

    A line is one write to the end of the file, so that a run that is killed leaves whole lines, and whoever reads sees only those. What
    a power cut or a full disk has left of a line is removed.

    Args:
        path: The file, as a person is told of it.
        handle: The file, for reading and writing.
        anew: Whether the lines that are there are removed.
        durable: Whether each line is brought to the disk before C(append) returns.
    """

    def __init__(self, path: Path, handle: int, anew: bool, durable: bool) -> None:
        self._path = path
        self._handle = handle
        self._durable = durable
        fcntl.fcntl(handle, fcntl.F_SETFL, fcntl.fcntl(handle, fcntl.F_GETFL) | os.O_APPEND)
        os.ftruncate(handle, 0 if anew else _end_of_lines(handle))

    def append(self, line: str) -> None:
        """Write one line, given without its end; from one thread at a time.

        Raises:
            ActivationError: The disk is full, or whatever else stands in the way. The file has the lines of before.
        """
        if "\n" in line:
            raise ValueError("one line at a time")
        data = f"{line}\n".encode()
        before = os.fstat(self._handle).st_size
        try:
            if os.write(self._handle, data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if self._durable:
                os.fsync(self._handle)
        except OSError as failure:
            os.ftruncate(self._handle, before)
            raise refused(self._path, "can't be written", failure) from failure


def _end_of_lines(handle: int) -> int:
    """How many bytes there are up to the end of the last line."""
    end = os.fstat(handle).st_size
    while end:
        start = max(0, end - _BLOCK)
        found = os.pread(handle, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
