# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can't work although every single value may stand. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from .appearances import publishing_sites
from .model import DOMAIN_LOCAL, GLOBAL, Site, Sites
from .reading import meant, shown

# What a sAMAccountName must not hold (MS-SAMR 3.1.1.6) or end with.
_NOT_IN_GROUPS = '"/\\[]:;|=,+*?<>@'


def contradictions(variable: str, sites: Sites, csvlk_hosts: int, credentials: Collection[str] | None) -> Iterator[str]:
    """One sentence for each contradiction, beginning with the path of the line.

    Args:
        variable: The name of the variable, which the paths begin with.
        sites: The sites as they were read. A value that could not be read is empty, and is not complained about again.
        csvlk_hosts: How many computers the KMS host key may be installed on.
        credentials: The names of the credentials that there are; C(None) where they are not known.
    """
    yield from _doubles(variable, sites)
    for site in sites.values():
        path = f"{variable}.{shown(site.name)}"
        if site.zone and site.domain != site.zone and not site.domain.endswith(f".{site.zone}"):
            yield f"{path}.zone: {site.zone} is neither {site.domain} nor above it, so it can't hold the record of that domain."
        if credentials is not None and site.credential and site.credential not in credentials:
            yield f"{path}.credential: volume_activation_credentials has no {shown(site.credential)}.{meant(site.credential, credentials)}"
        yield from _wrong_group(path, site, sites)
    hosts = sum(len(site.kms_hosts) for site in sites.values())
    if hosts > csvlk_hosts:
        yield (
            f"{variable}: there are {hosts} KMS hosts, and one KMS host key covers {csvlk_hosts} computers; take hosts out,"
            " or raise O(csvlk_hosts) if Microsoft has raised the key's limit or the hosts have several keys."
        )


def _doubles(variable: str, sites: Sites) -> Iterator[str]:
    """What has to be there once: domains, groups, networks, hosts, their names in the inventory, and their addresses."""
    seen: dict[tuple[str, ...], str] = {}

    def again(kind: str, value: str, where: str, *more: str) -> str:
        """Where the value stood first; empty where this is the first time."""
        return "" if not value else first if (first := seen.setdefault((kind, value, *more), where)) != where else ""

    for site in sites.values():
        path = f"{variable}.{shown(site.name)}"
        if first := again("domain", site.domain, path):
            yield f"{path}.domain: {site.domain} is the domain of {first} already; clients of one domain follow one record, so make them one site."
        if first := again("group", site.group.lower(), path, site.ad_domain):
            yield f"{path}.group: {shown(site.group)} in {site.ad_domain} is the group of {first} already; rights differ by site, so give each its own."
        for network in site.client_networks:
            if first := again("network", network, path):
                yield f"{path}.client_networks: {network} is a network of {first} already."
        for number, host in enumerate(site.kms_hosts):
            where = f"{path}.kms_hosts[{number}]"
            if first := again("host", host.name, where):
                yield f"{where}.name: {host.name} is at {first} already; a host belongs to one site."
            elif first := again("inventory", host.inventory_hostname, where):
                yield f"{where}.inventory_hostname: {shown(host.inventory_hostname)} is at {first} already."
            if first := again("address", host.address, where):
                yield f"{where}.address: {host.address} is at {first} already."


def _wrong_group(path: str, site: Site, sites: Sites) -> Iterator[str]:
    """Groups that can't have the members or the rights that they are for (scopes of groups in Active Directory)."""
    if forbidden := sorted(set(site.group) & set(_NOT_IN_GROUPS)):
        yield f"{path}.group: {shown(site.group)} holds {' '.join(forbidden)}, which no name of a group may."
    if not site.ad_domain:
        return
    for number, host in enumerate(site.kms_hosts):
        if site.group_scope == GLOBAL and host.ad_domain not in ("", site.ad_domain):
            yield (
                f"{path}.kms_hosts[{number}].ad_domain: {host.name} is in {host.ad_domain}, and the group {shown(site.group)} of {site.ad_domain}"
                " can't have it as a member, because a global group takes members of its own domain only; put the host into a site of"
                f" {host.ad_domain}, or set group_scope: universal if both domains are in one forest."
            )
    if site.group_scope != DOMAIN_LOCAL:
        return
    for other in sites.values():
        if other.ad_domain not in ("", site.ad_domain) and any(home is site for home in publishing_sites(sites, other)):
            yield (
                f"{path}.group_scope: the hosts of {shown(site.name)} publish themselves in {other.domain}, where {shown(site.group)} needs rights, and a"
                f" domain local group counts only in its own domain, {site.ad_domain}; use a global group, or set remote_publish: static"
                f" for {shown(other.name)}."
            )
