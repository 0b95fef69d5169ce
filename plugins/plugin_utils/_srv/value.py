# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One value of an SRV RRset, as DNS and the directory both have it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

NUMBERS = range(65536)
"""What a priority and a weight can be: 16 bits without a sign."""

# The underscore stands in names that Windows took over from NetBIOS, and in those of services.
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def plain_name(name: str) -> str:
    """A DNS name in lower case without the final dot; the root stays C(.)."""
    return name.strip().lower().rstrip(".") or "."


def is_plain_name(name: str) -> bool:
    """Whether a name in lower case and without the final dot can be one of a host or domain in DNS."""
    return len(name) <= 253 and all(_LABEL.fullmatch(label) for label in name.split("."))


def is_full_name(name: str) -> bool:
    """Whether a text, however it is written, is the name of a host with its domain, and no address."""
    plain = plain_name(name)
    return "." in plain and is_plain_name(plain) and not plain.rpartition(".")[2].isdigit()


@dataclass(frozen=True, slots=True, order=True)
class SrvValue:
    """One value of an SRV RRset (RFC 2782).

    Attributes:
        priority: 0 to 65535; lower ones are tried first.
        weight: 0 to 65535; the share among values of the same priority.
        port: The TCP port.
        target: The host's full name, in lower case and without the final dot; C(.) says that there is no such service.
    """

    priority: int
    weight: int
    port: int
    target: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "target", plain_name(self.target))

    def __str__(self) -> str:
        return f"{self.priority} {self.weight} {self.port} {self.target}"
