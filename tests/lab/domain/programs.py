# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that the domain and its witnesses are made of."""

from __future__ import annotations

import os
import shutil

PROGRAMS = {
    "samba": "samba-ad-dc",
    "samba-tool": "samba",
    "ldbmodify": "ldb-tools",
    "kinit": "krb5-user",
    "dig": "bind9-dnsutils",
}
"""Programs, and the Debian package of each."""


class DomainError(Exception):
    """The domain cannot be made or does not answer; the text says why and what would help."""


def find(name: str) -> str:
    """The path of a program; the sbin folders are searched too, whatever PATH says. Raises DomainError."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"]))
    if found is None:
        raise DomainError(f"the program {name} is missing: install the Debian package {PROGRAMS[name]}")
    return found


def missing_programs() -> list[str]:
    """Debian packages that are missing for the domain."""
    missing = []
    for name, package in PROGRAMS.items():
        try:
            find(name)
        except DomainError:
            missing.append(package)
    return missing
