# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The topology and all that follows from it, as plain data for variables. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .._srv.order import groups
from .._srv.value import SrvValue
from .appearances import RecordEntry, entries, published_by, publishing_sites
from .flows import flows
from .model import DYNAMIC, PRINTED, STATIC, KmsHost, Site, Sites


def derived(sites: Sites) -> dict[str, Any]:
    """Sites, hosts, zones, grants, flows and orders, as the filter C(kms_topology) documents them."""
    zones = {site.domain: _zone(sites, site) for site in sites.values()}
    return {
        "sites": {site.name: _site(sites, site) for site in sites.values()},
        "hosts": {host.name: _host(sites, host, site) for site in sites.values() for host in site.kms_hosts},
        "zones": zones,
        "grants": [grant for site in sites.values() for grant in _grants(sites, site)],
        "flows": list(flows(sites)),
        "orders": {site.name: order([entry.value for entry in entries(sites, site)]) for site in sites.values()},
    }


def order(values: list[SrvValue]) -> list[dict[str, Any]]:
    """The priorities in the order in which clients of Windows 7 and later try them, with each host's share in percent."""
    return [
        {
            "priority": group.priority,
            "hosts": [
                {"target": value.target, "port": value.port, "weight": value.weight, "share": share} for value, share in group.shares
            ],
        }
        for group in groups(values)
    ]


def _site(sites: Sites, site: Site) -> dict[str, Any]:
    others = [other.domain for other in sites.values() if other is not site]
    return {
        "name": site.name,
        "domain": site.domain,
        "zone": site.zone,
        "ad_domain": site.ad_domain,
        "record": site.record,
        "group": site.group,
        "group_scope": site.group_scope,
        "domain_controllers": list(site.domain_controllers),
        "server": _server(site),
        "dns_servers": list(site.dns_servers),
        "credential": site.credential,
        "client_networks": list(site.client_networks),
        "remote_publish": site.remote_publish,
        "records": site.records,
        "kms_hosts": [host.name for host in site.kms_hosts],
        # A search list takes the place of the primary and the connection's suffix, so the own domain stays first in it.
        "dns_suffixes": [site.domain, *others],
    }


def _host(sites: Sites, host: KmsHost, site: Site) -> dict[str, Any]:
    published = published_by(sites, host, site)
    return {
        "name": host.name,
        "site": site.name,
        "inventory_hostname": host.inventory_hostname,
        "port": host.port,
        "address": host.address,
        "ad_domain": host.ad_domain,
        "publish_list": [
            {
                "domain": entry.site.domain,
                "priority": entry.value.priority,
                "weight": entry.value.weight,
                "dns_servers": list(entry.site.dns_servers),
            }
            for entry in published
        ],
        "publish_lines": [f"{entry.site.domain}, {entry.value.priority}, {entry.value.weight}" for entry in published],
    }


def _zone(sites: Sites, site: Site) -> dict[str, Any]:
    found = list(entries(sites, site))
    return {
        "site": site.name,
        "domain": site.domain,
        "zone": site.zone,
        "record": site.record,
        "server": _server(site),
        "domain_controllers": list(site.domain_controllers),
        "dns_servers": list(site.dns_servers),
        "credential": site.credential,
        "records": site.records,
        "values": [_value(entry) for entry in found],
        "dynamic": [_value(entry) for entry in found if entry.dynamic],
        "static": [_value(entry) for entry in found if entry.writer == STATIC],
        "updated": [_value(entry) for entry in found if entry.writer == DYNAMIC],
        "printed": [_value(entry) for entry in found if entry.writer == PRINTED],
        "grants": [
            {"group": grant["group"], "group_domain": grant["group_domain"], "site": grant["site"]} for grant in _grants(sites, site)
        ],
    }


def _server(site: Site) -> str:
    return next(iter((*site.domain_controllers, *site.dns_servers)), "")


def _value(entry: RecordEntry) -> dict[str, Any]:
    value = entry.value
    return {"target": value.target, "port": value.port, "priority": value.priority, "weight": value.weight}


def _grants(sites: Sites, site: Site) -> Iterator[dict[str, Any]]:
    """The groups that need read, write and delete on a site's record, because hosts of theirs publish there."""
    for home in publishing_sites(sites, site):
        yield {
            "record": site.record,
            "domain": site.domain,
            "zone": site.zone,
            "server": _server(site),
            "domain_controllers": list(site.domain_controllers),
            "credential": site.credential,
            "group": home.group,
            "group_domain": home.ad_domain,
            "site": home.name,
            "home": home is site,
        }
