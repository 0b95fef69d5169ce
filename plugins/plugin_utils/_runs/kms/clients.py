# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients: how they were found, and which of them ask a KMS host.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._core.errors import Refusals
from ..._core.text import some
from ..._licensing.client_ids import said_of, shared_ids
from ..._topology.reading import Section, meant
from ..._windows.platform.versions import WINDOWS_7
from ..audit.clients import Expected, due_steps, too_old
from ..audit.computer import SurveyedComputer
from ..registered import Registered
from .settings import KmsSettings

SITE = "volume_activation_site"
"""The variable by which the inventory tells the site of a client."""
OF_EACH = ("dns_suffixes", "lookup_domain", "host_caching", "alternate_url")
"""The settings that each client may have its own of."""

_GVLK = "gvlk"


@dataclass(frozen=True, slots=True)
class WantedClient:
    """What a client should be like.

    Attributes:
        expected: Where it looks for KMS hosts, and sends its users.
        suffixes: Its search list; C(None) to leave it.
    """

    expected: Expected
    suffixes: Sequence[str] | None

    def options(self, client: SurveyedComputer) -> dict[str, Any]:
        """The options of C(kms_client) for it, without settings that came with a later version of its Windows."""
        given: dict[str, Any] = {
            "dns_suffixes": self.suffixes,
            "lookup_domain": self.expected.lookup_domain or None,
            "host_caching": self.expected.host_caching,
            "alternate_url": self.expected.alternate_url or None,
        }
        late = {name for name in ("lookup_domain", "host_caching") if not client.unread and too_old(client, name)}
        return {name: value for name, value in given.items() if value is not None and name not in late}

    def is_due(self, client: SurveyedComputer) -> bool:
        """Whether the client has to ask, or a setting differs, or nobody knows."""
        if client.unread or client.lookup.error or (client.license.status, client.license.channel) != ("licensed", _GVLK):
            return True
        return any(True for _step in due_steps(client, self.suffixes, self.expected))


class ClientWishes:
    """What each client should be like, by its own variables: those of the run are of whichever host its task is for.

    Args:
        settings: Those of the run, of which the role counts alone.
        domains: By site the domain in which its clients look; empty where no search list follows from the sites.
        found: The variables of the clients.
    """

    def __init__(self, settings: KmsSettings, domains: Mapping[str, str], found: Registered) -> None:
        self._settings = settings
        self._domains = domains
        self._sites = found.variables.get(SITE, {})
        self._own = {name: found.variables.get(settings.named(name), {}) for name in OF_EACH}
        self._known: dict[tuple[Any, ...], WantedClient] = {}

    def of(self, client: str) -> WantedClient:
        """What it should be like.

        Raises:
            Refusals: Variables of it can't be what they are.
        """
        own = [self._own[name].get(client) for name in OF_EACH]
        kind = (str(self._sites.get(client, "")), *map(str, own))
        if kind not in self._known:
            self._known[kind] = self._made(kind[0], dict(zip(OF_EACH, own, strict=True)))
        return self._known[kind]

    def _made(self, site: str, own: Mapping[str, Any]) -> WantedClient:
        settings = self._settings
        problems: list[str] = []
        given = {settings.named(name): own[name] for name in OF_EACH}
        section = Section(problems, "", given, given.keys())
        if site and self._domains and site not in self._domains:
            problems.append(f"{SITE}: there is no site {site}.{meant(site, self._domains)}")
        caching = settings.named("host_caching")
        expected = Expected(
            domains=self._domains,
            dns_suffixes=list(section.domains(settings.named("dns_suffixes"))) or None,
            lookup_domain=section.name(settings.named("lookup_domain")),
            host_caching=section.flag(caching, False) if section.has(caching) or not settings.single else None,
            alternate_url=section.text(settings.named("alternate_url")),
        )
        if problems:
            raise Refusals(problems)
        return WantedClient(expected, list(expected.suffixes(site) or ()) or None)


@dataclass(slots=True)
class ClientsSeen:
    """What was found of all clients.

    Attributes:
        due: Those that ask, each with its options of C(kms_client).
        licensed: How many are licensed and as declared.
        silent: Those that were not reached.
        licenses: By client what C(license_info) would say of it, for findings.
        remarks: What Windows or a policy does whatever is declared.
    """

    due: dict[str, dict[str, Any]] = field(default_factory=dict)
    licensed: int = 0
    silent: list[str] = field(default_factory=list)
    licenses: dict[str, dict[str, Any]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @property
    def shared(self) -> list[str]:
        """Which of them a KMS host takes for one."""
        return [said_of(*entry) for entry in shared_ids(self.licenses).items()]


def see(computers: Iterable[SurveyedComputer], clients: Sequence[str], wishes: ClientWishes, lookup_variable: str) -> ClientsSeen:
    """Look at each client once.

    Args:
        computers: As they were read, in any order; those that are no clients of the run are passed over.
        clients: The clients of the run, in the order of the inventory.
        wishes: What each should be like.
        lookup_variable: The variable by which members of a domain follow another one; empty where the order of sites plays no part.

    Raises:
        Refusals: Variables of clients can't be what they are: one sentence for the clients with the same ones.
    """
    names = frozenset(clients)
    found = {computer.host: computer for computer in computers if computer.host in names}
    seen = ClientsSeen()
    read = []
    wrong: dict[str, list[str]] = {}
    for name in clients:
        client = found.get(name)
        if client is None:
            continue
        try:
            wanted = wishes.of(name)
        except Refusals as refusal:
            wrong.setdefault(refusal.message, []).append(name)
            continue
        seen.licenses[name] = as_license(client)
        if client.silent:
            seen.silent.append(name)
            continue
        read += [] if client.unread else [client]
        if wanted.is_due(client):
            seen.due[name] = wanted.options(client)
        else:
            seen.licensed += 1
    if wrong:
        raise Refusals(f"{some(names)}: {line}" for said, names in wrong.items() for line in said.split("\n"))
    seen.remarks = list(_remarks(read, lookup_variable)) if lookup_variable else []
    return seen


def as_license(client: SurveyedComputer) -> dict[str, Any]:
    """The client as C(license_info) would show it, as far as findings need it."""
    if client.unread:
        return {"unreachable": client.silent, "msg": client.unread}
    windows = {
        "status": client.license.status,
        "channel": client.license.channel,
        "partial_key": client.license.key,
        "name": client.product,
    }
    return {
        "windows": windows if client.license.status else None,
        "service": {"client_machine_id": client.lookup.client_machine_id},
        "operating_system": {
            "caption": client.caption,
            "build": client.build,
            "server": client.server,
            "computer_name": client.name,
            "clock_offset": client.clock_offset,
        },
    }


def _remarks(clients: Sequence[SurveyedComputer], lookup_variable: str) -> Iterator[str]:
    """Which clients do not do what the sites were made for."""
    if deaf := [client.host for client in clients if client.version < WINDOWS_7]:
        yield f"Do not follow priority and weight, because their Windows is older than 7: {len(deaf)} ({some(deaf)})"
    if policy := [client.host for client in clients if client.lookup.suffixes.policy]:
        yield f"Have their DNS suffix search list from a policy, which wins: {len(policy)} ({some(policy)})"
    if members := [client.host for client in clients if client.lookup.domain_member]:
        yield (
            f"Ask their own domain first wherever they are, because they are members of one: {len(members)} ({some(members)})."
            f" Where that is not wanted, set {lookup_variable} for them."
        )
