# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which playbook the company of a park begins with, and what it has to declare so that this comes to its end."""

from __future__ import annotations

from .park import Park
from .windows.data import profiles


def choices(park: Park, role: str) -> dict[str, str]:
    """The variables of a role that say which programs it may start on KMS hosts.

    Before Windows 8 a firewall is switched by ``netsh.exe`` alone.
    """
    return {} if profiles()[park.kms].has_firewall_classes else {f"{role}_firewall_method": "netsh"}


def playbook(park: Park, has_sites: bool) -> str:
    """Its name in the collection."""
    if has_sites:
        return "kms_multi_site"
    if park.has_mak_groups:
        return "mak_proxy_collect" if park.isolated else "mak_independent"
    return "kms_single_site"
