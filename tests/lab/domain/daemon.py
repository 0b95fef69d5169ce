# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One domain controller: its files, its process, and whether it answers."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.exception
import dns.message
import dns.query
import dns.rdatatype
import ldap

from .. import names, processes
from ..layout import Layout
from . import programs
from .programs import DomainError

_PORTS = (53, 88, 389)
_READY_SECONDS = 60.0
_PARTS = ("private", "state")
_FOLDERS = ("run", "lock", "log", "ncalrpc", "cache")


class Controller:
    """Samba on one loopback address; every port is bound on it alone. Constructing it does nothing.

    ``paired`` says that another controller replicates with it. Then Samba is a process for each service: in a single
    one, the replication would wait for a ticket from a KDC that is itself. And it gets an ``/etc/hosts`` of its own,
    because it looks up its partner by the machine's resolver.
    """

    def __init__(self, layout: Layout, name: names.Controller, paired: bool = False) -> None:
        self.layout = layout
        self.name = name
        self.paired = paired

    @property
    def address(self) -> str:
        """Where it listens."""
        return self.name.address

    @property
    def tree(self) -> Path:
        """Samba's tree by the path that Samba knows it by."""
        return self.layout.short_tree(self.name.key)

    @property
    def smb_conf(self) -> Path:
        """Samba's configuration file."""
        return self.tree / "etc" / "smb.conf"

    @property
    def database(self) -> Path:
        """The directory's database file; Samba's tools may use it while Samba runs."""
        return self.tree / "private" / "sam.ldb"

    @property
    def ldapi(self) -> str:
        """URL of the socket on which root reads and writes the directory as the system itself, past every ACL."""
        path = str(self.tree / "private" / "ldap_priv" / "ldapi")
        return "ldapi://" + path.replace("/", "%2F")

    @contextmanager
    def as_system(self) -> Iterator[Any]:
        """A python-ldap connection that is the system itself."""
        connection = ldap.initialize(self.ldapi)
        connection.set_option(ldap.OPT_REFERRALS, 0)
        try:
            # No bind: on this socket the system is who connects, and even an anonymous bind would give that up.
            yield connection
        finally:
            connection.unbind_s()

    def make_folders(self) -> None:
        """The folders that Samba expects and nobody makes."""
        for folder in _FOLDERS:
            (self.tree / folder).mkdir(exist_ok=True)

    def remove_sockets(self) -> None:
        """What a stopped Samba leaves and no copy can hold."""
        for path in self.layout.tree(self.name.key).rglob("*"):
            if path.is_socket():
                path.unlink()

    def start(self) -> None:
        """Start Samba as a daemon; returns at once. Raises DomainError if the address is taken."""
        self.check_ports()
        model = "standard" if self.paired else "single"
        argv = [programs.find("samba"), "-i", "-M", model, "-s", str(self.smb_conf)]
        processes.spawn(
            programs.with_hosts(self.layout.hosts, argv) if self.paired else argv,
            self.layout.samba_pid(self.name.key),
            self.log,
            self.layout.root,
            {"KRB5_CONFIG": str(self.layout.krb5_conf)},
        )

    @property
    def log(self) -> Path:
        """What Samba prints."""
        return self.layout.logs / f"{self.name.key}.log"

    def check_ports(self) -> None:
        """Raises DomainError if a port of the address is taken."""
        for port in _PORTS:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((self.address, port))
                except OSError as error:
                    raise DomainError(f"port {port} of {self.address} cannot be used: {error.strerror}. Is another lab running?") from error

    def is_running(self) -> bool:
        """Whether the process lives."""
        return processes.alive(self.layout.samba_pid(self.name.key)) is not None

    def wait_ready(self, seconds: float = _READY_SECONDS) -> None:
        """Wait until LDAP, Kerberos and DNS answer. Raises DomainError when they do not in time."""
        deadline = time.monotonic() + seconds
        while not self.answers():
            if not self.is_running():
                raise DomainError(f"samba ended:\n{processes.tail(self.log)}")
            if time.monotonic() > deadline:
                raise DomainError(f"the domain controller does not answer on {self.address} after {seconds:.0f} s")
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether the KDC and LDAP accept connections and DNS knows the domain controller."""
        try:
            for port in _PORTS:
                socket.create_connection((self.address, port), timeout=1).close()
            query = dns.message.make_query(self.name.fqdn, dns.rdatatype.A)
            return bool(dns.query.udp(query, self.address, timeout=1).answer)
        except (OSError, dns.exception.DNSException):
            return False

    def stop(self) -> bool:
        """Stop Samba. False if it was not running."""
        return processes.stop(self.layout.samba_pid(self.name.key))

    def restore(self) -> None:
        """Put back the databases of before the first start; Samba must not run."""
        for part in _PARTS:
            shutil.rmtree(self.layout.tree(self.name.key) / part)
            shutil.copytree(self.layout.fresh_tree(self.name.key) / part, self.layout.tree(self.name.key) / part, symlinks=True)
