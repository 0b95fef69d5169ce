# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys of which ring each computer is to get, as its variables say.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core.given import names_of_each
from ..finding import Finding
from ..registered import Registered
from .findings import ring_findings

RING, KEYS = "volume_activation_mak_ring", "volume_activation_mak"
"""The variables."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """The keys of all computers.

    Attributes:
        keys: By computer the names of the keys that it is to get, in order.
        rings: Each ring, with the computers that see it.
        of_play: Whether the play gives the ring, and not the inventory.
    """

    keys: Mapping[str, Sequence[str]]
    rings: Sequence[tuple[Any, Sequence[str]]]
    of_play: bool = False

    @classmethod
    def of(cls, found: Registered) -> Assigned:
        """Put it together.

        Args:
            found: The variables of the computers. A ring that several see is one object.

        Raises:
            Refusals: A value is no list of names.
        """
        hosts, given, seen = found.hosts, found.variables[KEYS], found.variables[RING]
        rings: dict[int, tuple[Any, list[str]]] = {}
        for host in hosts:
            ring = seen.get(host)
            rings.setdefault(id(ring), (ring or {}, []))[1].append(host)
        return cls(names_of_each(given, hosts, KEYS), list(rings.values()), RING in found.of_play)

    def findings(self) -> Iterable[Finding]:
        """What is wrong with the rings and with who gets which key of them."""
        for ring, hosts in self.rings:
            yield from ring_findings(ring, {host: self.keys[host] for host in hosts})

    def descriptions(self) -> dict[str, str]:
        """What the rings say of the keys that somebody gets."""
        found: dict[str, str] = {}
        for ring, hosts in self.rings:
            for name in dict.fromkeys(name for host in hosts for name in self.keys[host]):
                entry = ring.get(name) if isinstance(ring, Mapping) else None
                if isinstance(entry, Mapping) and entry.get("description"):
                    found.setdefault(name, str(entry["description"]))
        return found

    def secrets(self) -> Iterable[Any]:
        """What no result may hold."""
        for ring, _hosts in self.rings:
            for entry in ring.values() if isinstance(ring, Mapping) else ():
                yield entry.get("key") if isinstance(entry, Mapping) else entry
