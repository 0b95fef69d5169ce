# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The laboratory's domain, for what takes Kerberos, and no more of the laboratory. It needs root and Samba, and a network of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from integration.networks import leave_network

from lab import names, processes
from lab.domain.controller import Domain, missing_programs
from lab.layout import Layout

MACHINE = names.kms_hosts()[0]
"""The machine in whose name all canned hosts have their Kerberos services; the name of the DNS server, too."""
USER = f"{names.OPERATOR}@{names.REALM}"
PASSWORD = names.OPERATOR_PASSWORD


def lacking() -> str:
    """Why there can be no domain here; empty where there can."""
    if os.geteuid() != 0:
        return "the domain needs root"
    missing = missing_programs()
    return f"the domain needs the Debian packages {' '.join(missing)}" if missing else ""


@contextmanager
def running(folder: Path) -> Iterator[Domain]:
    """A domain meanwhile, in a network namespace that this process goes into and does not leave.

    Args:
        folder: For its files.

    Raises:
        OSError: There is no network namespace to be had.
    """
    if not leave_network():
        raise OSError("a network of its own can't be had")
    domain = Domain(Layout.at(folder))
    domain.provision([MACHINE])
    try:
        domain.start()
        domain.wait_ready()
        yield domain
    finally:
        domain.stop()
        processes.end(processes.members(domain.layout.root))
        domain.layout.remove_short()
