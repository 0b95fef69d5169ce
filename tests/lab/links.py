# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wide area network between the sites of a lab: which of them reach each other, and what a cut link stops."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Literal

from . import names, sites
from .publication import DNS_ERROR_RCODE_SERVER_FAILURE, Identity, Publisher, PublishError
from .resolution import DnsResolver
from .windows.host import Host
from .windows.ports import DnsError, SrvRecord

Direction = Literal["both", "to", "from"]
CONTROL_NODE = "127.0.0.1/32"
"""Where connections of the control node come from: what the kernel takes for a loopback address, whatever network it is in."""


class Links:
    """Which connections between sites are cut; each direction is a link of its own. Safe to use from several threads.

    The control node is in none of the sites: it reaches every KMS port unless :meth:`block_control_node` says otherwise.
    """

    def __init__(self, known: Sequence[sites.Site]) -> None:
        self._sites = {site.name: site for site in known}
        self._cut: set[tuple[str, str]] = set()
        self._closed_to_control: set[str] = set()
        self._lock = threading.Lock()

    def _pairs(self, first: str, second: str, direction: Direction) -> set[tuple[str, str]]:
        for name in (first, second):
            self._check(name)
        if first == second:
            raise ValueError(f"{first} has no link to itself")
        pairs: dict[str, set[tuple[str, str]]] = {"to": {(first, second)}, "from": {(second, first)}}
        pairs["both"] = pairs["to"] | pairs["from"]
        if direction not in pairs:
            raise ValueError(f"the direction of a link is {', '.join(pairs)}, not {direction}")
        return pairs[direction]

    def _check(self, name: str) -> None:
        if name not in self._sites:
            raise ValueError(f"the lab has no site {name}; there are {', '.join(self._sites) or 'none'}")

    def cut(self, first: str, second: str, direction: Direction = "both") -> None:
        """Let nothing pass from the first site to the second (``to``), the other way (``from``), or either way. Raises ValueError."""
        with self._lock:
            self._cut |= self._pairs(first, second, direction)

    def mend(self, first: str, second: str) -> None:
        """Let everything pass between two sites. Raises ValueError."""
        with self._lock:
            self._cut -= self._pairs(first, second, "both")

    def block_control_node(self, name: str, blocked: bool = True) -> None:
        """Let the control node reach the KMS ports of a site no more, or again. Raises ValueError."""
        self._check(name)
        with self._lock:
            (self._closed_to_control.add if blocked else self._closed_to_control.discard)(name)

    def clear(self) -> None:
        """Let everything pass."""
        with self._lock:
            self._cut.clear()
            self._closed_to_control.clear()

    def reaches(self, source: str, target: str) -> bool:
        """Whether connections pass from a site to another."""
        with self._lock:
            return (source, target) not in self._cut

    def blocked(self, target: str) -> list[str]:
        """The networks from which nothing arrives in a site."""
        with self._lock:
            found = [self._sites[source].client_network for source, cut in sorted(self._cut) if cut == target]
            return [*found, *([CONTROL_NODE] if target in self._closed_to_control else [])]

    def cut_links(self) -> list[list[str]]:
        """Every direction that is cut, ready for JSON."""
        with self._lock:
            return sorted(map(list, self._cut))


class SitePublisher:
    """Writes into the zones of several sites, as a KMS host of one of them does: each zone's controller stands in its site.

    A zone that is nobody's is asked for where the host is.
    """

    def __init__(self, own: sites.Site, known: Sequence[sites.Site], links: Links) -> None:
        self._own = own
        self._sites = known
        self._links = links

    def __call__(self, identity: Identity, zone: str, target: str, port: int, priority: int, weight: int) -> None:
        """As :meth:`lab.publication.Publisher.__call__`. Raises PublishError."""
        site = sites.of_zone(self._sites, zone) or self._own
        if not self._links.reaches(self._own.name, site.name):
            raise PublishError(DNS_ERROR_RCODE_SERVER_FAILURE, f"{self._own.name} does not reach the DNS servers of {zone}")
        Publisher.of(site.domain_controllers)(identity, zone, target, port, priority, weight)


class SiteResolver:
    """DNS as the machines of a site ask it, whose servers forward what lies in the zone of another site to the servers there."""

    def __init__(self, own: sites.Site, known: Sequence[sites.Site], links: Links) -> None:
        self._own = own
        self._sites = known
        self._links = links
        self._resolver = DnsResolver()

    def _check(self, name: str) -> None:
        site = sites.of_zone(self._sites, name) or self._own
        # Where all zones are in one domain, every site has a copy of all ("resources, including DNS, are replicated").
        if site.realm != self._own.realm and not self._links.reaches(self._own.name, site.name):
            raise DnsError(DNS_ERROR_RCODE_SERVER_FAILURE, name)

    def srv(self, name: str, servers: Sequence[str]) -> list[SrvRecord]:
        """The SRV RRset of a name. Raises DnsError."""
        self._check(name)
        return self._resolver.srv(name, servers)

    def addresses(self, name: str, servers: Sequence[str]) -> list[str]:
        """The IPv4 addresses of a name. Raises DnsError."""
        self._check(name)
        return self._resolver.addresses(name, servers)


class Network:
    """What connects the hosts of a lab with DNS servers and with each other. Without sites everything reaches everything.

    ``controllers`` are those of a lab without sites.
    """

    def __init__(self, known: Sequence[sites.Site], controllers: Sequence[names.Controller]) -> None:
        self._sites = {site.name: site for site in known}
        self._links = Links(known)
        # Where there is no controller, nobody has an account to publish with.
        self._publisher, self._resolver = Publisher.of(controllers) if controllers else Publisher(), DnsResolver()
        self._hosts: dict[str, list[Host]] = {site.name: [] for site in known}

    def publisher(self, machine: names.Machine) -> Publisher | SitePublisher:
        """How a machine writes into DNS."""
        if not machine.site:
            return self._publisher
        return SitePublisher(self._sites[machine.site], list(self._sites.values()), self._links)

    def resolver(self, machine: names.Machine) -> DnsResolver | SiteResolver:
        """How it asks DNS."""
        if not machine.site:
            return self._resolver
        return SiteResolver(self._sites[machine.site], list(self._sites.values()), self._links)

    def connect(self, machines: Sequence[names.Machine], hosts: Mapping[str, Host]) -> None:
        """These hosts, by label, are what stands in the sites."""
        for machine in machines:
            if machine.site:
                self._hosts[machine.site].append(hosts[machine.label])

    def _apply(self) -> None:
        for name, hosts in self._hosts.items():
            blocked = self._links.blocked(name)
            for host in hosts:
                host.block(blocked)

    def cut_link(self, first: str, second: str, direction: Direction = "both") -> None:
        """See :meth:`Links.cut`."""
        self._links.cut(first, second, direction)
        self._apply()

    def mend_link(self, first: str, second: str) -> None:
        """See :meth:`Links.mend`."""
        self._links.mend(first, second)
        self._apply()

    def block_control_node(self, site: str, blocked: bool = True) -> None:
        """See :meth:`Links.block_control_node`."""
        self._links.block_control_node(site, blocked)
        self._apply()

    def mend_all(self) -> None:
        """Let everything pass."""
        self._links.clear()
        self._apply()

    def cut_links(self) -> list[list[str]]:
        """Every direction that is cut, as pairs of sites."""
        return self._links.cut_links()
