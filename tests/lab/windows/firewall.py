# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Windows firewall of a host: inbound rules, their registry values, and MSFT_NetFirewallRule.

Sources: docs/facts/system.md#firewall, docs/facts/system.md#firewall-rule-class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..wsman.backend import CimClass
from .data import table
from .provider import Instance, Provider
from .registry import Registry, ValueType
from .spec import HostSpec

DOMAIN_PROFILE = 1
PRIVATE_PROFILE = 2
PUBLIC_PROFILE = 4
RULES_KEY = r"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules"

_ALLOW = 2
_INBOUND = 1
_RULE_CLASS = "MSFT|FW|FirewallRule|"


@dataclass
class Rule:
    """An inbound rule. ``profiles`` is a sum of profile bits, 0 for all; ``port`` 0 is no fixed port."""

    name: str
    display: str
    group: str
    group_text: str
    port: int
    profiles: int
    enabled: bool
    action: int = _ALLOW
    description: str = ""
    stored: str = ""


def variant_of(spec: HostSpec, seed: int) -> str:
    """Which form of the rules a machine has where its spec does not say: clients, and half of the old servers, have them by profile."""
    split = not spec.windows.is_server or (spec.windows.schema < 2018 and seed % 2 == 1)
    return spec.firewall_variant or ("split" if split else "any")


class Firewall:
    """Rules by name, and what they let in on the active profile."""

    def __init__(self, variant: str, language: str, active_profile: int = DOMAIN_PROFILE, rules_apply: bool = True) -> None:
        suffix = "_de" if language.startswith("de") else ""
        self.active_profile = active_profile
        self.rules_apply = rules_apply
        self.rules = {
            row["name"]: Rule(
                row["name"],
                row[f"display{suffix}"],
                row["group"],
                row[f"group_text{suffix}"],
                row["port"],
                row["profiles"],
                row["enabled"],
                stored=row.get("stored", ""),
            )
            for row in table("firewall_rules")["rules"]
            if row.get("variant", variant) == variant
        }
        self.changed: Callable[[], None] = lambda: None

    def admits(self, port: int) -> bool:
        """Whether some enabled rule opens the TCP port on the active profile."""
        return self.rules_apply and any(
            rule.enabled and rule.port == port and rule.action == _ALLOW and (rule.profiles == 0 or rule.profiles & self.active_profile)
            for rule in self.rules.values()
        )

    def set_enabled(self, name: str, enabled: bool) -> None:
        """Switch a rule by its name in any case. Raises KeyError."""
        for rule in self.rules.values():
            if rule.name.lower() == name.lower():
                rule.enabled = enabled
                self.changed()
                return
        raise KeyError(name)

    def switch(self, criterion: str, text: str, enabled: bool) -> int:
        """What netsh does; how many rules met the criterion.

        ``name`` is the name as this machine's language shows it; ``group`` is the group's shown name or its resource string.
        """
        text = text.lower()
        found = [
            rule
            for rule in self.rules.values()
            if (criterion == "name" and text == rule.display.lower())
            or (criterion == "group" and text in (rule.group.lower(), rule.group_text.lower()))
        ]
        for rule in found:
            rule.enabled = enabled
        self.changed()
        return len(found)

    def store(self, registry: Registry, version: str) -> None:
        """Write the registry values of the rules as they are now."""
        row = _form(version)
        for rule in self.rules.values():
            if rule.stored:
                active = "TRUE" if rule.enabled else "FALSE"
                text = f"{row['prefix']}|Action=Allow|Active={active}|{rule.stored.format(app=row['app'])}"
                registry.set(RULES_KEY, rule.name, ValueType.SZ, text)

    def load(self, registry: Registry) -> None:
        """The firewall's service starts: only now it takes over what somebody wrote into the registry."""
        for rule in self.rules.values():
            text = registry.data(RULES_KEY, rule.name)
            if text:
                rule.enabled = "|active=true|" in str(text).lower()


def _form(version: str) -> dict[str, str]:
    """How a version of Windows writes its rules."""
    major, minor = (int(part) for part in version.split(".")[:2])
    rows: list[dict[str, str]] = table("firewall_rules")["versions"]
    return next(row for row in rows if (major, minor) <= tuple(int(part) for part in row["until"].split(".")))


class FirewallRules(Provider):
    """MSFT_NetFirewallRule: the local store's rules, switched by methods or by Put."""

    kind = "mi"

    def __init__(self, cim_class: CimClass, language: str, firewall: Callable[[], Firewall]) -> None:
        super().__init__(cim_class, language)
        self._firewall = firewall

    def instances(self, equal: Mapping[str, object] | None = None) -> Sequence[Instance]:
        """All rules."""
        return [self._instance(rule) for rule in self._firewall().rules.values()]

    def call(self, instance: Instance | None, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Enable or Disable; the answer is empty."""
        if instance is None:
            return super().call(instance, method, arguments)
        self._firewall().set_enabled(instance["InstanceID"], method == "Enable")
        return {}

    def put(self, selectors: Mapping[str, str], properties: Mapping[str, Any]) -> Instance:
        """Write what is writable of a rule."""
        rule = self._firewall().rules[self.get(selectors)["InstanceID"]]
        for name, value in properties.items():
            if name == "Enabled":
                rule.enabled = int(value) == 1
            elif name == "Profiles":
                rule.profiles = int(value)
            elif name == "Action":
                rule.action = int(value)
            elif name == "Description":
                rule.description = value or ""
        self._firewall().changed()
        return self._instance(rule)

    def _instance(self, rule: Rule) -> Instance:
        return self.complete(
            {
                "CreationClassName": _RULE_CLASS + rule.name,
                "PolicyRuleName": "",
                "SystemCreationClassName": "",
                "SystemName": "",
                "InstanceID": rule.name,
                "ElementName": rule.display,
                "DisplayName": rule.display,
                "DisplayGroup": rule.group_text,
                "RuleGroup": rule.group,
                "Description": rule.description or rule.display,
                "Enabled": 1 if rule.enabled else 2,
                "Profiles": rule.profiles,
                "Direction": _INBOUND,
                "Action": rule.action,
                "EdgeTraversalPolicy": 0,
                "LocalOnlyMapping": False,
                "LooseSourceMapping": False,
                "PrimaryStatus": 1,
                "Status": "The rule was parsed successfully from the store. (65536)",
                "StatusCode": 65536,
                "EnforcementStatus": [0],
                "PolicyStoreSource": "PersistentStore",
                "PolicyStoreSourceType": 1,
            }
        )
