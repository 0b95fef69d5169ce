# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that a computer list is kept in: never half written, never written by two at once, with backups."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from .._core.errors import ActivationError
from .._core.files import MIB, busy, lock, open_own, read_file, real_path, refused, remove_left, replace_file
from .backups import Backups, Runs, noted
from .model import Document, FullList, ListedComputer, utc_now
from .one_computer import computer_in
from .reading import of_kind_full, parse
from .writing import render

VAULT = b"$ANSIBLE_VAULT;"
"""What an encrypted file begins with."""

LARGEST = 64 * MIB
"""Bytes of a list, which is some 70,000 computers."""
# What Ansible Vault encrypts is written as hexadecimal digits of hexadecimal digits, with a line feed behind every 80.
_LARGEST_FILE = 4 * LARGEST + 4 * MIB


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
        path: The file. Where it is a symbolic link of this account or of root, the file that it leads to is written.
        cipher: Encrypts what is saved; C(None) leaves it readable.
        backups: How many backups C(save) leaves, the newest; they are named as GNU programs name them, C(file.~1~) and so on.
        run: What tells this run from others, so that it makes one backup however often its tasks save; empty where each C(locked)
            is a run of its own.

    Raises:
        ActivationError: The path is a symbolic link of another account.
    """

    def __init__(self, path: str, cipher: Cipher | None = None, backups: int = 20, run: str = "") -> None:
        self.path = str(Path(path).expanduser())
        self._real = real_path(self.path)
        self._cipher = cipher
        self._most = backups
        self._backups = Backups(self._real, backups)
        self._run = run
        self._runs: Runs | None = None
        self._backed_up = False
        self._sealed = False

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

    @property
    def plain_backups(self) -> int:
        """How many backups of it can be read without a password."""
        try:
            return len(self._backups.plain(VAULT, _LARGEST_FILE))
        except OSError as failure:
            raise refused(self.path, "has a backup that can't be read", failure) from failure

    def load(self) -> Document:
        """What the file holds.

        Raises:
            ActivationError: There is none, it can't be read or decrypted, or it holds something else.
        """
        return parse(self._content(), self.path)

    def computer(self, name: str) -> ListedComputer | None:
        """One computer of the full list that the file holds; C(None) where it is not in it.

        Raises:
            ActivationError: As C(load).
        """
        data = self._content()
        return computer_in(data, name) or of_kind_full(parse(data, self.path), self.path).computers.get(name)

    @contextmanager
    def locked(self, seconds: float = 60) -> Iterator[None]:
        """Nobody else saves meanwhile; temporary files of runs that were killed are removed.

        The first C(save) of a run makes a backup of what was there, and further ones make none.

        Args:
            seconds: How long to wait for another one.

        Raises:
            ActivationError: Another one holds it, or the folder can't be written.
        """
        try:
            handle = open_own(self._real.with_name(f".{self._real.name}.lock"))
        except OSError as failure:
            raise refused(self.path, "can't be locked", failure) from failure
        try:
            if not lock(handle, seconds):
                raise busy(self.path, seconds, noted(handle)[0])
            self._runs = Runs(handle, self._run)
            self._backed_up, self._sealed = self._runs.has_backup, False
            remove_left(self._real)
            yield
        finally:
            self._runs = None
            os.close(handle)

    def save(self, document: Document) -> None:
        """Write the document; within C(locked) only.

        Raises:
            ActivationError: The disk is full, the folder can't be written, or what else stands in the way. The file is as it was.
        """
        if self._runs is None:
            raise RuntimeError("save needs the lock")
        if isinstance(document, FullList):
            document.saved = utc_now()
        data = render(document)
        self._check_size(data)
        parse(data, self.path)
        try:
            if self._cipher and not self._sealed:
                self._backups.encrypt(self._backups.plain(VAULT, _LARGEST_FILE), self._cipher.encrypt, _LARGEST_FILE)
                self._sealed = True
            replace_file(self._real, self._cipher.encrypt(data) if self._cipher else data, self._back_up)
            self._backed_up = True
            self._runs.note()
        except OSError as failure:
            raise refused(self.path, "can't be written", failure) from failure

    def _content(self) -> bytes:
        data = self._bytes()
        if data.startswith(VAULT):
            if self._cipher is None:
                raise ActivationError(f"{self.path} is encrypted by Ansible Vault, and no password is given for it.", source="file")
            data = self._cipher.decrypt(data, self.path)
        self._check_size(data)
        return data

    def _bytes(self) -> bytes:
        try:
            return read_file(self._real, _LARGEST_FILE, "file")
        except FileNotFoundError:
            raise ActivationError(f"There is no file {self.path}; give the path of one that was saved before.", source="file") from None
        except OSError as failure:
            raise refused(self.path, "can't be read", failure) from failure

    def _check_size(self, data: bytes) -> None:
        """A list that could not be read again is not written either."""
        if not data.startswith(VAULT) and len(data) > LARGEST:
            raise ActivationError(
                f"{self.path} has more than {LARGEST // MIB} MiB, the most that a computer list may have; keep its computers in several lists.",
                source="file",
            )

    def _back_up(self) -> None:
        if self._most and not self._backed_up and self._real.exists():
            before = self._bytes()
            # What is readable does not stay beside what is encrypted in the same moment.
            self._backups.keep(self._cipher.encrypt(before) if self._cipher and _is_plain(before) else None)


def _is_plain(data: bytes) -> bool:
    """Whether everybody can read it who may read the file."""
    return not data.startswith(VAULT)
