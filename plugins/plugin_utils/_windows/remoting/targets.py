# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host needs to stay within reach: of WinRM, through which it is reached now, and of WMI over DCOM for a VAMT beside us.

Each need is looked at by itself, so that a right that is lacking for one hides none of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..._core.errors import ActivationError
from ..._core.plan import Step
from ..._wsman.session import Session
from ..platform import firewall, registry, services
from ..platform.firewall import FirewallRule

WINRM = "WinRM"
HTTP_PORT = 5985
WINRM_RULES = ("WINRM-HTTP-In-TCP", "WINRM-HTTP-In-TCP-NoScope")
"""The rules of port 5985 for networks that are not public. Which of them there are is a matter of build and edition."""
WMI_RULES = tuple(f"WMI-{part}-In-TCP{scope}" for scope in ("", "-NoScope") for part in ("RPCSS", "WINMGMT", "ASYNC"))
"""The exception Windows Management Instrumentation (WMI) for incoming connections, which VAMT needs."""
POLICY_KEY = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System"
POLICY_VALUE = "LocalAccountTokenFilterPolicy"
_AUTOMATIC = "Auto"
_BY_POLICY = "have it done by policy"


@dataclass(frozen=True, slots=True)
class TargetWish:
    """What a host is to have; C(None) leaves a thing alone.

    Attributes:
        winrm_service: Whether WinRM has to start with Windows.
        winrm_rule: Whether the firewall rule of port 5985 has to be on; C(None) looks at it and leaves it alone, as another rule may
            let the connection in, and more narrowly.
        local_accounts: Whether local administrators keep their rights over the network.
        wmi_exception: Whether the firewall lets WMI over DCOM in.
        netsh: Whether netsh.exe may be started for rules where Windows has no class for them.
    """

    winrm_service: bool = True
    winrm_rule: bool | None = None
    local_accounts: bool | None = None
    wmi_exception: bool | None = None
    netsh: bool = False


@dataclass(slots=True)
class Need:
    """One thing, as it was found.

    Attributes:
        name: C(winrm_service), C(winrm_rule), C(local_accounts) or C(wmi_rules).
        met: Whether it is as it is to be; C(None) where that can't be told.
        said: The same as what a sentence says of the host, with what to do.
        changes: What is to be done, each step with its call.
        host: The host.
    """

    name: str
    met: bool | None
    said: str
    changes: list[tuple[Step, Callable[[], None]]]
    host: str = ""

    @property
    def detail(self) -> str:
        """The whole sentence."""
        return f"{self.host}: {self.said}"

    def as_result(self) -> dict[str, Any]:
        """The need as a task result shows it."""
        return {"name": self.name, "met": self.met, "detail": self.detail, "said": self.said}


class RemotingTarget:
    """One host over its session."""

    def __init__(self, session: Session, wish: TargetWish) -> None:
        self._session = session
        self._wish = wish
        self._host = session.host
        self.needs = self._read()
        self.steps: list[Step] = []

    def change(self, check_mode: bool) -> None:
        """Do what is due, as far as the account may, and read again what came of it. In check mode plan only."""
        if check_mode:
            self.steps = [step for need in self.needs for step, _apply in need.changes]
            return
        refusals = {need.name: refusal for need in self.needs if (refusal := self._apply(need))}
        if self.steps or refusals:
            self.needs = self._read()
        for need in self.needs:
            if need.name in refusals:
                need.said = f"{need.said} It could not be done from here: {refusals[need.name]}"

    def _apply(self, need: Need) -> str:
        """Make the changes of one need; why one was refused."""
        for step, apply in need.changes:
            try:
                apply()
            except ActivationError as refusal:
                if refusal.unreachable:
                    raise
                return refusal.message
            self.steps.append(step)
        return ""

    def _read(self) -> list[Need]:
        wish = self._wish
        readers: list[tuple[str, Callable[[], Need]]] = []
        if wish.winrm_service:
            readers.append(("winrm_service", self._service))
        readers.append(("winrm_rule", self._winrm_rule))
        if wish.local_accounts is not None:
            readers.append(("local_accounts", self._local_accounts))
        if wish.wmi_exception is not None:
            readers.append(("wmi_rules", self._wmi_rules))
        needs = [self._attempt(name, read) for name, read in readers]
        for need in needs:
            need.host = self._host
        return needs

    def _attempt(self, name: str, read: Callable[[], Need]) -> Need:
        try:
            return read()
        except ActivationError as refusal:
            if refusal.unreachable:
                raise
            return Need(name, None, refusal.said, [])

    def _service(self) -> Need:
        mode = services.start_mode(self._session, WINRM)
        if mode == _AUTOMATIC:
            return Need("winrm_service", True, "the service WinRM starts with Windows.", [])
        detail = (
            f"the service WinRM does not start with Windows (its start mode is {mode}), so that the host may be out of reach"
            f" after a restart; set it to start automatically, or {_BY_POLICY}."
        )
        step = Step(self._host, "start mode of the service WinRM", mode, _AUTOMATIC, "Win32_Service.ChangeStartMode")
        return Need("winrm_service", False, detail, [(step, lambda: services.start_automatically(self._session, WINRM))])

    def _winrm_rule(self) -> Need:
        parts = urlsplit(self._session.carrier.endpoint)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if port != HTTP_PORT:
            detail = (
                f"the connection uses port {port}, for which Windows has no firewall rule of its own, so that none was checked;"
                " yours let it in."
            )
            return Need("winrm_rule", None, detail, [])
        if self._wish.winrm_rule is not None:
            return self._rules("winrm_rule", WINRM_RULES, self._wish.winrm_rule, f"port {HTTP_PORT}")
        need = self._rules("winrm_rule", WINRM_RULES, True, f"port {HTTP_PORT}")
        if need.met is False:
            detail = (
                f"the firewall rule {WINRM_RULES[0]} is off, and the connection came in all the same: by a rule of yours, or"
                " because the firewall is off."
            )
            return Need("winrm_rule", None, detail, [])
        return need

    def _wmi_rules(self) -> Need:
        return self._rules("wmi_rules", WMI_RULES, bool(self._wish.wmi_exception), "WMI over DCOM")

    def _rules(self, name: str, names: Sequence[str], on: bool, what: str) -> Need:
        rules = firewall.read_rules(self._session, names)
        if not rules:
            detail = f"this Windows has no firewall rule {names[0]}; what lets {what} in, or keeps it out, is not known."
            return Need(name, None, detail, [])
        wrong = [rule for rule in rules.values() if rule.enabled != on]
        listed, word = ", ".join(rule.name for rule in wrong or rules.values()), firewall.spoken(on)
        if not wrong:
            return Need(name, True, f"the firewall rules for {what} are {word} ({listed}).", [])
        detail = f"firewall rules for {what} are to be {word} and are not ({listed}); switch them {word}, or {_BY_POLICY}."
        if wrong[0].by_netsh and not self._wish.netsh:
            detail += (
                " It could not be done from here: before Windows 8 and Server 2012 no WMI class switches it; give firewall_method: netsh,"
                f" or run this on the host: {firewall.netsh_command(self._host, wrong[0], on)}."
            )
            return Need(name, False, detail, [])
        return Need(name, False, detail, [self._switch(rule, on) for rule in wrong])

    def _switch(self, rule: FirewallRule, on: bool) -> tuple[Step, Callable[[], None]]:
        how = firewall.way_to_switch(rule, on)
        step = Step(self._host, f"firewall rule {rule.name}", firewall.spoken(rule.enabled), firewall.spoken(on), how)
        return step, lambda: firewall.switch_rule(self._session, rule, on)

    def _local_accounts(self) -> Need:
        value = self._policy()
        kept, wanted = value == 1, bool(self._wish.local_accounts)
        if kept == wanted:
            return Need("local_accounts", True, f"{_SAID[kept]}.", [])
        detail = f"{_SAID[kept]}; set {POLICY_VALUE} to {int(wanted)}, or {_BY_POLICY}."
        step = Step(self._host, POLICY_VALUE, value, int(wanted), "StdRegProv.SetDWORDValue")
        return Need("local_accounts", False, detail, [(step, lambda: self._write_policy(int(wanted)))])

    def _policy(self) -> int | None:
        try:
            return registry.read_number(self._session, POLICY_KEY, POLICY_VALUE)
        except registry.KeyMissing:
            return None

    def _write_policy(self, value: int) -> None:
        registry.create_key(self._session, POLICY_KEY)
        registry.write_number(self._session, POLICY_KEY, POLICY_VALUE, value)


_SAID: Mapping[bool, str] = {
    True: f"local administrators keep their rights over the network ({POLICY_VALUE} is 1)",
    False: f"local administrators, except the built-in one, have no such rights over the network ({POLICY_VALUE} is not 1)",
}
