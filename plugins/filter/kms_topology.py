# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters about sites and their KMS hosts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._core.errors import ActivationError
from ..plugin_utils._topology import search_list
from ..plugin_utils._topology.derived import derived
from ..plugin_utils._topology.order_table import order_table
from ..plugin_utils._topology.sites import read_sites


def kms_topology(
    sites: Any,
    local_priority: Any = 10,
    remote_priority: Any = 90,
    remote_publish: Any = "dynamic",
    csvlk_hosts: Any = 6,
    credentials: Collection[str] | None = None,
) -> dict[str, Any]:
    """See C(kms_topology.yml)."""
    defaults = {
        "local_priority": local_priority,
        "remote_priority": remote_priority,
        "remote_publish": remote_publish,
        "csvlk_hosts": csvlk_hosts,
    }
    try:
        return derived(read_sites(sites, defaults, credentials))
    except ActivationError as failure:
        raise AnsibleFilterError(failure.message) from None


def kms_order_table(topology: Mapping[str, Any]) -> list[str]:
    """See C(kms_order_table.yml)."""
    return order_table(topology)


def kms_option_119(suffixes: Any) -> dict[str, Any]:
    """See C(kms_option_119.yml)."""
    return search_list.option_119(_suffixes(suffixes))


def kms_suffix_policy(suffixes: Any, gpo: str = "DNS suffix search list") -> dict[str, str]:
    """See C(kms_suffix_policy.yml)."""
    return search_list.suffix_policy(_suffixes(suffixes), gpo)


def _suffixes(raw: Any) -> list[str]:
    try:
        return search_list.read_suffixes(raw)
    except ActivationError as failure:
        raise AnsibleFilterError(failure.message) from None


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {
            "kms_topology": kms_topology,
            "kms_order_table": kms_order_table,
            "kms_option_119": kms_option_119,
            "kms_suffix_policy": kms_suffix_policy,
        }
