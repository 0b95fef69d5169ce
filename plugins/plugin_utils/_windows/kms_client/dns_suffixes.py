# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS suffix search list of a computer, which names the domains that a KMS client asks after its own.

The list is one for all adapters. Windows keeps it in the registry, and a policy keeps its own in another place; where there is
one by policy, the computer's own has no effect.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..._core.codes.code import plain
from ..._core.errors import ActivationError
from ..._core.plan import Plan, Step, StepKind
from ..._core.text import visible
from ..._wsman.session import Session
from ..platform.classes import WIN32_NETWORK_ADAPTER_CONFIGURATION
from ..platform.registry import KeyMissing, read_string, write_string

_TCPIP = "SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters"
_POLICY = "SOFTWARE\\Policies\\Microsoft\\Windows NT\\DNSClient"
_SEARCH_LIST = "SearchList"
ATTRIBUTE = "DNS suffix search list"
"""Its name in a plan."""
_METHOD = "Win32_NetworkAdapterConfiguration.SetDNSSuffixSearchOrder"
_REMOVAL = "StdRegProv.SetStringValue"

# Win32_NetworkAdapterConfiguration.SetDNSSuffixSearchOrder, ReturnValue (Microsoft's class reference).
_DONE, _DONE_AFTER_REBOOT = 0, 1
_MEANINGS = {
    64: "not supported",
    68: "invalid parameter",
    72: "the registry can't be accessed",
    73: "invalid domain name",
    91: "access denied; the WinRM account has to be an administrator there",
}


@dataclass(frozen=True, slots=True)
class Suffixes:
    """What was read.

    Attributes:
        own: The computer's primary DNS suffix, or where it has none its AD domain; empty where it has neither.
        search_list: The computer's own list; empty where none is set.
        policy: The list that a policy sets.
    """

    own: str
    search_list: tuple[str, ...]
    policy: tuple[str, ...]

    @property
    def source(self) -> str:
        """What decides: C(policy), C(set) or C(none)."""
        return "policy" if self.policy else "set" if self.search_list else "none"

    def as_result(self) -> dict[str, Any]:
        """For the task's result. Without any list, Windows appends its own domain, and those of its connections."""
        effective = self.policy or self.search_list or ((self.own,) if self.own else ())
        return {"search_list": list(self.search_list), "source": self.source, "effective": list(effective)}

    def whole(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """The list that is to be set where these suffixes are wanted; empty where none are.

        A list takes the place of primary and connection suffix, so that the computer's own domain comes first in it whatever is asked
        for; without it, the short names of its own domain would no longer be found.
        """
        own = [self.own] if self.own and wanted else []
        return tuple(dict.fromkeys([*own, *wanted]))

    def is_due(self, whole: Sequence[str]) -> bool:
        """Whether that list has to be set. A policy is not fought: under one it never has."""
        return not self.policy and self.search_list != tuple(whole)


class SuffixList:
    """The list of one computer and what it should be.

    Args:
        session: The host.
        wanted: The suffixes in their order, checked; an empty list removes what is set.
        domain: The AD domain of a member; empty otherwise.

    Attributes:
        found: What was read last.
        wanted: The whole list that is to be set, see C(Suffixes.whole).
    """

    def __init__(self, session: Session, wanted: Sequence[str], domain: str) -> None:
        self._session = session
        self._domain = domain
        self.found = self._read()
        self.wanted = self.found.whole(wanted)
        self._needs_reboot = False

    def plan(self, plan: Plan) -> None:
        """The step that sets the list, where it is due."""
        if not self.found.is_due(self.wanted):
            return
        how = _METHOD if self.wanted else _REMOVAL
        before, after = list(self.found.search_list) or None, list(self.wanted) or None
        plan.add(Step(self._session.host, ATTRIBUTE, before, after, how, kind=StepKind.SUFFIXES), self._set)

    def read_back(self) -> None:
        """Read again what was set.

        Raises:
            ActivationError: It is not as wanted.
        """
        self.found = self._read()
        if self.found.is_due(self.wanted):
            raise ActivationError(
                f"{_METHOD} succeeded, yet the DNS suffix search list is {_spoken(self.found.search_list)} instead"
                f" of {_spoken(self.wanted)}; something else on that computer sets it too.",
                subject=self._session.host,
                source="windows",
            )

    @property
    def warnings(self) -> list[str]:
        """What the user should know although nothing failed."""
        host = self._session.host
        if self.found.policy and self.found.policy != self.wanted:
            sentence = (
                f"{host}: a policy sets the DNS suffix search list to {_spoken(self.found.policy)}, so O(dns_suffixes) has no effect there;"
                " change the policy 'DNS suffix search list', or take the host out of its scope."
            )
            return [sentence]
        if self._needs_reboot:
            return [f"{host}: Windows takes up the DNS suffix search list with its next start."]
        return []

    def _read(self) -> Suffixes:
        return read_suffixes(self._session, self._domain)

    def _set(self) -> None:
        if not self.wanted:
            # An empty array can't be told from none on the wire, and what the method makes of none is documented nowhere.
            # An empty value is what Windows itself has where no list is set.
            write_string(self._session, _TCPIP, _SEARCH_LIST, "")
            return
        arguments = {"DNSDomainSuffixSearchOrder": list(self.wanted)}
        answer = self._session.invoke(WIN32_NETWORK_ADAPTER_CONFIGURATION, "SetDNSSuffixSearchOrder", arguments, repeatable=True)
        code = answer["ReturnValue"] or _DONE
        if code not in (_DONE, _DONE_AFTER_REBOOT):
            raise ActivationError(
                f"{_METHOD} failed with {code} ({_MEANINGS.get(code, 'an error of the network configuration')}).",
                subject=self._session.host,
                code=plain(code),
                source="windows",
            )
        self._needs_reboot = code == _DONE_AFTER_REBOOT


def read_suffixes(session: Session, domain: str) -> Suffixes:
    """What is set, and what a policy sets.

    Args:
        session: The host.
        domain: The AD domain of a member; empty otherwise.
    """
    primary = _listed(read_string(session, _TCPIP, "Domain"))
    try:
        policy = _listed(read_string(session, _POLICY, _SEARCH_LIST))
    except KeyMissing:
        policy = ()
    return Suffixes(primary[0] if primary else domain, _listed(read_string(session, _TCPIP, _SEARCH_LIST)), policy)


def _listed(text: str | None) -> tuple[str, ...]:
    """Windows separates the suffixes by commas; old tools wrote blanks, and it takes these as well."""
    return tuple(part.removesuffix(".").lower() for part in re.split(r"[\s,]+", text or "") if part)


def _spoken(suffixes: Sequence[str]) -> str:
    return visible(", ".join(suffixes)) or "empty"
