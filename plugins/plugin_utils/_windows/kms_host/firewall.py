# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewall exception of a KMS host: which steps open or close it."""

from __future__ import annotations

from collections.abc import Callable

from ..._core.errors import ActivationError
from ..._core.plan import Step, StepKind
from ..platform import firewall
from ..platform.firewall import FirewallRule
from .work import HostWork

_WORDS = {True: "enabled", False: "disabled"}


def plan_rules(work: HostWork, on: bool) -> None:
    """Add the rules that have to be switched.

    Raises:
        ActivationError: netsh is needed for it, and not allowed.
    """
    for rule in work.state.rules.values():
        if rule.enabled == on:
            continue
        if rule.by_netsh and not work.wish.netsh:
            now, wanted = firewall.spoken(rule.enabled), firewall.spoken(on)
            raise ActivationError(
                f"the firewall rule {rule.name} is {now}, and before Windows 8 and Server 2012 no WMI class switches"
                f" it. Give O(firewall_method): netsh, which starts netsh.exe through Win32_Process.Create, switch the rule {wanted} by"
                f" policy, or run this on the host: {firewall.netsh_command(work.name, rule, on)}.",
                subject=work.name,
                source="options",
            )
        how = firewall.way_to_switch(rule, on)
        kind = StepKind.PROGRAM if rule.by_netsh else StepKind.SETTING
        step = Step(work.name, f"firewall rule {rule.name}", _WORDS[rule.enabled], _WORDS[on], how, kind=kind)
        work.plan.add(step, _switcher(work, rule, on))


def wrong_rules(work: HostWork, on: bool) -> list[str]:
    """What does not read as it is wanted."""
    return [f"firewall rule {rule.name}" for rule in work.state.rules.values() if rule.enabled != on]


def _switcher(work: HostWork, rule: FirewallRule, on: bool) -> Callable[[], None]:
    return lambda: firewall.switch_rule(work.session, rule, on)
