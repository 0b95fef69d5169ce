# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contoso with several sites: which there are, who is in them, and how they are called.

In a lab of ``zones`` all accounts are in contoso.com, and each site has a zone of its own below it, which is the primary DNS
suffix of its machines (a disjoint namespace). In a lab of ``domains`` each site is an Active Directory domain of its own, and
none trusts another.
"""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from . import names

KINDS = ("zones", "domains")
SITE_NAMES = ("east", "west")
SITE_HOSTS = 2
SITE_CLIENTS, SITE_SERVERS = 12, 4
"""How many clients and servers a lab with sites has unless told otherwise."""
FIRST_WEIGHT = 75
"""The share of a site's first KMS host in hundredths; the others divide what is left (the scenarios' table 5)."""

MAX_SITES = 10
MAX_HOSTS = 20
_LONGEST_NAME = 12


@dataclass(frozen=True)
class Site:
    """A site. ``short`` is what its KMS hosts and its group are named after, ``number`` counts from 1.

    Its machines are in the network 127.``network``.0.0/16. ``dc_address`` is that of the controller that serves its zone.
    """

    name: str
    short: str
    number: int
    network: int
    realm: names.Realm
    zone: str
    dc_address: str
    controllers: int = 1

    @property
    def domain_controllers(self) -> list[names.Controller]:
        """The domain controllers that serve its zone."""
        return names.controllers(self.controllers, self.dc_address, self.realm)

    @property
    def dns_servers(self) -> tuple[str, ...]:
        """Their addresses."""
        return tuple(controller.address for controller in self.domain_controllers)

    @property
    def group(self) -> str:
        """The security group of its KMS hosts."""
        return f"KMS_{self.short.upper()}"

    @property
    def client_network(self) -> str:
        """The network of its machines."""
        return f"127.{self.network}.0.0/16"

    def address(self, kind: int, number: int) -> str:
        """The address of a machine."""
        return f"127.{self.network}.{kind}.{number}"


def make(
    kind: str, site_names: Sequence[str], first_network: int = 1, dc_address: str = names.DC_ADDRESS, controllers: int = 1
) -> list[Site]:
    """The sites of a lab of a kind, in the order of their names as given. Raises ValueError for names that it cannot have."""
    if kind not in KINDS:
        raise ValueError(f"sites are {' or '.join(KINDS)}, not {kind}")
    if not 1 <= len(site_names) <= MAX_SITES:
        raise ValueError(f"the lab can have 1 to {MAX_SITES} sites, not {len(site_names)}")
    for name in site_names:
        if not (name.isascii() and name.isalpha() and name.islower() and len(name) <= _LONGEST_NAME):
            raise ValueError(f"the name of a site is up to {_LONGEST_NAME} small letters, not {name}")
    if not 1 <= first_network <= 255 - len(site_names):
        raise ValueError(f"there are no networks for {len(site_names)} sites from 127.{first_network}.0.0/16 on")
    if kind == "domains" and controllers != 1:
        raise ValueError(f"the domain of a site has one controller, not {controllers}")
    short = _short_names(site_names)
    found = []
    for index, name in enumerate(site_names):
        zone = f"{name}.{names.ZONE}"
        realm = names.CONTOSO if kind == "zones" else names.Realm(zone, name.upper(), name.capitalize())
        address = dc_address if kind == "zones" else str(ipaddress.IPv4Address(dc_address) + index)
        found.append(Site(name, short[name], index + 1, first_network + index, realm, zone, address, controllers))
    return found


def _short_names(site_names: Sequence[str]) -> dict[str, str]:
    """The shortest beginnings that tell the names apart; one letter where that is enough."""
    for length in range(1, _LONGEST_NAME + 1):
        short = {name: name[:length] for name in site_names}
        if len(set(short.values())) == len(site_names):
            return short
    raise ValueError(f"two sites have one name: {', '.join(site_names)}")


def weights(hosts: int) -> list[int]:
    """The weights of a site's KMS hosts among themselves."""
    rest = (100 - FIRST_WEIGHT) // max(1, hosts - 1)
    return [FIRST_WEIGHT, *(rest for _number in range(1, hosts))]


def machines(sites: Sequence[Site], hosts: int, clients: int, servers: int) -> list[names.Machine]:
    """Every Windows machine of a lab with these sites: the KMS hosts of each, a spare one in the first, clients and servers in turn."""
    if not 1 <= hosts <= MAX_HOSTS:
        raise ValueError(f"a site can have 1 to {MAX_HOSTS} KMS hosts, not {hosts}")
    for count, most, what in ((clients, names.MAX_CLIENTS, "clients"), (servers, names.MAX_SERVERS, "servers")):
        if not 0 <= count <= most:
            raise ValueError(f"the lab has names for 0 to {most} {what}, not {count}")
    kms = [_kms_host(site, number) for site in sites for number in range(1, hosts + 1)]
    spare = _kms_host(sites[0], hosts + 1, spare=True)
    return [*kms, spare, *_spread(sites, "client", 2, "pc-{:03d}", clients), *_spread(sites, "server", 3, "srv-{:02d}", servers)]


def _kms_host(site: Site, number: int, spare: bool = False) -> names.Machine:
    label, netbios = f"kms-{site.short}{number}", f"{site.group}{number}"
    return names.Machine(label, netbios, site.address(1, number), "kms", number, site.realm, site.zone, site.name, spare=spare)


def _spread(sites: Sequence[Site], role: names.Role, kind: int, form: str, count: int) -> Iterable[names.Machine]:
    for index, site in zip(range(count), itertools.cycle(sites), strict=False):
        label, number = form.format(index + 1), index // len(sites) + 1
        # Some clients, of other Windows versions each time, are in no domain.
        member = role != "client" or number % 4 != 2
        yield names.Machine(label, label.upper(), site.address(kind, number), role, number, site.realm, site.zone, site.name, member)


def of_zone(sites: Iterable[Site], name: str) -> Site | None:
    """The site in whose zone a DNS name lies, None if in nobody's."""
    wanted = f".{name.lower().rstrip('.')}"
    return next((site for site in sites if wanted.endswith(f".{site.zone}")), None)
