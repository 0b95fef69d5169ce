# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The declared topology: sites and their KMS hosts, every value filled in. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SERVICE = "_vlmcs._tcp"
PUBLISHED, DYNAMIC, STATIC, PRINTED = "published", "dynamic", "static", "printed"
"""Who writes a value: the host itself, the control node by dynamic update or into the directory, or those who run DNS."""
GLOBAL, UNIVERSAL, DOMAIN_LOCAL = "global", "universal", "domain_local"


@dataclass(frozen=True, slots=True)
class Appearance:
    """How a KMS host is to appear in the record of one site.

    Attributes:
        priority: 0 to 65535; clients try lower ones first.
        weight: 0 to 65535; the share among the hosts of the same priority.
        publish: Whether it appears there at all.
    """

    priority: int
    weight: int
    publish: bool = True


@dataclass(frozen=True, slots=True)
class KmsHost:
    """A KMS host.

    Attributes:
        name: Its full DNS name, which is also what it publishes.
        inventory_hostname: Its name in the inventory.
        port: The TCP port on which it listens.
        address: Its IP address; empty where DNS tells it.
        ad_domain: The Active Directory domain of its machine account.
        at_home: How it appears in its own site's record.
        elsewhere: How it appears in other sites' records.
        overrides: Site to how it appears there instead.
    """

    name: str
    inventory_hostname: str
    port: int
    address: str
    ad_domain: str
    at_home: Appearance
    elsewhere: Appearance
    overrides: Mapping[str, Appearance]


@dataclass(frozen=True, slots=True)
class Site:
    """A site: the clients that look in one DNS domain, and the KMS hosts that serve them first.

    Attributes:
        name: What it is called.
        domain: The DNS domain in which its clients look for C(_vlmcs._tcp).
        zone: The zone that the record lies in: the domain or one above it.
        ad_domain: The Active Directory domain of the zone, the group and the machine accounts.
        group: The group of its KMS hosts.
        group_scope: C(global), C(universal) or C(domain_local).
        domain_controllers: The domain controllers; the first that answers is written to.
        dns_servers: The DNS servers that are authoritative for the zone.
        credential: Key of the credential for directory and DNS; empty where the task's own is taken.
        client_networks: The networks of its clients; empty where not declared.
        remote_publish: Who brings hosts of other sites into its record: C(dynamic), the hosts, or C(static), the control node.
        kms_hosts: Its KMS hosts.
        records: Who writes its record: C(published) for the hosts, each of C(dynamic), C(static) and C(printed) for all values of it.
        listed: Whether its hosts have a publish list; without one Windows publishes them with 0 and 0.
    """

    name: str
    domain: str
    zone: str
    ad_domain: str
    group: str
    group_scope: str
    domain_controllers: tuple[str, ...]
    dns_servers: tuple[str, ...]
    credential: str
    client_networks: tuple[str, ...]
    remote_publish: str
    kms_hosts: tuple[KmsHost, ...]
    records: str = PUBLISHED
    listed: bool = True

    @property
    def record(self) -> str:
        """The full name of the record that its clients ask for."""
        return f"{SERVICE}.{self.domain}"


Sites = Mapping[str, Site]
"""The topology: every site by its name, in the order in which they were declared."""
