# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run is asked for: the sites, and what is expected of KMS hosts and clients. Pure, but for a look at where the report goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._core.address import checked_domain, is_address
from ..._core.errors import ActivationError
from ..._core.given import names_of
from ..._core.text import some
from ..._topology.derived import derived
from ..._topology.flow_table import flow_table
from ..._topology.order_table import order_table
from ..._topology.sites import read_sites
from ..kms.settings import SINGLE, read_settings
from ..kms.work import single_site, target_of
from . import links
from .clients import Expected
from .file import checked_path

TARGET = "kms_single_site_target"
"""The variable by which the inventory tells the name of a KMS host in DNS."""
_DEFAULTS = ("local_priority", "remote_priority", "remote_publish", "csvlk_hosts")


def declared(options: Mapping[str, Any], kms_hosts: Mapping[str, str]) -> dict[str, Any]:
    """The topology and what follows from it, as the documentation of C(run_audit) has it.

    Args:
        options: Those of the action.
        kms_hosts: The KMS hosts of the inventory, each with the name in DNS that its variable gives; empty for none.

    Raises:
        ActivationError: Something is wrong with the options.
    """
    single = read_settings(SINGLE, options["single"]) if not options["sites"] and options["single"].get("domain") else None
    if single:
        if nameless := [name for name, given in kms_hosts.items() if not given and is_address(name)]:
            raise ActivationError(
                f"{some(nameless)}: the inventory has its address only, and an audit compares names in DNS. Set {TARGET} for it.",
                source="options",
            )
        targets = {name: target_of(name, given, "" if "." in name else f"{name}.{single.domain}") for name, given in kms_hosts.items()}
        topology = single_site(single, targets)
    else:
        topology = derived(read_sites(options["sites"], {name: options[name] for name in _DEFAULTS}, options["credentials"]))
    suffixes = _suffixes(options["dns_suffixes"]) or (single.dns_suffixes if single else None)
    lookup_domain = options["lookup_domain"]
    return {
        "topology": topology,
        "sites": [
            {**site, "endpoints": [f"{name}:{topology['hosts'][name]['port']}" for name in site["kms_hosts"]]}
            for site in topology["sites"].values()
        ],
        "order": order_table(topology),
        "flows": flow_table(topology) if options["flows"] else [],
        "links": links.due(topology, _nodes(options["nodes"], topology["sites"])),
        "settings": {
            "dns_suffixes": suffixes,
            "lookup_domain": checked_domain(lookup_domain, "lookup_domain") if lookup_domain else single.lookup_domain if single else "",
            "host_caching": single.host_caching if single else options["host_caching"],
            "alternate_url": options["alternate_url"] or "",
            "listed": not single,
            "validity_days": options["validity_days"],
            "required_count": options["required_count"],
            "control_site": options["control_site"] or "",
            "report_file": checked_path(options["report_file"] or ""),
            "fail": options["fail"],
        },
    }


def expected_of(topology: Mapping[str, Any], settings: Mapping[str, Any]) -> Expected:
    """What clients should be like.

    Args:
        topology: The derived topology.
        settings: As C(declared) gives them.
    """
    return Expected(
        domains={name: site["domain"] for name, site in topology["sites"].items()},
        dns_suffixes=settings["dns_suffixes"],
        lookup_domain=settings["lookup_domain"],
        host_caching=settings["host_caching"],
        alternate_url=settings["alternate_url"],
        listed=settings["listed"],
        validity_days=settings["validity_days"],
    )


def _nodes(raw: Any, sites: Mapping[str, Any]) -> dict[str, str]:
    """By site the host of the inventory that looks from there."""
    if not raw:
        return {}
    if not isinstance(raw, Mapping) or not all(isinstance(name, str) and name for name in raw.values()):
        raise ActivationError(
            "kms_audit_nodes is no dictionary of sites with a host of the inventory for each, such as {berlin: node-1}.", source="options"
        )
    unknown = [str(site) for site in raw if site not in sites]
    if unknown:
        raise ActivationError(f"kms_audit_nodes names {unknown[0]}, which is no site of volume_activation_sites.", source="options")
    return {str(site): str(name) for site, name in raw.items()}


def _suffixes(raw: Any) -> list[str] | None:
    """A DNS suffix search list; C(None) where none is given."""
    return [checked_domain(suffix, "dns_suffixes") for suffix in names_of(raw, "kms_audit_dns_suffixes")] or None
