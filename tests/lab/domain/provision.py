# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making the domain: Samba's databases with every account, and the keys of the hosts.

It takes ten seconds of computing, most of it for keys from passwords, and gives the same every time: what was made is kept
in ``build/cache`` and copied the next time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .. import names, processes
from ..layout import CACHE, Layout
from . import entries, keytab, programs, settings
from .programs import DomainError

_KEYTAB = "hosts.keytab"
_FOLDERS = ("run", "lock", "log", "ncalrpc", "cache")
_SOURCES = (__file__, entries.__file__, keytab.__file__, settings.__file__)


def make(layout: Layout, address: str, machines: Sequence[names.Machine]) -> None:
    """Put a domain that was never started into ``layout.domain``, and the hosts' keytab beside it. Raises DomainError."""
    cached = CACHE / "lab-domain" / _digest(address, machines)
    if not cached.exists():
        _Provision(layout, address, machines).run()
        _keep(layout.domain, cached)
    else:
        shutil.copytree(cached, layout.domain, symlinks=True)
    tree = layout.samba
    (tree / "etc" / "smb.conf").write_text(settings.smb_conf(tree, address, layout.tls), encoding="utf-8")
    shutil.copy(tree / _KEYTAB, layout.keytab)


def _digest(address: str, machines: Sequence[names.Machine]) -> str:
    """What decides about the result: this code, the entries, the address and Samba's version."""
    version = subprocess.run([programs.find("samba"), "--version"], capture_output=True, check=False).stdout
    texts = [address, names.ADMINISTRATOR_PASSWORD, entries.domain_entries(machines), entries.dns_entries(machines)]
    parts = [*(Path(source).read_bytes() for source in _SOURCES), version, *(text.encode() for text in texts)]
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:20]


def _keep(tree: Path, cached: Path) -> None:
    cached.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cached.parent) as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(tree, copy, symlinks=True)
        # If another lab was quicker, its copy is as good.
        if not cached.exists():
            copy.rename(cached)


class _Provision:
    def __init__(self, layout: Layout, address: str, machines: Sequence[names.Machine]) -> None:
        self._layout = layout
        self._address = address
        self._machines = machines
        self._smb_conf = layout.samba / "etc" / "smb.conf"

    def run(self) -> None:
        tree = self._layout.samba
        self._provision(tree)
        for folder in _FOLDERS:
            (tree / folder).mkdir(exist_ok=True)
        self._smb_conf.write_text(settings.smb_conf(tree, self._address, self._layout.tls), encoding="utf-8")
        for text in (entries.domain_entries(self._machines), entries.dns_entries(self._machines)):
            self._call("ldbmodify", self._option, "-H", str(tree / "private" / "sam.ldb"), data=text)
        self._write_keys(tree)

    @property
    def _option(self) -> str:
        return f"--configfile={self._smb_conf}"

    def _provision(self, tree: Path) -> None:
        self._call(
            "samba-tool",
            "domain",
            "provision",
            f"--targetdir={tree}",
            f"--realm={names.REALM}",
            f"--domain={names.NETBIOS_DOMAIN}",
            "--server-role=dc",
            f"--host-name={names.DC_NAME}",
            f"--host-ip={self._address}",
            "--dns-backend=SAMBA_INTERNAL",
            f"--adminpass={names.ADMINISTRATOR_PASSWORD}",
            "--option=vfs objects=dfs_samba4 acl_xattr",
            # Without these the machine's own IPv6 address gets an AAAA record beside the A record.
            f"--option=interfaces={self._address}/8",
            "--option=bind interfaces only=yes",
            f"--option=log file={tree}/provision.log",
        )

    def _write_keys(self, tree: Path) -> None:
        exported = tree / "exported.keytab"
        self._call("samba-tool", "domain", "exportkeytab", str(exported), self._option)
        keys = keytab.for_services(exported.read_bytes(), self._machines)
        exported.unlink()
        (tree / _KEYTAB).touch(mode=0o600)
        (tree / _KEYTAB).write_bytes(keys)

    def _call(self, name: str, *arguments: str, data: str | None = None) -> None:
        log_file = self._layout.logs / "provision.log"
        with log_file.open("a", encoding="utf-8") as log:
            done = subprocess.run(
                [programs.find(name), *arguments],
                input=data,
                stdin=subprocess.DEVNULL if data is None else None,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=self._layout.root,
                env={**os.environ, "KRB5_CONFIG": str(self._layout.krb5_conf)},
                check=False,
            )
        if done.returncode != 0:
            raise DomainError(f"{name} ended with {done.returncode}:\n{processes.tail(log_file, 8)}")
