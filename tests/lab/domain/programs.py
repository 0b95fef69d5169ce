# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that the domain and its witnesses are made of, and how they are run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from .. import names, processes
from ..layout import Layout

PROGRAMS = {
    "samba": "samba-ad-dc",
    "samba-tool": "samba",
    "samba_kcc": "samba-ad-dc",
    "ldbmodify": "ldb-tools",
    "ldbsearch": "ldb-tools",
    "kinit": "krb5-user",
    "dig": "bind9-dnsutils",
    "named": "bind9",
}
"""Programs, and the Debian package of each."""


def as_administrator(realm: names.Realm = names.CONTOSO) -> str:
    """The option by which samba-tool logs on as the domain's administrator."""
    return f"--username={realm.netbios}\\{names.ADMINISTRATOR}%{realm.password(names.ADMINISTRATOR)}"


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


def with_hosts(hosts: Path, argv: Sequence[str]) -> list[str]:
    """The command that runs another one which sees a file as ``/etc/hosts``; nobody else does. The process stays the same."""
    script = 'mount --bind "$0" /etc/hosts && exec "$@"'
    return ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", script, str(hosts), *argv]


def check_hosts() -> None:
    """Raises DomainError where :func:`with_hosts` cannot work."""
    done = subprocess.run(with_hosts(Path("/etc/hosts"), ["true"]), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DomainError(f"two domain controllers need mount namespaces (CAP_SYS_ADMIN): {done.stderr.strip()}")


def run(layout: Layout, argv: Sequence[str], data: str | None = None) -> None:
    """Run a program that makes the domain, and keep what it prints. Raises DomainError with its last lines."""
    log_file = layout.logs / "provision.log"
    with log_file.open("a", encoding="utf-8") as log:
        done = subprocess.run(
            argv,
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=layout.root,
            env={**os.environ, "KRB5_CONFIG": str(layout.krb5_conf)},
            check=False,
        )
    if done.returncode != 0:
        raise DomainError(f"{' '.join(argv[:3])} ended with {done.returncode}:\n{processes.tail(log_file, 8)}")
