# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which KMS hosts come before the others, because what they show can't be taken back.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..registered import Result
from .work import hosts_of


def first_of_keys(hosts: Sequence[str], licenses: Mapping[str, Result], keys: Mapping[str, Result]) -> list[str]:
    """One host for each key by which several are to be activated: a key that Microsoft refuses is then tried on that one alone.

    Args:
        hosts: The KMS hosts of the run, in its order.
        licenses: Results of C(license_info) by host.
        keys: What C(key_facts) tells of the key that each is to get.
    """
    due: dict[str, list[str]] = {}
    for host in hosts:
        windows = licenses.get(host, {}).get("windows") or {}
        held = str(windows.get("partial_key") or "") if windows.get("channel") == "csvlk" else ""
        key = str(keys[host]["last_five"] or held)
        if key != held or windows.get("status") != "licensed":
            due.setdefault(key, []).append(host)
    return [several[0] for several in due.values() if len(several) > 1]


def first_hosts(
    topology: Result, kms_hosts: Sequence[str], makers: Mapping[str, list[str]], of_keys: Sequence[str], each_has_rights: bool
) -> dict[str, list[str]]:
    """The hosts that come first, each with the domains in which it publishes then.

    Args:
        topology: The sites.
        kms_hosts: The KMS hosts of the run, by their name in the inventory.
        makers: Those that make records which are missing, with the domains of these.
        of_keys: Those that are the first with their key.
        each_has_rights: Each host may write the records, so that it publishes wherever it has to.
    """
    hosts = hosts_of(topology, kms_hosts)
    if not each_has_rights:
        return {**{host: [] for host in of_keys}, **makers}
    return {host: [line["domain"] for line in _lines(hosts, host)] for host in of_keys}


def _lines(hosts: Mapping[str, Any], host: str) -> Sequence[Mapping[str, Any]]:
    return hosts[host]["publish_list"] if host in hosts else ()
