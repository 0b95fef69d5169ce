# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The KMS exception of Windows Firewall, by names that no language changes.

Windows 8 and Server 2012 brought a WMI class for rules. Before, a rule can be read in the registry only, and a change there has
no effect until the firewall's service starts again; so it is switched by netsh, and the registry shows when it is on.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ..._core.codes.asked import Asked
from ..._core.errors import ActivationError
from ..._wsman.fault import WsmanFault
from ..._wsman.session import Session
from . import computer, programs, registry
from .classes import NET_FIREWALL_RULE
from .returned import check_return_value
from .versions import WINDOWS_8, WindowsVersion

KMS_RULES = ("SPPSVC-In-TCP", "SPPSVC-In-TCP-NoScope")
"""The rules of the group Key Management Service. Which of them there are is a matter of build and edition; together they are
the exception that the control panel shows as one."""

# MSFT_NetFirewallRule.Enabled is 1 for true and 2 for false.
_ENABLED = 1

RULES_KEY = "SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\FirewallRules"
"""One REG_SZ value for each local rule, by its name (MS-GPFAS 2.2.2 has the grammar of its text)."""

_PROFILE_BITS = {"domain": 1, "private": 2, "public": 4}
# A resource string such as @FirewallAPI.dll,-28002, or a name; it stands between quotes in a command line.
_GROUP = re.compile(r'[^"%\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}')
# netsh has ended within a second on any machine that is not starving.
_NETSH_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class FirewallRule:
    """A rule as it is stored.

    Attributes:
        name: Its InstanceID, which is the name of its registry value.
        enabled: Whether it is on.
        profiles: The network profiles that it is for: 0 all, else the sum of 1 domain, 2 private, 4 public. Never changed.
        ports: The TCP ports that it opens, as the registry has them; empty where the rule was read through its class.
        group: What the registry has as its group, for rules that netsh has to switch; empty otherwise.
        by_netsh: Whether this Windows has no class for it.
    """

    name: str
    enabled: bool
    profiles: int
    ports: tuple[str, ...] = ()
    group: str = ""
    by_netsh: bool = False


def read_kms_rules(session: Session, version: WindowsVersion | None = None) -> dict[str, FirewallRule]:
    """The rules of the KMS exception that this Windows has, by name; see C(read_rules)."""
    return read_rules(session, KMS_RULES, version)


def read_rules(session: Session, names: Sequence[str], version: WindowsVersion | None = None) -> dict[str, FirewallRule]:
    """Those of some rules that this Windows has, by name.

    Args:
        session: The host.
        names: Their names.
        version: Its version where it is known. It is asked for only where the first rule can't be read as on a new Windows.
    """
    first: FirewallRule | None = None
    if version is None or version >= WINDOWS_8:
        try:
            first = read_rule(session, names[0])
        except WsmanFault:
            # A Windows without the class and one that fails to serve it may answer alike.
            if version is not None or not _is_old(session):
                raise
        else:
            if first is not None or version is not None or not _is_old(session):
                found = (first, *(read_rule(session, name) for name in names[1:]))
                return {rule.name: rule for rule in found if rule}
    in_registry = (read_registry_rule(session, name) for name in names)
    return {rule.name: rule for rule in in_registry if rule}


def read_rule(session: Session, name: str) -> FirewallRule | None:
    """A rule through its class; C(None) where this Windows has none of that name."""
    try:
        found = session.get(NET_FIREWALL_RULE, _selectors(name))
    except WsmanFault as fault:
        if fault.not_found:
            return None
        raise
    return FirewallRule(name, found["Enabled"] == _ENABLED, int(str(found["Profiles"] or 0)))


def read_registry_rule(session: Session, name: str) -> FirewallRule | None:
    """A rule from the registry, as Windows before 8 has it; C(None) where there is none of that name."""
    try:
        text = registry.read_string(session, RULES_KEY, name)
    except registry.KeyMissing:
        return None
    return None if text is None else parse_rule(name, text)


def parse_rule(name: str, text: str) -> FirewallRule:
    """A rule from its text, such as C(v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=1688|EmbedCtxt=@FirewallAPI.dll,-28002|).

    A field may come several times; fields that are not needed here are passed over.
    """
    fields: dict[str, list[str]] = {}
    for part in text.split("|"):
        field, equals, value = part.partition("=")
        if equals:
            fields.setdefault(field.strip().lower(), []).append(value.strip())
    return FirewallRule(
        name=name,
        enabled=fields.get("active", [""])[-1].lower() == "true",
        profiles=sum({_PROFILE_BITS.get(profile.lower(), 0) for profile in fields.get("profile", [])}),
        ports=tuple(fields.get("lport", [])),
        group=fields.get("embedctxt", [""])[-1],
        by_netsh=True,
    )


def switch_rule(session: Session, rule: FirewallRule, on: bool) -> None:
    """Switch a rule on or off, with the profiles and scope that it has.

    Raises:
        ActivationError: It stayed as it was, or netsh could not be started.
    """
    if not rule.by_netsh:
        method = "Enable" if on else "Disable"
        try:
            answer = session.invoke(NET_FIREWALL_RULE, method, selectors=_selectors(rule.name), repeatable=True)
        except WsmanFault as fault:
            if not fault.not_found:
                raise
            raise ActivationError(
                f"the firewall rule {rule.name} is gone since it was read, so it was not switched {spoken(on)}. Run the task"
                " again; it reads the rules first.",
                subject=session.host,
                code=fault.code,
                name=fault.name,
                source="windows",
            ) from fault
        check_return_value(session, f"MSFT_NetFirewallRule.{method}", answer, Asked.WINDOWS)
        return
    if _is_on(session, rule.name) == on:
        # The other rule of its group was switched before, and it with it.
        return
    command, word = netsh_command(session.host, rule, on), spoken(on)
    programs.start(session, command, f"switch the rule {word} by policy, or run this on it, by hand or as a scheduled task: {command}")
    deadline = time.monotonic() + _NETSH_SECONDS
    pause = 0.1
    while _is_on(session, rule.name) != on:
        if time.monotonic() >= deadline:
            raise ActivationError(
                f"netsh was started, but {_NETSH_SECONDS:.0f} s later the firewall rule {rule.name} is still"
                f" {spoken(not on)}. A policy may hold it, or something on the host stops such programs; switch the rule {word} by policy, or run this on"
                f" it, by hand or as a scheduled task: {command}.",
                subject=session.host,
                source="windows",
            )
        time.sleep(pause)
        pause = min(pause * 2, 2.0)


def way_to_switch(rule: FirewallRule, on: bool) -> str:
    """How a rule is switched, for a plan."""
    return "netsh.exe through Win32_Process.Create" if rule.by_netsh else f"MSFT_NetFirewallRule.{'Enable' if on else 'Disable'}"


def spoken(on: bool) -> str:
    """On or off, as people say it."""
    return "on" if on else "off"


def netsh_command(host: str, rule: FirewallRule, on: bool = True) -> str:
    """What switches the rule's group on or off. netsh takes a group by its resource string in every language, a rule by its shown name only.

    Raises:
        ActivationError: The rule has no group that could be named.
    """
    if not _GROUP.fullmatch(rule.group):
        raise ActivationError(
            f"the firewall rule {rule.name} belongs to no group that netsh could switch; open the KMS port by policy.",
            subject=host,
            source="windows",
        )
    return f'netsh.exe advfirewall firewall set rule group="{rule.group}" new enable={"yes" if on else "no"}'


def _is_on(session: Session, name: str) -> bool:
    rule = read_registry_rule(session, name)
    return rule is not None and rule.enabled


def _is_old(session: Session) -> bool:
    return computer.read_operating_system(session).windows < WINDOWS_8


def _selectors(name: str) -> dict[str, str]:
    """All four keys are needed, also those that are always empty."""
    return {
        "CreationClassName": f"MSFT|FW|FirewallRule|{name}",
        "PolicyRuleName": "",
        "SystemCreationClassName": "",
        "SystemName": "",
    }
