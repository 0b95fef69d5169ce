# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A state directory that is a file system of its own, so that it can be full or read-only without harm to anything else."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FILLER = ".filler"


@contextmanager
def state_folder(path: Path) -> Iterator[Path]:
    """Mounted meanwhile. Needs root."""
    path.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", str(path)], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def fill(path: Path) -> None:
    """Leave no room for another byte."""
    with contextlib.suppress(OSError), (path / _FILLER).open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def make_read_only(path: Path) -> None:
    """Let nobody write, not even root."""
    subprocess.run(["mount", "-o", "remount,ro", str(path)], check=True)


def make_usable(path: Path) -> None:
    """Room and rights again."""
    subprocess.run(["mount", "-o", "remount,rw", str(path)], check=True)
    (path / _FILLER).unlink(missing_ok=True)


def changes(path: Path, before: dict[str, tuple[int, int]]) -> int:
    """How many files have come or changed since the last look, which is renewed."""
    found = {}
    with os.scandir(path) as entries:
        for entry in entries:
            try:
                state = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if entry.name != _FILLER:
                found[entry.name] = (state.st_ino, state.st_mtime_ns)
    count = sum(before.get(name) != state for name, state in found.items())
    before.clear()
    before.update(found)
    return count
