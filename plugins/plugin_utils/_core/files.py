# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files on the control node: those that a user names, and those that are made beside them.

What is read is a regular file of bounded size: a FIFO would be waited for for ever, and a device has no end. What is made has mode 0600
from the start, and no link that somebody else has put there is followed.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from .codes.code import Code, CodeKind
from .errors import ActivationError

MIB = 1024 * 1024
LARGEST_CERTIFICATES = LARGEST_KEYTAB = 16 * MIB
"""Of a file of certificates, of which that of a whole operating system has a quarter of a megabyte; of a keytab or ticket cache."""

_KINDS = {stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
_MOST_LINKS = 40
_POLL = 0.05


def read_file(path: str | Path, largest: int, source: str = "options") -> bytes:
    """What a file holds.

    Args:
        path: The file.
        largest: How many bytes it may have.
        source: Who is said to have named it, see C(ActivationError).

    Raises:
        OSError: It can't be read, or is a folder.
        ActivationError: It is no regular file, or larger.
    """
    with _opened(path, largest, source) as file:
        # In pieces, because what is asked for takes memory however short the file is.
        content = b"".join(islice(iter(lambda: file.read(MIB), b""), largest // MIB + 1))
    if len(content) > largest:
        raise _too_large(path, largest, source)
    return content


def begins_with(path: Path, start: bytes, largest: int, source: str = "options") -> bool:
    """Whether a file begins with some bytes; see C(read_file) for the rest."""
    with _opened(path, largest, source) as file:
        return file.read(len(start)) == start


def check_file(path: str | Path, largest: int) -> None:
    """The same for a file that a library opens by its name.

    Raises:
        OSError: There is none, or it is a folder.
        ActivationError: It is no regular file, or larger.
    """
    _check(os.stat(path), path, largest, "options")


def real_path(path: str | Path) -> Path:
    """The file that a path leads to. A symbolic link in its place is followed where this account has made it, or root.

    Raises:
        ActivationError: Another account has made it, so that this account would write where that one likes.
    """
    place = Path(path)
    for _link in range(_MOST_LINKS):
        try:
            found = place.lstat()
            if not stat.S_ISLNK(found.st_mode):
                break
            target = place.readlink()
        except OSError:
            break
        if found.st_uid not in (0, os.geteuid()):
            raise ActivationError(
                f"{place} is a symbolic link that another account has made, and is not followed; give the path of the file itself.",
                source="options",
            )
        place = place.parent / target
    return Path(os.path.realpath(path))


def check_replaceable(path: Path) -> None:
    """Find out whether a new file may take the place of what is there; a link gives way itself, and not what it leads to.

    Raises:
        OSError: There is nothing.
        ActivationError: It is no regular file, or one of another account.
    """
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        what = ""
    elif not stat.S_ISREG(found.st_mode):
        what = _kind(found)
    else:
        what = "" if found.st_uid in (os.geteuid(), owner_of_new_files(path.parent, found.st_uid)) else "a file of another account"
    if what:
        raise ActivationError(f"{path} is {what}, and stays; give the path of a new file.", source="options")


def open_own(path: Path, what: str = "lock file") -> int:
    """A file of our own, which is made where there is none. Its content stays.

    Args:
        path: The file.
        what: What it is, for people.

    Returns:
        The handle, for reading and writing.

    Raises:
        OSError: The folder can't be written.
        ActivationError: There is something else by that name: a link, no regular file, or a file of another account.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        found = None
    # A device is not opened, not even to look at it.
    if found is not None and not stat.S_ISREG(found.st_mode):
        raise _not_own(path, what, "a symbolic link" if stat.S_ISLNK(found.st_mode) else _kind(found))
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, 0o600)
    except OSError as failure:
        if failure.errno == errno.ELOOP:
            raise _not_own(path, what, "a symbolic link") from None
        raise
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise _not_own(path, what, _kind(found))
        if found.st_nlink > 1:
            raise _not_own(path, what, "a file with another name beside this one (hard link)")
        if found.st_uid not in (os.geteuid(), owner_of_new_files(path.parent, found.st_uid)):
            raise _not_own(path, what, "a file of another account")
    except BaseException:
        os.close(handle)
        raise
    return handle


def lock(handle: int, seconds: float) -> bool:
    """Lock an open file until it is closed; returns whether another process let go of it in time.

    Args:
        handle: The file.
        seconds: How long to wait.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL)
        else:
            return True


def replace_file(target: Path, data: bytes, between: Callable[[], None] = lambda: None) -> None:
    """Put a new file of mode 0600 in the place of another one, whole or not at all, also when the power fails.

    Args:
        target: The file. A link in its place gives way itself.
        data: What it holds.
        between: Called when the new file is on the disk and the old one still in its place.

    Raises:
        OSError: The folder can't be written, or the disk is full. The file is as it was.
    """
    written = write_beside(target, data)
    try:
        between()
        os.replace(written, target)
    except BaseException:
        Path(written).unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def remove_left(target: Path) -> None:
    """Remove temporary files of runs that were killed; only while nobody else writes the file."""
    for left in target.parent.glob(f".{glob.escape(target.name)}.*.tmp"):
        with suppress(OSError):
            left.unlink()


def write_beside(target: Path, data: bytes) -> str:
    """A temporary file in the same folder that is on the disk, readable for its owner only; returns its path.

    Raises:
        OSError: The folder can't be written, or the disk is full. Nothing is left of it.
    """
    handle, path = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        Path(path).unlink(missing_ok=True)
        raise
    return path


def owner_of_new_files(folder: Path, found: int) -> int:
    """Who is the owner of what this account makes in a folder: on FAT and on network drives it may be another account."""
    if found == os.geteuid():
        return found
    handle, path = tempfile.mkstemp(prefix=".owner.", dir=folder)
    try:
        return os.fstat(handle).st_uid
    finally:
        os.close(handle)
        os.unlink(path)


def sync_folder(folder: Path) -> None:
    """Bring a rename to the disk; not every file system lets its folders be synchronised."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def busy(path: str | Path, seconds: float, process: str = "") -> ActivationError:
    """The error for a file that another run has locked for that long."""
    return ActivationError(
        f"{path} has been in use by another run{f' (process {process})' if process else ''} for {seconds:g} seconds;"
        " wait until that is over, and run this again.",
        source="file",
    )


def refused(path: str | Path, what: str, failure: OSError) -> ActivationError:
    """The error for a file that the system refuses, such as C(can't be written)."""
    name = errno.errorcode.get(failure.errno or 0, "")
    advice = {
        errno.ENOENT: "make its folder first",
        errno.ENOSPC: "make room on the disk",
        errno.EROFS: "the medium is read-only",
        errno.EISDIR: "give the path of a file",
        errno.ENOTDIR: "give the path of a file",
    }.get(failure.errno or 0, "see to the rights of the account that runs Ansible")
    code = Code(CodeKind.ERRNO, failure.errno or 0)
    return ActivationError(f"{path} {what}: {failure.strerror} ({name}); {advice}.", code=code, name=name, source="file")


@contextmanager
def _opened(path: str | Path, largest: int, source: str) -> Iterator[BinaryIO]:
    # Opening it may be too much already: that of a FIFO waits for somebody who writes, that of a device may set it going.
    _check(os.stat(path), path, largest, source)
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    with open(handle, "rb") as file:
        _check(os.fstat(handle), path, largest, source)
        yield file


def _check(found: os.stat_result, path: str | Path, largest: int, source: str) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise ActivationError(f"{path} is {_kind(found)}, and is not read; give the path of a regular file.", source=source)
    if found.st_size > largest:
        raise _too_large(path, largest, source)


def _kind(found: os.stat_result) -> str:
    return _KINDS.get(stat.S_IFMT(found.st_mode), "a folder" if stat.S_ISDIR(found.st_mode) else "no regular file")


def _too_large(path: str | Path, largest: int, source: str) -> ActivationError:
    return ActivationError(
        f"{path} is larger than {largest // MIB} MiB, the most that such a file may have; give the path of another one.", source=source
    )


def _not_own(path: Path, what: str, found: str) -> ActivationError:
    return ActivationError(
        f"{path} is {found}, and not the {what} that this account has made. Nothing was written; remove it, or give a path in a folder"
        " that only this account can write.",
        source="file",
    )
