# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has to be let through to whom. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .appearances import RecordEntry, entries
from .model import Site, Sites

# A secure dynamic update asks for the zone's server over UDP and negotiates its key over TCP; Kerberos begins with UDP and
# turns to TCP for tickets that do not fit (RFC 3645, RFC 4120 7.2).
_BOTH = ("tcp", "udp")
_DNS, _KERBEROS = 53, 88


def flows(sites: Sites) -> Iterator[dict[str, Any]]:
    """The connections between sites, and within each, that activation and the publication in other sites' records need."""
    for site in sites.values():
        for entry in entries(sites, site):
            yield _activation(entry)
    for site in sites.values():
        for entry in entries(sites, site):
            if entry.dynamic and entry.home is not site:
                yield from _publication(entry)


def _activation(entry: RecordEntry) -> dict[str, Any]:
    return {
        "from_site": entry.site.name,
        "from_networks": list(entry.site.client_networks),
        "to_host": entry.host.name,
        "to_address": entry.host.address,
        "to_site": entry.home.name,
        "protocol": "tcp",
        "port": entry.host.port,
        "purpose": "activation" if entry.home is entry.site else "fallback",
    }


def _publication(entry: RecordEntry) -> Iterator[dict[str, Any]]:
    for server, port in _servers(entry.host.ad_domain, entry.site):
        for protocol in _BOTH:
            yield {
                "from_site": entry.home.name,
                "from_host": entry.host.name,
                "from_address": entry.host.address,
                "to_server": server,
                "to_site": entry.site.name,
                "protocol": protocol,
                "port": port,
                "purpose": f"publication in {entry.site.domain}",
            }


def _servers(ad_domain: str, site: Site) -> Iterator[tuple[str, int]]:
    """The servers that a host needs in order to publish itself in another site's zone.

    Tickets for the DNS servers of its own Active Directory domain come from its own controllers; for another domain it has
    to ask that one's.
    """
    for server in site.dns_servers:
        host, colon, port = server.rpartition(":")
        yield (host, int(port)) if colon and ":" not in host else (server, _DNS)
    if ad_domain != site.ad_domain:
        yield from ((server, _KERBEROS) for server in site.domain_controllers)
