# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the files of a running lab are: everything below one folder, ``build/lab`` by default."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import names

TESTS = Path(__file__).resolve().parents[1]
DEFAULT_ROOT = TESTS.parent / "build" / "lab"
CACHE = TESTS.parent / "build" / "cache"

# sun_path holds 108 bytes on Linux, and samba puts sockets such as private/ldap_priv/ldapi and msg.sock/<pid> below its folders.
_LONGEST_SOCKET_ROOT = 58


@dataclass(frozen=True)
class Layout:
    """The paths of one lab. ``root`` is absolute and resolved."""

    root: Path

    @classmethod
    def at(cls, root: str | os.PathLike[str] | None = None) -> Layout:
        """The layout below a folder, which need not exist yet."""
        return cls(Path(root if root is not None else DEFAULT_ROOT).resolve())

    def tree(self, controller: str = names.DC_NAME) -> Path:
        """Samba's tree of a domain controller, by its key."""
        return self.root / controller

    def fresh_tree(self, controller: str = names.DC_NAME) -> Path:
        """A copy of Samba's tree from before its first start, for reset."""
        return self.root / f"{controller}.fresh"

    def short_tree(self, controller: str = names.DC_NAME) -> Path:
        """Samba's tree by a path that is short enough for the sockets in it."""
        return self.short / controller

    def samba_pid(self, controller: str = names.DC_NAME) -> Path:
        """Samba's pid file."""
        return self.root / f"{controller}.pid"

    def controllers(self) -> list[str]:
        """The keys of the domain controllers of which there is a tree or a pid file, whatever lab it was that had them."""
        found = [*self.root.glob("*dc[0-9]"), *self.root.glob("*dc[0-9].pid"), *self.root.glob("*dc[0-9].fresh")]
        return sorted({path.name.partition(".")[0] for path in found})

    @property
    def domain(self) -> Path:
        """The tree of the first domain controller."""
        return self.tree()

    @property
    def fresh_domain(self) -> Path:
        """Its copy from before its first start."""
        return self.fresh_tree()

    @property
    def logs(self) -> Path:
        """What the daemons print."""
        return self.root / "log"

    @property
    def krb5_conf(self) -> Path:
        """The Kerberos configuration, for ``KRB5_CONFIG``."""
        return self.root / "krb5.conf"

    @property
    def hosts(self) -> Path:
        """Names of the domain controllers, which they see as ``/etc/hosts`` when there are two."""
        return self.root / "hosts"

    @property
    def keytab(self) -> Path:
        """Keys of the Windows hosts' services, for a Kerberos acceptor."""
        return self.root / "hosts.keytab"

    @property
    def ntlm_users(self) -> Path:
        """``DOMAIN:USER:PASSWORD`` lines, for ``NTLM_USER_FILE``."""
        return self.root / "ntlm_users"

    @property
    def tls(self) -> Path:
        """``ca.pem`` for clients; certificate and key of every host for the lab's own listeners."""
        return self.root / "tls"

    @property
    def inventory(self) -> Path:
        """The Ansible inventory."""
        return self.root / "inventory.yml"

    @property
    def addresses(self) -> Path:
        """The addresses of the machines, to be put behind an inventory of another origin."""
        return self.root / "addresses.yml"

    @property
    def env(self) -> Path:
        """Shell exports for whoever talks to the lab."""
        return self.root / "env"

    @property
    def requests(self) -> Path:
        """The request log, one JSON object a line."""
        return self.root / "requests.jsonl"

    @property
    def microsoft(self) -> Path:
        """``ca.pem`` and the certificate of the lab's Microsoft."""
        return self.root / "microsoft"

    @property
    def microsoft_log(self) -> Path:
        """What Microsoft was asked, one JSON object a line."""
        return self.root / "microsoft.jsonl"

    @property
    def options(self) -> Path:
        """How ``up`` was called."""
        return self.root / "lab.json"

    @property
    def domain_pid(self) -> Path:
        """The pid file of the first domain controller."""
        return self.samba_pid()

    @property
    def bind(self) -> Path:
        """BIND's configuration, zones and journals."""
        return self.root / "bind"

    @property
    def bind_pid(self) -> Path:
        """BIND's pid file."""
        return self.root / "named.pid"

    @property
    def bind_address(self) -> Path:
        """The address that the loopback interface was given for BIND."""
        return self.root / "bind_address"

    @property
    def simulator_pid(self) -> Path:
        """The simulator's pid file."""
        return self.root / "simulator.pid"

    @property
    def control_socket(self) -> Path:
        """The control channel's socket, by a path that is short enough for one."""
        return self.short / "control.sock"

    @property
    def samba(self) -> Path:
        """The tree of the first domain controller by its short path."""
        return self.short_tree()

    @property
    def short(self) -> Path:
        """``root``, or a symbolic link to it in a private folder if its path is too long for a Unix socket."""
        if len(os.fsencode(self.root)) <= _LONGEST_SOCKET_ROOT:
            return self.root
        pointer = self.root / "short_path"
        return Path(pointer.read_text(encoding="utf-8")) if pointer.exists() else self.root

    def create(self) -> None:
        """Make the folder and, where the path is long, the short way to it."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)
        if len(os.fsencode(self.root)) <= _LONGEST_SOCKET_ROOT or self.short.is_symlink():
            return
        link = Path(tempfile.mkdtemp(prefix="lab-")) / "r"
        link.symlink_to(self.root, target_is_directory=True)
        (self.root / "short_path").write_text(str(link), encoding="utf-8")

    def remove_short(self) -> None:
        """Remove the short way, if there is one."""
        pointer = self.root / "short_path"
        if not pointer.exists():
            return
        link = Path(pointer.read_text(encoding="utf-8"))
        pointer.unlink()
        if link.is_symlink():
            link.unlink()
            shutil.rmtree(link.parent, ignore_errors=True)
