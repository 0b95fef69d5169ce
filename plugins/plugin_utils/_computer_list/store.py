# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that a computer list is kept in: never half written, never written by two at once, with backups."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from .._errors import ActivationError
from .model import Document, FullList, utc_now
from .reading import parse
from .writing import render

VAULT = b"$ANSIBLE_VAULT;"
"""What an encrypted file begins with."""

_BACKUP = re.compile(r"\.~([0-9]+)~")
_POLL = 0.05


class Cipher(Protocol):
    """Encrypts and decrypts whole files."""

    def encrypt(self, data: bytes) -> bytes:
        """The content of the file."""

    def decrypt(self, data: bytes, path: str) -> bytes:
        """What was encrypted.

        Raises:
            ActivationError: The password is another one, or the file is damaged.
        """


class ListFile:
    """A computer list on disk.

    What is saved is either there whole or not at all, also when the power fails: it is written beside the file, brought to the
    disk, and takes the file's place by one rename. Whoever reads needs no lock.

    Args:
        path: The file. Where it is a symbolic link, the file that it leads to is written.
        cipher: Encrypts what is saved; C(None) leaves it readable.
        backups: How many backups C(save) leaves, the newest; they are named as GNU programs name them, C(file.~1~) and so on.
    """

    def __init__(self, path: str, cipher: Cipher | None = None, backups: int = 20) -> None:
        self.path = str(Path(path).expanduser())
        self._real = Path(os.path.realpath(self.path))
        self._cipher = cipher
        self._backups = backups
        self._backed_up = False
        self._held = False

    @property
    def exists(self) -> bool:
        """Whether there is such a file."""
        return self._real.exists()

    @property
    def encrypts(self) -> bool:
        """Whether what is saved will be encrypted."""
        return self._cipher is not None

    @property
    def encrypted(self) -> bool:
        """Whether the file that is there is encrypted."""
        return self._bytes().startswith(VAULT)

    def load(self) -> Document:
        """What the file holds.

        Raises:
            ActivationError: There is none, it can't be read or decrypted, or it holds something else.
        """
        data = self._bytes()
        if data.startswith(VAULT):
            if self._cipher is None:
                raise ActivationError(f"{self.path} is encrypted by Ansible Vault, and no password is given for it.", source="file")
            data = self._cipher.decrypt(data, self.path)
        return parse(data, self.path)

    @contextmanager
    def locked(self, seconds: float = 60) -> Iterator[None]:
        """Nobody else saves meanwhile; temporary files of runs that were killed are removed.

        The first C(save) within makes a backup of what was there, and further ones make none.

        Args:
            seconds: How long to wait for another one.

        Raises:
            ActivationError: Another one holds it, or the folder can't be written.
        """
        lock = self._real.with_name(f".{self._real.name}.lock")
        try:
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as failure:
            raise self._refused("can't be locked", failure) from failure
        try:
            self._wait(handle, seconds)
            os.ftruncate(handle, 0)
            os.write(handle, f"{os.getpid()}\n".encode())
            self._held, self._backed_up = True, False
            for left in self._real.parent.glob(f".{_escaped(self._real.name)}.*.tmp"):
                left.unlink(missing_ok=True)
            yield
        finally:
            self._held = False
            os.close(handle)

    def save(self, document: Document) -> None:
        """Write the document; within C(locked) only.

        Raises:
            ActivationError: The disk is full, the folder can't be written, or what else stands in the way. The file is as it was.
        """
        if not self._held:
            raise RuntimeError("save needs the lock")
        if isinstance(document, FullList):
            document.saved = utc_now()
        data = render(document)
        parse(data, self.path)
        try:
            self._replace(self._cipher.encrypt(data) if self._cipher else data)
        except OSError as failure:
            raise self._refused("can't be written", failure) from failure

    def _bytes(self) -> bytes:
        try:
            return self._real.read_bytes()
        except FileNotFoundError:
            raise ActivationError(f"There is no file {self.path}; give the path of one that was saved before.", source="file") from None
        except OSError as failure:
            raise self._refused("can't be read", failure) from failure

    def _replace(self, data: bytes) -> None:
        written = _written_beside(self._real, data)
        try:
            if self._backups and not self._backed_up and self._real.exists():
                self._back_up()
            os.replace(written, self._real)
        except BaseException:
            Path(written).unlink(missing_ok=True)
            raise
        _sync_folder(self._real.parent)
        self._backed_up = True

    def _back_up(self) -> None:
        """The content of before gets a second name; where the file system has no hard links (FAT), it is copied."""
        there = self._numbered()
        backup = self._real.with_name(f"{self._real.name}.~{max(there, default=0) + 1}~")
        try:
            os.link(self._real, backup)
        except OSError as failure:
            if failure.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS):
                raise
            os.replace(_written_beside(self._real, self._real.read_bytes()), backup)
        for number in sorted(there)[: max(0, len(there) + 1 - self._backups)]:
            there[number].unlink(missing_ok=True)

    def _numbered(self) -> dict[int, Path]:
        names = ((path, _BACKUP.fullmatch(path.name.removeprefix(self._real.name))) for path in self._real.parent.iterdir())
        return {int(found[1]): path for path, found in names if found and path.name.startswith(self._real.name)}

    def _wait(self, handle: int, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    holder = os.read(handle, 20).decode(errors="replace").strip()
                    raise ActivationError(
                        f"{self.path} has been in use by another run{f' (process {holder})' if holder else ''} for {seconds:g} seconds;"
                        " wait until that is over, and run this again.",
                        source="file",
                    ) from None
                time.sleep(_POLL)
            else:
                return

    def _refused(self, what: str, failure: OSError) -> ActivationError:
        name = errno.errorcode.get(failure.errno or 0, "")
        advice = {
            errno.ENOENT: "make its folder first",
            errno.ENOSPC: "make room on the disk",
            errno.EROFS: "the medium is read-only",
            errno.EISDIR: "give the path of a file",
            errno.ENOTDIR: "give the path of a file",
        }.get(failure.errno or 0, "see to the rights of the account that runs Ansible")
        return ActivationError(f"{self.path} {what}: {failure.strerror} ({name}); {advice}.", code=name, name=name, source="file")


def _written_beside(target: Path, data: bytes) -> str:
    """A temporary file in the same folder that is on the disk, readable for its owner only; returns its path."""
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


def _sync_folder(folder: Path) -> None:
    """Bring a rename to the disk; not every file system lets its folders be synchronised."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def _escaped(name: str) -> str:
    """A name in which nothing is a pattern."""
    return re.sub(r"([*?\[])", r"[\1]", name)
