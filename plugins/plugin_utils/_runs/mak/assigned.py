# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys of which ring each computer is to get, as its variables say.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from ..._core.errors import ActivationError
from ..._core.given import names_of_each
from ..._licensing.product_keys import last_five
from ..finding import Finding
from ..registered import Registered, Result
from .by_rule import KEYS, RING, Choice, choose, chosen_by_rule, detail_for, rules_of
from .findings import ring_findings


@dataclass(frozen=True, slots=True)
class Assigned:
    """The keys of all computers.

    Attributes:
        keys: By computer the names of the keys that it is to get, in order.
        rings: Each ring, with the computers that see it.
        of_play: Whether the play gives the ring, and not the inventory.
        by_rule: The computers that get their keys by the rules of their ring, and how much has to be read of each for them.
    """

    keys: Mapping[str, Sequence[str]]
    rings: Sequence[tuple[Any, Sequence[str]]]
    of_play: bool = False
    by_rule: Mapping[str, str] = field(default_factory=dict)

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
        ruled = {host: detail_for(ring) for ring, own in rings.values() for host in own if chosen_by_rule(given.get(host), ring)}
        return cls(names_of_each(given, hosts, KEYS), list(rings.values()), RING in found.of_play, ruled)

    def by_rules(self, licenses: Mapping[str, Result]) -> tuple[Assigned, dict[str, Choice]]:
        """The same with what the rules give, and what they give each computer.

        Args:
            licenses: By computer the result of C(license_info).
        """
        choices: dict[str, Choice] = {}
        for ring, hosts in self.rings:
            rules = rules_of(ring)
            choices |= {host: choose(rules, licenses.get(host, {})) for host in hosts if host in self.by_rule and host in licenses}
        return replace(self, keys={**self.keys, **{host: list(choice.keys) for host, choice in choices.items()}}), choices

    def findings(self) -> Iterable[Finding]:
        """What is wrong with the rings and with who gets which key of them."""
        for ring, hosts in self.rings:
            yield from ring_findings(ring, {host: self.keys[host] for host in hosts}, self.by_rule.keys() & {*hosts})

    def descriptions(self) -> dict[str, str]:
        """What the rings say of the keys that somebody gets."""
        found: dict[str, str] = {}
        for ring, hosts in self.rings:
            for name in dict.fromkeys(name for host in hosts for name in self.keys[host]):
                entry = ring.get(name) if isinstance(ring, Mapping) else None
                if isinstance(entry, Mapping) and entry.get("description"):
                    found.setdefault(name, str(entry["description"]))
        return found

    def last_fives(self) -> dict[str, str]:
        """By key that somebody gets its last five characters, which may be shown."""
        found = {}
        for ring, hosts in self.rings:
            for name in dict.fromkeys(name for host in hosts for name in self.keys[host] if isinstance(ring, Mapping) and name in ring):
                # What has not the shape of a key is a finding.
                with suppress(ActivationError, AttributeError, KeyError, TypeError):
                    found[name] = last_five(ring[name]["key"])
        return found

    def secrets(self) -> Iterable[Any]:
        """What no result may hold."""
        for ring, _hosts in self.rings:
            for entry in ring.values() if isinstance(ring, Mapping) else ():
                yield entry.get("key") if isinstance(entry, Mapping) else entry
