# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of the directory as they were read."""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from .._core.errors import ActivationError
from .._core.text import LONGEST_NAME, visible
from .dn import dns_name_of

ROOT_ATTRIBUTES = ("defaultNamingContext", "rootDomainNamingContext", "configurationNamingContext", "namingContexts", "currentTime")
"""What is read of rootDSE."""

# RFC 4517 3.3.16, in the range of AD's 32 bits.
_INTEGER = re.compile(r"-?[0-9]{1,10}")
_LONGEST_SHOWN = 40


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """An object as it was read.

    Attributes:
        dn: Its distinguished name.
        attributes: Values by attribute name in lower case; AD does not promise its own spelling of what was asked.
    """

    dn: str
    attributes: Mapping[str, list[bytes]]

    @classmethod
    def of(cls, dn: str, values: Mapping[str, list[bytes]]) -> DirectoryEntry:
        """The object as python-ldap gives it."""
        return cls(dn, {name.lower(): value for name, value in values.items()})

    def first(self, name: str) -> bytes:
        """The first value, empty where there is none."""
        return next(iter(self.attributes.get(name.lower(), [])), b"")

    def text(self, name: str) -> str:
        """The first value as text, empty where there is none."""
        return self.first(name).decode("utf-8", "replace")

    def number(self, name: str) -> int | None:
        """The first value as a number, which an attribute of the syntax Integer has; C(None) where there is none.

        Raises:
            ActivationError: It is no number of 32 bits.
        """
        text = self.text(name)
        if text and not _INTEGER.fullmatch(text):
            raise ActivationError(
                f"{visible(self.dn, LONGEST_NAME)} has the {name} '{visible(text, _LONGEST_SHOWN)}' in the directory, where a number belongs.",
                source="ldap",
            )
        return int(text) if text else None

    def texts(self, name: str) -> list[str]:
        """All values as text."""
        return [value.decode("utf-8", "replace") for value in self.attributes.get(name.lower(), [])]


@dataclass(frozen=True, slots=True)
class RootDse:
    """What a controller says of itself before anyone logs on.

    Attributes:
        domain_dn: Its domain, such as C(DC=contoso,DC=com).
        forest_dn: The forest's root domain.
        configuration_dn: The configuration partition.
        partitions: Every partition that it holds.
        skew: Seconds that this node's clock is ahead.
        address: Where it said so; empty where nobody kept it.
    """

    domain_dn: str
    forest_dn: str
    configuration_dn: str
    partitions: tuple[str, ...]
    skew: float
    address: str = ""

    @classmethod
    def of(cls, entry: DirectoryEntry) -> RootDse:
        """What C(ROOT_ATTRIBUTES) say."""
        return cls(
            entry.text("defaultNamingContext"),
            entry.text("rootDomainNamingContext"),
            entry.text("configurationNamingContext"),
            tuple(entry.texts("namingContexts")),
            _skew(entry.text("currentTime")),
        )

    @property
    def domain(self) -> str:
        """The domain's DNS name."""
        return dns_name_of(self.domain_dn)


def _skew(current: str) -> float:
    """Seconds that this node is ahead; 0 where the controller does not tell its time."""
    try:
        theirs = datetime.datetime.strptime(current[:14], "%Y%m%d%H%M%S").replace(tzinfo=datetime.UTC)
    except ValueError:
        return 0.0
    return time.time() - theirs.timestamp()
