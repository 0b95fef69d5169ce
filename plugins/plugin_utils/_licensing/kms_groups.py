# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Windows a KMS host's key does not serve, so that its clients would get 0xC004F042.

From "Activation versions" in Microsoft's "KMS activation planning" (kms-activation-planning.md, 11/2024), which lists for each key
what it serves. What the table leaves open is not judged. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Description of a KMS host's product, such as "Windows(R) Operating System, VOLUME_KMS_WS22 channel".
_GROUP = re.compile(r"\bVOLUME_KMS_([A-Za-z0-9]+(?:_[A-Z])?)")
# Name of a product, such as "Windows(R), EnterpriseS edition".
_EDITION = re.compile(r", (\w+) edition")
_SERVER_RELEASES = (7600, 7601, 9200, 9600, 14393, 17763, 20348, 26100)
_SEMI_ANNUAL = re.compile(r"ACor$", re.IGNORECASE)
_LONG_TERM = re.compile(r"(?:IoT)?EnterpriseSN?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Newest:
    """The newest builds that a key serves; C(None) where the table sets no limit.

    Attributes:
        server: Of Windows Server with the long-term channel; 0 for a key that serves no server.
        long_term: Of client editions with the long-term channel.
        client: Of other client editions.
    """

    server: int
    long_term: int
    client: int | None = None


_NEWEST = {
    "WS25": _Newest(26100, 26100),
    "WS22": _Newest(20348, 19044),
    # The table has no year with its LTSC, so that the one of 2021 is left open.
    "WS19": _Newest(17763, 19044),
    "WS16": _Newest(14393, 14393),
    "W10": _Newest(0, 10240),
    # Windows 7 and Server 2008 R2: newer keys serve older products, never the other way round.
    "R2": _Newest(7601, 7601, 7601),
}


def edition_of(name: str) -> str:
    """The edition in the name of a product, such as C(EnterpriseS); empty where it has none."""
    found = _EDITION.search(name)
    return found[1] if found else ""


def group_of(description: str) -> str:
    """How a KMS host's key is called in the description of its product, such as C(VOLUME_KMS_WS22); empty where it is none."""
    found = _GROUP.search(description)
    return found[0] if found else ""


def is_refused(description: str, name: str, build: int, server: bool) -> bool:
    """Whether a KMS host would refuse a client for certain.

    Args:
        description: Of the KMS host's product.
        name: Of the client's product.
        build: The client's build of Windows.
        server: Whether the client is a server.
    """
    found = _GROUP.search(description)
    newest = _NEWEST.get(found[1].partition("_")[0]) if found else None
    if newest is None:
        return False
    edition = edition_of(name)
    if server:
        long_term = build in _SERVER_RELEASES and not _SEMI_ANNUAL.search(edition)
        return newest.server == 0 or (long_term and build > newest.server)
    limit = newest.long_term if _LONG_TERM.match(edition) else newest.client
    return limit is not None and build > limit
