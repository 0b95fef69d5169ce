# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of Windows Defender Firewall (Windows 8, Server 2012 and newer), by their names, which no language changes."""

from __future__ import annotations

from dataclasses import dataclass

from .._wsman.fault import WsmanFault
from .._wsman.session import Session
from .classes import NET_FIREWALL_RULE

KMS_RULES = ("SPPSVC-In-TCP", "SPPSVC-In-TCP-NoScope")
"""The rules of the group Key Management Service. The second exists on newer builds only; together they are the
exception that the control panel shows as one."""

# MSFT_NetFirewallRule.Enabled is 1 for true and 2 for false.
_ENABLED = 1


@dataclass(frozen=True, slots=True)
class FirewallRule:
    """A rule as it is stored.

    Attributes:
        name: Its InstanceID.
        enabled: Whether it is on.
        profiles: The network profiles that it is for: 0 all, else the sum of 1 domain, 2 private, 4 public. Never changed.
    """

    name: str
    enabled: bool
    profiles: int


def read_rule(session: Session, name: str) -> FirewallRule | None:
    """A rule; C(None) where this Windows has none of that name."""
    try:
        found = session.get(NET_FIREWALL_RULE, _selectors(name))
    except WsmanFault as fault:
        if fault.not_found:
            return None
        raise
    return FirewallRule(name, found["Enabled"] == _ENABLED, int(str(found["Profiles"] or 0)))


def enable_rule(session: Session, name: str) -> None:
    """Switch a rule on, with the profiles and scope that it has."""
    session.invoke(NET_FIREWALL_RULE, "Enable", selectors=_selectors(name), repeatable=True)


def _selectors(name: str) -> dict[str, str]:
    """All four keys are needed, also those that are always empty."""
    return {
        "CreationClassName": f"MSFT|FW|FirewallRule|{name}",
        "PolicyRuleName": "",
        "SystemCreationClassName": "",
        "SystemName": "",
    }
