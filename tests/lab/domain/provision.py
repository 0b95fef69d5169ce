# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making the domain: Samba's databases with every account, and the keys of the hosts.

It takes ten seconds of computing, most of it for keys from passwords, as much again for a second controller, and gives the
same every time: what was made is kept in ``build/cache`` and copied the next time.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .. import names
from ..layout import CACHE
from . import entries, keytab, programs, replication, settings
from .daemon import Controller

_KEYTAB = "hosts.keytab"
_HOSTS = "hosts"
_SOURCES = (__file__, entries.__file__, keytab.__file__, replication.__file__, settings.__file__)


def make(controllers: Sequence[Controller], machines: Sequence[names.Machine], forwarder: str = "", zones: Sequence[str] = ()) -> None:
    """Put a domain that was never started into the controllers' trees. Raises DomainError.

    ``forwarder`` is the DNS server that the controllers ask about what they do not serve, ``zones`` are those beside the
    domain's own.
    """
    first, layout = controllers[0], controllers[0].layout
    cached = CACHE / "lab-domain" / _digest(controllers, machines, zones)
    if cached.exists():
        for folder in cached.iterdir():
            shutil.copytree(folder, layout.tree(folder.name), symlinks=True)
    else:
        if len(controllers) > 1:
            make(controllers[:1], machines, zones=zones)
            replication.join(*controllers)
            shutil.copy(layout.hosts, first.tree / _HOSTS)
        else:
            _Provision(first, machines, zones).run()
        _keep([layout.tree(controller.name.key) for controller in controllers], cached)
    for controller in controllers:
        settings.write(controller, forwarder)
    if len(controllers) > 1:
        shutil.copy(first.tree / _HOSTS, layout.hosts)


def write_keytab(controllers: Sequence[Controller]) -> None:
    """Write the keytab of all hosts, from what the first controller of each domain has. Raises KeytabError."""
    layout = controllers[0].layout
    keys = [keytab.parse((controller.tree / _KEYTAB).read_bytes()) for controller in controllers]
    layout.keytab.touch(mode=0o600)
    layout.keytab.write_bytes(keytab.serialize([entry for entries_of_one in keys for entry in entries_of_one]))


def _digest(controllers: Sequence[Controller], machines: Sequence[names.Machine], zones: Sequence[str]) -> str:
    """What decides about the result: this code, the entries, the addresses and Samba's version."""
    version = subprocess.run([programs.find("samba"), "--version"], capture_output=True, check=False).stdout
    first = controllers[0].name
    texts = [first.realm.password(names.ADMINISTRATOR), entries.domain_entries(first, machines, zones), entries.dns_entries(machines)]
    texts += [*(controller.address for controller in controllers), *zones]
    parts = [*(Path(source).read_bytes() for source in _SOURCES), version, *(text.encode() for text in texts)]
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:20]


def _keep(trees: Sequence[Path], cached: Path) -> None:
    cached.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cached.parent) as folder:
        copy = Path(folder) / "domain"
        for tree in trees:
            shutil.copytree(tree, copy / tree.name, symlinks=True)
        # If another lab was quicker, its copy is as good.
        if not cached.exists():
            copy.rename(cached)


class _Provision:
    def __init__(self, controller: Controller, machines: Sequence[names.Machine], zones: Sequence[str]) -> None:
        self._controller = controller
        self._machines = machines
        self._zones = zones

    def run(self) -> None:
        tree = self._controller.tree
        self._provision(tree)
        self._controller.make_folders()
        settings.write(self._controller)
        name = self._controller.name
        properties = self._zone_properties() if self._zones else []
        zones = "".join(entries.zone(zone, name.realm, name.fqdn, properties) for zone in self._zones)
        for text in (entries.domain_entries(name, self._machines, self._zones), zones + entries.dns_entries(self._machines)):
            self._call("ldbmodify", self._option, "-H", str(self._controller.database), data=text)
        self._write_keys(tree)

    def _zone_properties(self) -> list[str]:
        """What the domain's own zone has of dNSProperty, in base64."""
        base = self._controller.name.realm.zone_dn()
        argv = [programs.find("ldbsearch"), self._option, "-H", str(self._controller.database), "-s", "base", "-b", base, "dNSProperty"]
        printed = subprocess.run(argv, capture_output=True, text=True, check=False).stdout.replace("\n ", "")
        found = [line.partition(":: ")[2] for line in printed.splitlines() if line.startswith("dNSProperty::")]
        if not found:
            raise programs.DomainError(f"{base} has no dNSProperty to make other zones after")
        return found

    @property
    def _option(self) -> str:
        return f"--configfile={self._controller.smb_conf}"

    def _provision(self, tree: Path) -> None:
        self._call(
            "samba-tool",
            "domain",
            "provision",
            f"--targetdir={tree}",
            f"--realm={self._controller.name.realm.name}",
            f"--domain={self._controller.name.realm.netbios}",
            "--server-role=dc",
            f"--host-name={self._controller.name.label}",
            f"--host-ip={self._controller.address}",
            "--dns-backend=SAMBA_INTERNAL",
            f"--adminpass={self._controller.name.realm.password(names.ADMINISTRATOR)}",
            "--option=vfs objects=dfs_samba4 acl_xattr",
            # Without these the machine's own IPv6 address gets an AAAA record beside the A record.
            f"--option=interfaces={self._controller.address}/8",
            "--option=bind interfaces only=yes",
            f"--option=log file={tree}/provision.log",
        )

    def _write_keys(self, tree: Path) -> None:
        exported = tree / "exported.keytab"
        self._call("samba-tool", "domain", "exportkeytab", str(exported), self._option)
        keys = keytab.for_services(exported.read_bytes(), [machine for machine in self._machines if machine.member])
        exported.unlink()
        (tree / _KEYTAB).touch(mode=0o600)
        (tree / _KEYTAB).write_bytes(keys)

    def _call(self, name: str, *arguments: str, data: str | None = None) -> None:
        programs.run(self._controller.layout, [programs.find(name), *arguments], data)
