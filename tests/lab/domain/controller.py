# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The domain controller's life: made, started, waited for, returned to fresh, stopped."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Sequence
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rdatatype

from .. import names, processes
from ..layout import Layout
from ..wsman import certificates
from . import programs, provision, settings
from .programs import DomainError, missing_programs

__all__ = ["Domain", "DomainError", "missing_programs"]

_PORTS = (53, 88, 389)
_READY_SECONDS = 60.0


class Domain:
    """contoso.com on one Samba domain controller.

    ``address`` is a loopback address; every port is bound on it alone, so several domains can live on one machine.
    Constructing it does nothing.
    """

    def __init__(self, layout: Layout, address: str = names.DC_ADDRESS) -> None:
        self.layout = layout
        self.address = address

    @property
    def smb_conf(self) -> Path:
        """Samba's configuration file."""
        return self.layout.samba / "etc" / "smb.conf"

    @property
    def ldapi(self) -> str:
        """URL of the socket on which root reads and writes the directory as the system itself, past every ACL."""
        path = str(self.layout.samba / "private" / "ldap_priv" / "ldapi")
        return "ldapi://" + path.replace("/", "%2F")

    def provision(self, machines: Sequence[names.Machine]) -> None:
        """Make the domain with its accounts, A records, keytab, certificates and krb5.conf; nothing is started.

        Raises DomainError.
        """
        if os.geteuid() != 0:
            raise DomainError("the domain controller needs root: it listens on ports 53, 88 and 389")
        if missing := missing_programs():
            raise DomainError(f"install the Debian packages {' '.join(missing)}")
        self._check_ports()
        self.layout.create()
        shutil.rmtree(self.layout.domain, ignore_errors=True)
        shutil.rmtree(self.layout.fresh_domain, ignore_errors=True)
        self.layout.krb5_conf.write_text(settings.krb5_conf(self.address), encoding="utf-8")
        # Samba would make RSA keys of its own at its first start, and at the first one after every reset, for seconds.
        everyone = [(names.DC_FQDN, self.address), *((machine.fqdn, machine.address) for machine in machines)]
        certificates.create(self.layout.tls, [name for name, _address in everyone], [address for _name, address in everyone])
        provision.make(self.layout, self.address, machines)
        shutil.copytree(self.layout.domain, self.layout.fresh_domain, symlinks=True)

    def start(self) -> None:
        """Start Samba as a daemon; returns at once. Raises DomainError if the address is taken."""
        self._check_ports()
        processes.spawn(
            [programs.find("samba"), "-i", "-M", "single", "-s", str(self.smb_conf)],
            self.layout.domain_pid,
            self.layout.logs / "samba.log",
            self.layout.root,
            {"KRB5_CONFIG": str(self.layout.krb5_conf)},
        )

    def _check_ports(self) -> None:
        for port in _PORTS:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((self.address, port))
                except OSError as error:
                    raise DomainError(f"port {port} of {self.address} cannot be used: {error.strerror}. Is another lab running?") from error

    def wait_ready(self, seconds: float = _READY_SECONDS) -> None:
        """Wait until LDAP, Kerberos and DNS answer. Raises DomainError when they do not in time."""
        deadline = time.monotonic() + seconds
        while not self.answers():
            if processes.alive(self.layout.domain_pid) is None:
                raise DomainError(f"samba ended:\n{processes.tail(self.layout.logs / 'samba.log')}")
            if time.monotonic() > deadline:
                raise DomainError(f"the domain controller does not answer on {self.address} after {seconds:.0f} s")
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether the KDC and LDAP accept connections and DNS knows the domain controller."""
        try:
            for port in _PORTS:
                socket.create_connection((self.address, port), timeout=1).close()
            query = dns.message.make_query(names.DC_FQDN, dns.rdatatype.A)
            return bool(dns.query.udp(query, self.address, timeout=1).answer)
        except (OSError, dns.exception.DNSException):
            return False

    def stop(self) -> bool:
        """Stop Samba. False if it was not running."""
        return processes.stop(self.layout.domain_pid)

    def reset(self) -> None:
        """Return the directory and DNS to what they were before the first start: every change since then is gone.

        The databases are put back and Samba is started again, which takes less than a second.
        """
        self.stop()
        for part in ("private", "state"):
            shutil.rmtree(self.layout.domain / part)
            shutil.copytree(self.layout.fresh_domain / part, self.layout.domain / part, symlinks=True)
        self.start()
        self.wait_ready()
