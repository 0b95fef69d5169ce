# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks addresses by WS-Management Identify who they are, without an account, at a bounded rate.

Windows answers Identify without authentication where the request has the header WSMANIDENTIFY (MS-WSMV 3.1.4.1.23), and keeps its own version
to itself then.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from .._core.errors import ActivationError
from .._wsman import envelope, response, service
from . import http

_VENDOR = "microsoft"
_HEADERS = {
    "Content-Type": "application/soap+xml;charset=UTF-8",
    "WSMANIDENTIFY": "unauthenticated",
    "User-Agent": "winops.volume_activation",
}


@dataclass(frozen=True, slots=True)
class WinrmEndpoint:
    """A port that answers as WinRM.

    Attributes:
        address: The IP address.
        port: The TCP port.
        scheme: C(http) or C(https).
        vendor: What it says who made it.
        product: Its version as it came, such as C(OS: 0.0.0 SP: 0.0 Stack: 3.0).
        stack: The version of WinRM in it, such as C(3.0); empty where it names none.
    """

    address: str
    port: int
    scheme: str
    vendor: str
    product: str
    stack: str


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast it goes.

    Attributes:
        parallel: How many connections there are at the same time.
        rate: How many begin in a second at most.
        timeout: Seconds for one of them, from the first packet to the last.
        time_limit: Seconds for all of them.
    """

    parallel: int
    rate: float
    timeout: float
    time_limit: float

    def longest(self, count: int) -> float:
        """Seconds after which so many connections are over even if nobody answers."""
        return max(count / self.rate, count / self.parallel * self.timeout) + self.timeout


@dataclass(frozen=True, slots=True)
class Port:
    """A port to ask at every address."""

    number: int
    scheme: str


def scan(addresses: Sequence[str], ports: Sequence[Port], pace: Pace) -> list[WinrmEndpoint]:
    """Ask every address at every port.

    Returns:
        Those that answer as WinRM, in the order of C(addresses) and C(ports).

    Raises:
        ActivationError: It could take longer than the time limit. Nobody was asked then.
    """
    targets = [(address, port) for address in addresses for port in ports]
    longest = pace.longest(len(targets))
    if longest > pace.time_limit:
        raise ActivationError(
            f"wsman_scan: {len(addresses)} addresses could take {longest:.0f} s, and time_limit is {pace.time_limit:g} s: raise time_limit, rate or parallel,"
            " or lower timeout.",
            source="options",
        )
    return asyncio.run(_scan(targets, pace))


async def _scan(targets: Sequence[tuple[str, Port]], pace: Pace) -> list[WinrmEndpoint]:
    tls = http.any_tls()
    found: list[WinrmEndpoint | None] = [None] * len(targets)
    waiting = iter(enumerate(targets))
    turn = asyncio.Lock()
    clock = asyncio.get_running_loop()
    due = clock.time()

    async def work() -> None:
        nonlocal due
        while True:
            async with turn:
                # The pause is everybody's, so that however many workers there are the rate is one.
                if (delay := due - clock.time()) > 0:
                    await asyncio.sleep(delay)
                due = max(due, clock.time()) + 1 / pace.rate
                place, (address, port) = next(waiting, (-1, ("", Port(0, ""))))
            if place < 0:
                return
            found[place] = await _ask(address, port, tls, pace.timeout)

    await asyncio.gather(*(work() for _worker in range(min(pace.parallel, len(targets)))))
    return [endpoint for endpoint in found if endpoint]


async def _ask(address: str, port: Port, tls: ssl.SSLContext, timeout: float) -> WinrmEndpoint | None:
    """One address at one port; C(None) where nothing or something else answers."""
    request = envelope.identify_request()
    try:
        async with asyncio.timeout(timeout):
            status, body = await http.post(address, port.number, tls if port.scheme == "https" else None, _HEADERS, request.envelope)
        if status != 200:
            return None
        identity = service.parse_identity(response.parse_body(body, request.message_id, "Identify"))
    except Exception:
        # Whatever somebody in the network sends, in TLS, in HTTP or in XML, leaves out who sent it, and nobody else.
        return None
    if not identity.vendor.lower().startswith(_VENDOR):
        return None
    return WinrmEndpoint(address, port.number, port.scheme, identity.vendor, identity.product, identity.winrm_version)
