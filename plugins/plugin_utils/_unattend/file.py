# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer file on the disk: read whole, and replaced whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import time
from pathlib import Path

from .._core.errors import ActivationError
from .._core.files import MIB, read_file, real_path

# Answer files have some ten kilobytes.
LARGEST = 4 * MIB


def read(path: str) -> bytes:
    """What a file holds.

    Raises:
        ActivationError: It can't be read, or is no answer file by its size alone.
    """
    try:
        return read_file(path, LARGEST)
    except OSError as error:
        raise ActivationError(f"{path} can't be read on the control node: {error.strerror}.", source="options") from error


def check_writable(path: str) -> None:
    """Find out whether a file can be replaced, as check mode has to know without doing it.

    Raises:
        ActivationError: It can't.
    """
    target = real_path(path)
    if os.geteuid() not in (0, target.stat().st_uid):
        raise ActivationError(
            f"{path} can't be replaced: it belongs to another account on the control node, and only root could give the new file to that one.",
            source="options",
        )
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise ActivationError(
            f"{path} can't be replaced: this account may not write in its folder on the control node, where the new file is made before it"
            " takes the place of the old one.",
            source="options",
        )


def replace(path: str, old: bytes, new: bytes, backup: bool) -> str:
    """Put a file with the same mode, owner and extended attributes in its place.

    A link stays, and the file that it points to is replaced.

    Args:
        path: The file.
        old: What it held when it was read.
        new: What it is to hold.
        backup: Whether the old file is kept beside it.

    Returns:
        The name of the backup; empty where there is none.

    Raises:
        ActivationError: It has changed in the meantime, or the file system refused. The file is as it was.
    """
    target = real_path(path)
    temporary = ""
    try:
        known = target.stat()
        # Such a file has mode 0600 from the start, so that no key can be read by others before it has the mode of the old one.
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with open(handle, "wb") as file:
            file.write(new)
            file.flush()
            _like(file.fileno(), target, known)
            os.fsync(file.fileno())
        if read_file(target, LARGEST) != old:
            raise ActivationError(f"{path} was changed by somebody else since it was read; run the task again.", source="options")
        saved = _keep(target) if backup else ""
        os.replace(temporary, target)
        temporary = ""
        _settle(target.parent)
    except OSError as error:
        raise ActivationError(f"{path} can't be replaced on the control node: {error.strerror}.", source="options") from error
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
    return saved


def _like(descriptor: int, target: Path, known: os.stat_result) -> None:
    """Give an open file the owner, mode and extended attributes (ACL, SELinux) of another."""
    own = os.fstat(descriptor)
    if (own.st_uid, own.st_gid) != (known.st_uid, known.st_gid):
        os.fchown(descriptor, known.st_uid, known.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(known.st_mode))
    for name in os.listxattr(target):
        with contextlib.suppress(OSError):
            os.setxattr(descriptor, name, os.getxattr(target, name))


def _keep(target: Path) -> str:
    """A copy beside the file, named as Ansible names backups."""
    saved = target.with_name(f"{target.name}.{os.getpid()}.{time.strftime('%Y-%m-%d@%H:%M:%S~')}")
    # Nobody else may read it before it has the mode of the file.
    handle = os.open(saved, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "wb") as file:
        file.write(read_file(target, LARGEST))
        file.flush()
        _like(file.fileno(), target, target.stat())
        os.fsync(file.fileno())
    shutil.copystat(target, saved)
    return str(saved)


def _settle(folder: Path) -> None:
    """Have the new name on the disk as well, where the file system knows how: the file is replaced already."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
