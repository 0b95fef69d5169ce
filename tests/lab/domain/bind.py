# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS that is not integrated in Active Directory: a BIND, as the DNS team of a company runs it.

It serves fabrikam.com, which who has the key may update (RFC 8945), and static.fabrikam.com, which nobody may; for
the zones of Active Directory it asks the domain controllers.
"""

from __future__ import annotations

import ipaddress
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence

import dns.exception
import dns.message
import dns.query
import dns.rdatatype

from .. import names, processes
from ..layout import Layout
from . import programs
from .programs import DomainError

_READY_SECONDS = 30.0
_RELEASE_SECONDS = 3.0


class Bind:
    """A ``named`` on one address, of which it holds only what is below the lab's folder. Constructing it does nothing.

    ``forwards`` says who is asked about which other zones.
    """

    def __init__(self, layout: Layout, address: str = names.BIND_ADDRESS, forwards: Mapping[str, Sequence[str]] | None = None) -> None:
        self.layout = layout
        self.address = address
        self._forwards = forwards or {}
        self._folder = layout.bind
        self._log = layout.logs / "named.log"

    def start(self) -> None:
        """Start it with the zones of the first day; returns when it answers. Raises DomainError."""
        self.layout.create()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        # AppArmor, where it is at work, lets /usr/sbin/named write below /var alone; a copy is not confined.
        program = shutil.copy(programs.find("named"), self._folder / "named")
        (self._folder / "named.conf").write_text(self._configuration(), encoding="utf-8")
        for zone in names.BIND_ZONES:
            (self._folder / f"{zone}.zone").write_text(self._zone(zone), encoding="utf-8")
        self._take_address()
        argv = [str(program), "-g", "-n", "1", "-c", str(self._folder / "named.conf")]
        processes.spawn(argv, self.layout.bind_pid, self._log, self.layout.root)
        deadline = time.monotonic() + _READY_SECONDS
        while not self.answers():
            if processes.alive(self.layout.bind_pid) is None:
                raise DomainError(f"named ended:\n{processes.tail(self._log)}")
            if time.monotonic() > deadline:
                raise DomainError(f"named does not answer on {self.address} after {_READY_SECONDS:.0f} s")
            time.sleep(0.02)

    def answers(self) -> bool:
        """Whether it answers for its zones."""
        query = dns.message.make_query(names.BIND_ZONE, dns.rdatatype.SOA)
        try:
            # Over TCP nobody waits for an answer where nobody listens yet.
            return bool(dns.query.tcp(query, self.address, timeout=1).answer)
        except (OSError, dns.exception.DNSException):
            return False

    def stop(self) -> bool:
        """Stop it. False if it was not running."""
        # It would take its time to write zones that are not kept.
        stopped = processes.stop(self.layout.bind_pid, patience=0)
        give_back_address(self.layout)
        return stopped

    def reset(self) -> None:
        """Return its zones to their first day."""
        self.stop()
        self.start()

    def _take_address(self) -> None:
        """Give the loopback interface the address: named listens only on what an interface has."""
        listed = subprocess.run(["ip", "-o", "address", "show", "dev", "lo"], capture_output=True, text=True, check=False).stdout
        if f" {self.address}/" not in listed:
            _ip_address("add", self.address)
            self.layout.bind_address.write_text(self.address, encoding="ascii")
        deadline = time.monotonic() + _RELEASE_SECONDS
        while (trouble := self._port_taken()) and time.monotonic() < deadline:
            # One that was killed holds the port until the kernel has done with it.
            time.sleep(0.02)
        if trouble:
            raise DomainError(f"port 53 of {self.address} cannot be used: {trouble}. Is another lab running?")

    def _port_taken(self) -> str:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.address, 53))
            except OSError as error:
                return error.strerror or str(error)
        return ""

    def _configuration(self) -> str:
        key = names.TSIG_NAME
        lines = [
            f'options {{ directory "{self._folder}"; listen-on {{ {self.address}; }}; listen-on-v6 {{ none; }};',
            "  pid-file none; lock-file none; session-keyfile none; interface-interval 0;",
            "  recursion yes; dnssec-validation no; empty-zones-enable no; forward only; forwarders { }; };",
            "controls { };",
            f'key "{key}" {{ algorithm {names.TSIG_ALGORITHM}; secret "{names.TSIG_SECRET}"; }};',
        ]
        for zone in names.BIND_ZONES:
            policy = f'update-policy {{ grant "{key}" zonesub any; }}' if zone == names.BIND_ZONE else "allow-update { none; }"
            lines.append(f'zone "{zone}" {{ type primary; file "{zone}.zone"; {policy}; }};')
        for zone, addresses in self._forwards.items():
            forwarders = "".join(f"{address}; " for address in addresses)
            lines.append(f'zone "{zone}" {{ type forward; forward only; forwarders {{ {forwarders}}}; }};')
        return "\n".join([*lines, ""])

    def _zone(self, zone: str) -> str:
        server = f"ns.{names.BIND_ZONE}."
        rows = ["$TTL 3600", f"@ SOA {server} hostmaster.{names.BIND_ZONE}. 1 900 600 86400 60", f"@ NS {server}"]
        rows += [f"ns A {self.address}", f"static NS {server}"] if zone == names.BIND_ZONE else []
        return "\n".join([*rows, ""])


def give_back_address(layout: Layout) -> None:
    """Take the address from the interface again, if it was a lab in that folder that gave it."""
    if layout.bind_address.exists():
        address = layout.bind_address.read_text(encoding="ascii")
        layout.bind_address.unlink()
        _ip_address("delete", address)


def _ip_address(verb: str, address: str) -> None:
    network = f"{ipaddress.IPv4Address(address)}/32"
    done = subprocess.run(["ip", "address", verb, network, "dev", "lo"], capture_output=True, text=True, check=False)
    if done.returncode != 0 and verb == "add":
        raise DomainError(f"BIND needs {address} on the loopback interface (CAP_NET_ADMIN): {done.stderr.strip()}")
