# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kerberos tickets for many hosts from one process: one for each account, in a collection of caches that only this process uses.

The winrm plugin gets a ticket for each connection and names its cache in the environment of the process, which threads share.
In a collection, GSSAPI finds the cache by the account.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .._wsman.transport import log_on


class Tickets:
    """A folder of ticket caches, of the type DIR of MIT Kerberos."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    def get(self, plugin: t.Any, host: str, user: str, password: str) -> None:
        """A ticket for an account, by one logon.

        Args:
            plugin: The winrm plugin with the options of a host of that account.
            host: That host.
            user: The principal.
            password: Its password.

        Raises:
            LogonRejected: The domain does not accept the account.
            ActivationError: There is no ticket for another reason.
        """
        cache = log_on(plugin, host, user, password)
        self._number += 1
        shutil.copyfile(cache, self._folder / f"tkt{self._number}")
        if self._number == 1:
            (self._folder / "primary").write_text("tkt1\n", encoding="ascii")


@contextmanager
def collection() -> Iterator[Tickets]:
    """Within it, GSSAPI in this process takes its tickets from the collection."""
    before = os.environ.get("KRB5CCNAME")
    # Such a folder has mode 0700.
    with tempfile.TemporaryDirectory(prefix="volume-activation-") as folder:
        tickets = Tickets(Path(folder))
        os.environ["KRB5CCNAME"] = f"DIR:{folder}"
        try:
            yield tickets
        finally:
            os.environ.pop("KRB5CCNAME")
            if before is not None:
                os.environ["KRB5CCNAME"] = before
