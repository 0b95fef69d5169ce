# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at one address: does a KMS host answer there. No client is counted by it."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from . import bind

DEFAULT_TIMEOUT = 5.0
_AT_ONCE = 64
MOST_TARGETS = 256
"""How many addresses are checked together. Whoever answers for a name decides how many it has, and each may be silent."""


class EndpointState(StrEnum):
    """What was found at an address."""

    ANSWERING = "answering"
    REFUSED = "refused"
    FILTERED = "filtered"
    UNREACHABLE = "unreachable"
    UNRESOLVED = "unresolved"
    NOT_KMS = "not_kms"
    NOT_PROBED = "not_probed"


@dataclass(frozen=True, slots=True)
class KmsEndpoint:
    """What was found.

    Attributes:
        host: The name, as it was given or stands in DNS.
        port: The TCP port.
        address: The IP address; empty where the name has none.
        state: What was found.
        detail: The same as a sentence, with what to do.
    """

    host: str
    port: int
    address: str
    state: EndpointState
    detail: str


def unresolved(host: str, port: int, who: str) -> KmsEndpoint:
    """The endpoint of a name that has no address; C(who) was asked, such as C(dc1.contoso.com)."""
    detail = f"{host} has no address in DNS (asked: {who}): register its host record, or correct the name."
    return KmsEndpoint(host, port, "", EndpointState.UNRESOLVED, detail)


def not_probed(host: str, address: str, port: int) -> KmsEndpoint:
    """The endpoint of a host that is one too many."""
    detail = f"TCP port {port} of {host} was not checked, because there are more than {MOST_TARGETS} to look at; check the record."
    return KmsEndpoint(host, port, address, EndpointState.NOT_PROBED, detail)


def probe(host: str, address: str, port: int, timeout: float = DEFAULT_TIMEOUT) -> KmsEndpoint:
    """Connect, bind the KMS interface, and hang up.

    Args:
        host: The name that the result shows.
        address: The IP address to connect to.
        port: The TCP port.
        timeout: Seconds for everything together.
    """
    where = f"TCP port {port} of {host}" + (f" ({address})" if address != host else "")
    deadline = time.monotonic() + timeout
    try:
        connection = socket.create_connection((address, port), timeout=timeout)
    except ConnectionRefusedError:
        detail = f"{where} refused the connection: start sppsvc on the KMS host and enable its firewall rule SPPSVC-In-TCP."
        return KmsEndpoint(host, port, address, EndpointState.REFUSED, detail)
    except TimeoutError:
        detail = f"{where} did not answer within {timeout:g} s: check the host, its rule SPPSVC-In-TCP and the firewalls on the way."
        return KmsEndpoint(host, port, address, EndpointState.FILTERED, detail)
    except ConnectionResetError as error:
        return _not_kms(host, port, address, where, f"it broke the connection off ({error.strerror or error})")
    except OSError as error:
        detail = f"{where} cannot be reached: {error.strerror or error}; check the route to it."
        return KmsEndpoint(host, port, address, EndpointState.UNREACHABLE, detail)
    try:
        with connection:
            connection.sendall(bind.bind_request())
            reply = bind.parse_reply(_receive(connection, deadline))
    except bind.NotRpc as error:
        return _not_kms(host, port, address, where, str(error))
    except TimeoutError:
        return _not_kms(host, port, address, where, f"it accepted the connection but answered nothing within {timeout:g} s")
    except OSError as error:
        return _not_kms(host, port, address, where, f"it broke the connection off ({error.strerror or error})")
    if not reply.accepted:
        return _not_kms(host, port, address, where, f"its RPC server does not accept the KMS interface ({reply.reason})")
    return KmsEndpoint(host, port, address, EndpointState.ANSWERING, f"{where} answers as a KMS host.")


def probe_all(targets: Sequence[tuple[str, str, int]], timeout: float = DEFAULT_TIMEOUT) -> list[KmsEndpoint]:
    """Look at several addresses at the same time; this takes no longer than C(MOST_TARGETS) / 64 times as long as a silent one takes.

    Args:
        targets: Host, address and port of each. Those behind the first C(MOST_TARGETS) are not checked.
        timeout: Seconds for each.

    Returns:
        What was found, in the order of C(targets).
    """

    def one(target: tuple[str, str, int]) -> KmsEndpoint:
        host, address, port = target
        return probe(host, address, port, timeout)

    if not targets:
        return []
    with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(targets))) as pool:
        seen = list(pool.map(one, targets[:MOST_TARGETS]))
    return seen + [not_probed(*target) for target in targets[MOST_TARGETS:]]


def _not_kms(host: str, port: int, address: str, where: str, why: str) -> KmsEndpoint:
    detail = f"{where} is open but is no KMS host: {why}; check the host's key and which program listens there."
    return KmsEndpoint(host, port, address, EndpointState.NOT_KMS, detail)


def _receive(connection: socket.socket, deadline: float) -> bytes:
    """One whole RPC message; what is no RPC is noticed at its first byte.

    Raises:
        NotRpc: It is none, or the server hung up before its end.
        TimeoutError: The deadline passed.
        OSError: The connection broke.
    """
    received = b""
    wanted = bind.HEADER_LENGTH
    while len(received) < wanted:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        chunk = connection.recv(wanted - len(received))
        if not chunk:
            raise bind.NotRpc("it hung up without an answer" if not received else "its answer was cut off")
        received += chunk
        if len(received) >= bind.HEADER_LENGTH or received[:1] != bind.FIRST_BYTE:
            wanted = bind.message_length(received)
    return received
