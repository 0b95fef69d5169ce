# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies the tree to where Ansible looks for a collection: only what changed, and what is gone there goes here too.

    python stage.py DESTINATION

Ansible's own tools want a real folder C(ansible_collections/NAMESPACE/NAME): a link is resolved and then refused.
The time stamps come along, so that type checker and byte code caches stay valid.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
# What ansible-test leaves in the copy.
NOT_OURS = ("tests/output",)


def tracked_files() -> list[str]:
    """Every file that is committed, or would be by C(git add --all), as a path from the top of the tree."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=SOURCE,
        check=True,
        capture_output=True,
        text=True,
    )
    return [name for name in listing.stdout.split("\0") if name and (SOURCE / name).is_file()]


def same(source: Path, copy: Path) -> bool:
    """Whether the copy still has the source's size, time stamp and mode."""
    try:
        there = copy.lstat()
    except FileNotFoundError:
        return False
    here = source.stat()
    return (here.st_size, here.st_mtime_ns, here.st_mode) == (there.st_size, there.st_mtime_ns, there.st_mode)


def stage(destination: Path) -> None:
    """Makes the destination equal to the tree.

    Args:
        destination: Folder of the collection; it is made if it is not there.
    """
    names = tracked_files()
    for name in names:
        source, copy = SOURCE / name, destination / name
        if not same(source, copy):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)
    remove_others(destination, set(names))


def remove_others(destination: Path, names: set[str]) -> None:
    """Removes what the tree does not have, and folders that are empty then."""
    for folder, _folders, files in os.walk(destination, topdown=False):
        inside = Path(folder).relative_to(destination)
        if inside.as_posix().startswith(NOT_OURS):
            continue
        for file in files:
            if (inside / file).as_posix() not in names:
                (destination / inside / file).unlink()
        if not os.listdir(folder):
            os.rmdir(folder)


if __name__ == "__main__":
    stage(Path(sys.argv[1]))
