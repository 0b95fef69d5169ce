# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A BIND that takes updates signed with GSS-TSIG by an account of the domain, and counts what it is asked.

Samba's own DNS server signs in a way that C(community.general.nsupdate) refuses (docs/facts/samba-and-bind.md#gss-tsig).
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import dns.query
import dns.rcode
import dns.tsigkeyring
import dns.update
from scale import bench

from lab import names
from lab.domain import keytab
from lab.layout import Layout

from . import directory

ZONE = "bench.contoso.com"
_NAMED = shutil.which("named", path="/usr/sbin:/usr/bin:/sbin:/bin")
_KEY, _SECRET = "bench-reset", "bGFiLWtleS1vZi10aGUtYmVuY2gtYWxvbmUtMjAyNg=="
_READY_SECONDS = 20.0

_CONFIGURATION = """
options {{
    directory "{folder}"; pid-file none; session-keyfile none; managed-keys-directory "{folder}"; tkey-gssapi-keytab "{keytab}";
    listen-on {{ {address}; }}; listen-on-v6 {{ none; }};
    recursion no; dnssec-validation no; notify no; allow-transfer {{ none; }}; max-records-per-type 0;
}};
controls {{ }};
statistics-channels {{ inet 127.0.0.1 port {port} allow {{ 127.0.0.1; }}; }};
key {key} {{ algorithm hmac-sha256; secret "{secret}"; }};
zone {zone} {{ type primary; file "{zone}.zone"; update-policy {{ grant {key} zonesub ANY; grant {user} zonesub ANY; }}; }};
zone {parent} {{ type primary; file "{parent}.zone"; }};
"""
_ZONE = """
$TTL 300
@ SOA {host}. admin.{host}. 1 3600 600 86400 60
@ NS {host}.
{more}
"""


def lacking() -> str:
    """Why there can be no name server here; empty where there can."""
    return "" if _NAMED else "the records need the Debian package bind9"


@dataclass
class NameServer:
    """One that runs.

    Attributes:
        folder: Its files, and C(resolv.conf) by which programs ask it alone.
        address: Where it listens.
        port: That of its statistics.
    """

    folder: Path
    address: str
    port: int
    _before: Counter[str] = field(default_factory=Counter)

    def counts(self) -> dict[str, int]:
        """Messages and connections since the last time."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/json/v1", timeout=10) as answer:
            told = json.load(answer)
        now = Counter(messages=sum(told["opcodes"].values()), connections=told["sockstats"].get("TCP4Accept", 0))
        before, self._before = self._before, now
        return {name: number - before[name] for name, number in now.items()}

    def delete(self, names: Sequence[str]) -> None:
        """Delete names of the zone, whatever they hold.

        Raises:
            RuntimeError: The server refuses it.
        """
        keys = dns.tsigkeyring.from_text({_KEY: _SECRET})
        update = dns.update.UpdateMessage(ZONE, keyring=keys, keyname=_KEY, keyalgorithm="hmac-sha256")
        for name in names:
            update.delete(name)
        answer = dns.query.tcp(update, self.address, timeout=10)
        if answer.rcode() != dns.rcode.NOERROR:
            raise RuntimeError(f"the name server refuses to delete: {dns.rcode.to_text(answer.rcode())}")

    def within(self, command: Sequence[str]) -> list[str]:
        """A command that has this server as the only one of its machine."""
        mount = f'mount --bind {self.folder / "resolv.conf"} /etc/resolv.conf && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", mount, "sh", *command]


@contextmanager
def running(folder: Path, layout: Layout) -> Iterator[NameServer]:
    """A name server meanwhile, by the name and with the Kerberos key of the domain's machine.

    Args:
        folder: For its files.
        layout: That of the domain.

    Raises:
        RuntimeError: It does not start.
    """
    host, address = directory.MACHINE.fqdn, directory.MACHINE.address
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # BIND listens only on addresses that an interface has; the network is this process's own.
    subprocess.run(["ip", "address", "replace", f"{address}/8", "dev", "lo"], check=True)
    keys = [entry for entry in keytab.parse(layout.keytab.read_bytes()) if entry.components[0] == "HTTP"]
    (folder / "dns.keytab").write_bytes(keytab.serialize([replace(entry, components=("DNS", host)) for entry in keys]))
    (folder / "resolv.conf").write_text(f"nameserver {address}\n", encoding="ascii")
    (folder / f"{ZONE}.zone").write_text(_ZONE.format(host=host, more=""), encoding="ascii")
    addresses = "\n".join(f"{name}. A {found}" for name, found in ((host, address), (names.DC_FQDN, names.DC_ADDRESS)))
    (folder / f"{names.ZONE}.zone").write_text(_ZONE.format(host=host, more=addresses), encoding="ascii")
    port = bench.free_port()
    user = directory.USER.replace("@", "\\@")
    (folder / "named.conf").write_text(
        _CONFIGURATION.format(
            folder=folder,
            keytab=folder / "dns.keytab",
            address=address,
            port=port,
            key=_KEY,
            secret=_SECRET,
            zone=ZONE,
            user=user,
            parent=names.ZONE,
        ),
        encoding="ascii",
    )
    log = folder / "named.log"
    with log.open("w") as output:
        named = subprocess.Popen([str(_NAMED), "-g", "-n", "1", "-c", str(folder / "named.conf")], stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + _READY_SECONDS
        while not (_listens(address, 53) and _listens("127.0.0.1", port)):
            if named.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text(encoding="utf-8")[-2000:])
            time.sleep(0.05)
        yield NameServer(folder, address, port)
    finally:
        named.terminate()
        named.wait(10)


def _listens(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True
