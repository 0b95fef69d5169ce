# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of addresses, where DNS knows them in both directions."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait

_AT_ONCE = 16
# A name of hosts (RFC 1123, 2.1), with the underscore that Windows takes as well; a PTR record may hold anything.
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.ASCII)
_LONGEST = 253


def names_of(addresses: Sequence[str], timeout: float) -> dict[str, str]:
    """The full name of each address that has one.

    The control node's own resolver is asked. A name counts only if it leads back to the address: PTR records outlive their hosts.

    Args:
        addresses: The addresses.
        timeout: Seconds to wait for all of them; those that are not known by then have no name.
    """
    if not addresses:
        return {}
    pool = ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(addresses)))
    asked = {pool.submit(_name, address): address for address in addresses}
    done, _late = wait(asked, timeout=timeout)
    pool.shutdown(wait=False, cancel_futures=True)
    return {asked[answer]: name for answer in done if (name := answer.result())}


def _name(address: str) -> str:
    try:
        name = socket.getnameinfo((address, 0), socket.NI_NAMEREQD)[0].rstrip(".").lower()
        if len(name) > _LONGEST or not _HOST_NAME.fullmatch(name):
            return ""
        back = {str(found[4][0]) for found in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)}
    except (OSError, ValueError):
        return ""
    return name if address in back else ""
