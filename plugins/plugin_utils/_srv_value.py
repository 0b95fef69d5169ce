# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One value of an SRV RRset, as DNS and the directory both have it. Pure. Private to the collection: it may change in any release."""

from __future__ import annotations

from dataclasses import dataclass


def plain_name(name: str) -> str:
    """A DNS name in lower case without the final dot; the root stays C(.)."""
    return name.strip().lower().rstrip(".") or "."


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
