# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a simulated host needs from the world outside: a clock, a resolver, a publisher of DNS records.

The park hands in the real ones (Samba's DNS, GSS-TSIG); unit tests hand in small fakes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

DNS_ERROR_RCODE_SERVER_FAILURE = 0x8007232A
DNS_ERROR_RCODE_NAME_ERROR = 0x8007232B
DNS_ERROR_RCODE_BADSIG = 0x80072338
DNS_INFO_NO_RECORDS = 0x8007251D
DNS_ERROR_NO_DNS_SERVERS = 0x8007267C


class Clock(Protocol):
    """Time as the host sees it."""

    def now(self) -> datetime:
        """Now, in UTC with a time zone."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""


class SystemClock:
    """The machine's clock, shifted by ``skew`` (a test moves time forward by raising it)."""

    def __init__(self, skew: timedelta = timedelta()) -> None:
        self.skew = skew

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC) + self.skew

    def sleep(self, seconds: float) -> None:
        """Really wait."""
        if seconds > 0:
            time.sleep(seconds)


@dataclass(frozen=True)
class SrvRecord:
    """One SRV value as a client reads it (RFC 2782)."""

    target: str
    port: int
    priority: int = 0
    weight: int = 0


class DnsError(Exception):
    """A look-up that failed; ``code`` is the HRESULT that Windows gives for it (docs/facts/errors.md#dns-and-network)."""

    def __init__(self, code: int, name: str) -> None:
        super().__init__(f"0x{code:08X} {name}")
        self.code = code


class Resolver(Protocol):
    """DNS as a Windows machine asks it: always the servers that its adapter names."""

    def srv(self, name: str, servers: Sequence[str]) -> list[SrvRecord]:
        """The SRV RRset of a name. Raises DnsError."""

    def addresses(self, name: str, servers: Sequence[str]) -> list[str]:
        """The IPv4 addresses of a name. Raises DnsError."""


@dataclass(frozen=True)
class ActivationObject:
    """What activates members of a forest: ``csvlk_product_id`` says with the KMS host key of which product it was made."""

    name: str
    dn: str
    csvlk_product_id: str
    csvlk_pid: str


class Forest(Protocol):
    """The directory as a member asks it for activation objects."""

    def __call__(self) -> list[ActivationObject]:
        """All of them, in the order of their names."""


class PublishError(Exception):
    """A publication that the DNS server or the KDC refused, as unit tests raise it; any exception with a ``code`` will do.

    ``code`` is the HRESULT for event 12293; Microsoft documents 0x80072338 for a record that another host owns
    (docs/facts/publication.md#refused-updates).
    """

    def __init__(self, code: int = DNS_ERROR_RCODE_BADSIG, text: str = "") -> None:
        super().__init__(text or f"0x{code:08X}")
        self.code = code


class Identity(Protocol):
    """The machine account of a host and the ticket that the host holds at present.

    A ticket carries the groups that the account had when it was issued, so an old one stays refused after the account
    joined a group (docs/facts/samba-and-bind.md#tickets).
    """

    def ticket(self) -> object:
        """The kept ticket; a new one only if there is none."""

    def purge(self) -> None:
        """Forget the ticket."""


class Publisher(Protocol):
    """Secure dynamic update as a machine account."""

    def __call__(self, identity: Any, zone: str, target: str, port: int, priority: int, weight: int) -> None:
        """Make ``_vlmcs._tcp.<zone>`` hold the value, other values untouched. Raises an exception with a ``code``."""
