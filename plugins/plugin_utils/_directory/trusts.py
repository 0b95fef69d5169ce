# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which domains the domain of a controller trusts, so that their accounts can log on to its servers (docs/facts/directory.md#trusts)."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from .._core.errors import ActivationError
from .._core.text import LONGEST_NAME, visible
from .dn import dns_name_of, same_dn
from .replication import controllers
from .session import DirectorySession, open_session
from .settings import DirectorySettings

TRUSTED, SELECTIVE, NOT_TRUSTED, UNKNOWN = "trusted", "selective", "not_trusted", "unknown"
"""States of a trust. With selective authentication a right on each server decides as well."""

_OUTBOUND = 0x2
"""Of C(trustDirection): the domain trusts its partner (MS-ADTS 6.1.6.7.12)."""
_NON_TRANSITIVE, _FOREST, _CROSS_ORGANIZATION = 0x1, 0x8, 0x10
"""Of C(trustAttributes) (MS-ADTS 6.1.6.7.9); the last one is selective authentication."""
_IS_DOMAIN = 0x2
"""Of C(systemFlags): the crossRef is of a domain (FLAG_CR_NTDS_DOMAIN, MS-ADTS 2.2.10)."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Whether a domain is trusted.

    Attributes:
        state: C(TRUSTED), C(SELECTIVE), C(NOT_TRUSTED) or C(UNKNOWN).
        why: Why it is unknown, as sentences; else empty.
    """

    state: str
    why: str = ""

    def as_result(self) -> dict[str, t.Any]:
        """The answer as results have it."""
        return {"state": self.state, "why": self.why}


@dataclass(frozen=True, slots=True)
class _Link:
    """An outbound trust: the partner's name in lower case, whether it is one between forests, and whether authentication is selective."""

    partner: str
    forest: bool
    selective: bool

    def covers(self, domain: str) -> bool:
        return domain == self.partner or (self.forest and domain.endswith(f".{self.partner}"))


def read_trusts(settings: DirectorySettings, domains: Iterable[str]) -> dict[str, Trust]:
    """Whether the domain of a controller trusts others. What can't be read is unknown, and no error.

    Args:
        settings: How to reach the controller. A controller of the forest's root domain is reached in the same way, where that domain decides.
        domains: The DNS names of the others.
    """
    wanted = {domain: domain.lower().rstrip(".") for domain in domains}
    found: dict[str, Trust] = {}
    unknown = Trust(UNKNOWN)
    try:
        with open_session(settings) as session:
            # What was told before a refusal stays.
            found.update(_answers(session, settings, list(dict.fromkeys(wanted.values()))))
    except ActivationError as failure:
        unknown = Trust(UNKNOWN, failure.message)
    return {domain: found.get(name, unknown) for domain, name in wanted.items()}


def _answers(session: DirectorySession, settings: DirectorySettings, domains: Sequence[str]) -> Iterator[tuple[str, Trust]]:
    """What is known of each, the surest first.

    Raises:
        ActivationError: The rest can't be read.
    """
    own = _domains_of_forest(session)
    yield from ((domain, Trust(TRUSTED)) for domain in domains if domain in own)
    left = [domain for domain in domains if domain not in own]
    if not left:
        return
    links = list(_links(session))
    covered = {domain: trust for domain in left if (trust := _covered(links, domain))}
    yield from covered.items()
    if len(covered) < len(left):
        is_root = same_dn(session.root.domain_dn, session.root.forest_dn)
        # Trusts between forests are those of the root domains, and hold for all domains of both.
        of_forest = [link for link in (links if is_root else _links_of_root(session, settings)) if link.forest]
        yield from ((domain, _covered(of_forest, domain) or _uncovered(of_forest, session)) for domain in left if domain not in covered)


def _covered(links: Sequence[_Link], domain: str) -> Trust | None:
    covering = [link for link in links if link.covers(domain)]
    if not covering:
        return None
    return Trust(SELECTIVE if all(link.selective for link in covering) else TRUSTED)


def _uncovered(of_forest: Sequence[_Link], session: DirectorySession) -> Trust:
    """What is known of a domain that no trust names."""
    if not of_forest:
        return Trust(NOT_TRUSTED)
    # The partner's forest may have trees with other names (msDS-TrustForestTrustInfo).
    partner = visible(of_forest[0].partner, LONGEST_NAME)
    return Trust(UNKNOWN, f"The forest of {session.root.domain} has a forest trust to {partner}, which may cover other name suffixes.")


def _domains_of_forest(session: DirectorySession) -> frozenset[str]:
    """The DNS names of the domains of the controller's forest, all of which trust one another."""
    entries = session.search(
        f"CN=Partitions,{session.root.configuration_dn}", "(objectClass=crossRef)", ["dnsRoot", "systemFlags"], one_level=True
    )
    domains = (entry.text("dnsRoot") for entry in entries if (entry.number("systemFlags") or 0) & _IS_DOMAIN)
    return frozenset([session.root.domain, *(domain.lower().rstrip(".") for domain in domains)])


def _links(session: DirectorySession) -> Iterator[_Link]:
    """The outbound trusts of the controller's domain.

    Raises:
        ActivationError: They can't be read.
    """
    system = f"CN=System,{session.root.domain_dn}"
    names = ["trustPartner", "trustDirection", "trustAttributes"]
    entries = session.search(system, "(objectClass=trustedDomain)", names, one_level=True)
    # Who may not see what is there finds nothing, which is no proof that there is nothing.
    hidden = any(not entry.text(name) for entry in entries for name in names[:2]) or not (entries or session.read(system, ["cn"]))
    if hidden:
        raise ActivationError(
            f"{session.server} does not show the account what trusts {session.root.domain} has. Let it read {system} and what is in it.",
            source="ldap",
        )
    for entry in entries:
        if (entry.number("trustDirection") or 0) & _OUTBOUND:
            flags = entry.number("trustAttributes") or 0
            forest = flags & (_FOREST | _NON_TRANSITIVE) == _FOREST
            yield _Link(entry.text("trustPartner").lower().rstrip("."), forest, bool(flags & _CROSS_ORGANIZATION))


def _links_of_root(session: DirectorySession, settings: DirectorySettings) -> list[_Link]:
    """The outbound trusts of the forest's root domain, which a controller of another domain does not hold.

    Raises:
        ActivationError: They can't be read.
    """
    root = session.root.forest_dn
    servers = controllers(session, root)
    if not servers:
        raise ActivationError(f"{session.server} names no domain controller of {dns_name_of(root)}, the root of its forest.", source="ldap")
    with open_session(replace(settings, server=servers[0], others=tuple(servers[1:]))) as there:
        return list(_links(there))
