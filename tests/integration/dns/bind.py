# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A BIND of a test's own: zones of which one takes signed updates, one any, one none, and two any beside a wildcard."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NAMED = shutil.which("named", path="/usr/sbin:/usr/bin:/sbin:/bin")

KEY_NAME, KEY_SECRET = "activation", "bGFiLWtleS1vZi10aGUtYWN0aXZhdGlvbi10ZXN0cw=="
OTHER_KEY, OTHER_SECRET = "stranger", "YW5vdGhlci1rZXktb2YtdGhlLXRlc3RzLW9ubHkuLi4="
SIGNED, OPEN, CLOSED = "signed.test", "open.test", "closed.test"
WILD, WILD_SERVICES = "wild.test", "services.wild.test"
"""Zones where any name is an alias, and where any service is offered."""
HOST = "ns1.signed.test"

_CONFIGURATION = """
options {{
    directory "{folder}"; pid-file none; session-keyfile none; managed-keys-directory "{folder}";
    listen-on port {port} {{ {address}; }}; listen-on-v6 {{ none; }};
    recursion no; dnssec-validation no; notify no; allow-transfer {{ none; }};
    max-records-per-type 0;
}};
controls {{ }};
key {key} {{ algorithm hmac-sha256; secret "{secret}"; }};
key {other} {{ algorithm hmac-sha256; secret "{other_secret}"; }};
zone {signed} {{ type primary; file "{signed}.zone"; update-policy {{ grant {key} {policy}; }}; }};
zone {open} {{ type primary; file "{open}.zone"; allow-update {{ any; }}; }};
zone {closed} {{ type primary; file "{closed}.zone"; }};
zone {wild} {{ type primary; file "{wild}.zone"; allow-update {{ any; }}; }};
zone {services} {{ type primary; file "{services}.zone"; allow-update {{ any; }}; }};
"""
_ZONE = """
$TTL 300
@ SOA {host}. admin.{zone}. 1 3600 600 86400 60
@ NS {host}.
ns1 A {address}
_vlmcs._tcp 900 SRV 0 0 1688 there.{zone}.
"""


@dataclass(frozen=True)
class Bind:
    """One that runs."""

    address: str
    port: int

    def nsupdate(self, *lines: str) -> None:
        """Change the signed zone, by BIND's own client."""
        text = "\n".join([f"server {self.address} {self.port}", f"zone {SIGNED}", *lines, "send", ""])
        argv = ["nsupdate", "-y", f"hmac-sha256:{KEY_NAME}:{KEY_SECRET}"]
        subprocess.run(argv, input=text, text=True, check=True, capture_output=True)


def _listens(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def bind_up(folder: Path, address: str, port: int = 53, policy: str = "zonesub ANY") -> Iterator[Bind]:
    """A BIND that answers, and is ended afterwards. The policy is what the key may do in the signed zone."""
    folder.mkdir(parents=True, exist_ok=True)
    # BIND listens only on addresses that an interface has; the network is this process's own.
    subprocess.run(["ip", "address", "replace", f"{address}/8", "dev", "lo"], check=True)
    for zone in (SIGNED, OPEN, CLOSED):
        (folder / f"{zone}.zone").write_text(_ZONE.format(zone=zone, host=HOST, address=address), encoding="ascii")
    for zone, line in ((WILD, "* CNAME web.fabrikam.com."), (WILD_SERVICES, "*._tcp 900 SRV 0 0 1688 kms-1.contoso.com.")):
        empty = _ZONE.format(zone=zone, host=HOST, address=address).partition("_vlmcs")[0]
        (folder / f"{zone}.zone").write_text(f"{empty}{line}\n", encoding="ascii")
    configuration = folder / "named.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder, address=address, port=port, key=KEY_NAME, secret=KEY_SECRET, other=OTHER_KEY, other_secret=OTHER_SECRET,
            signed=SIGNED, open=OPEN, closed=CLOSED, wild=WILD, services=WILD_SERVICES, policy=policy,
        ),
        encoding="ascii",
    )  # fmt: skip
    log = folder / "named.log"
    with log.open("w") as output:
        named = subprocess.Popen([str(NAMED), "-g", "-n", "1", "-c", str(configuration)], stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 60
        while not _listens(address, port):
            if named.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text(encoding="utf-8"))
            time.sleep(0.05)
        yield Bind(address, port)
    finally:
        named.terminate()
        named.wait(10)
