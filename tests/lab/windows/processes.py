# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Win32_Process.Create: the few programs of Windows that have an effect here (docs/facts/system.md#processes).

There is no output and no exit code; whether it worked shows only in what changed.
"""

from __future__ import annotations

import ntpath
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..wsman.backend import WBEM_E_ACCESS_DENIED, CimClass
from .provider import Instance, Provider
from .registry import Registry
from .sysprep import FOLDER as SYSPREP_FOLDER

NETWORK_SERVICE_LOGON = 0x3E4

_OK = 0
_ACCESS_DENIED = 2
_PRIVILEGE = 3
_UNKNOWN_FAILURE = 8
_PATH_NOT_FOUND = 9
_INVALID_PARAMETER = 21

ASR_RULES = r"SOFTWARE\Policies\Microsoft\Windows Defender\Windows Defender Exploit Guard\ASR\Rules"
"""Where policy keeps Defender's rules: "1" blocks (Microsoft, attack surface reduction rules)."""
NO_PROCESSES_OVER_WMI = "d1e49aac-8f56-4280-b9ba-993a6d77406c"

# No source says how a blocked Create shows itself: each of these is served, by seed. None is an error of WMI.
_REFUSALS = (_ACCESS_DENIED, _PRIVILEGE, _UNKNOWN_FAILURE, _PATH_NOT_FOUND, None)

_KNOWN = ("klist", "netsh", "sysprep", "cmd", "gpupdate", "w32tm", "cscript", "slui")


def blocked_in(registry: Registry) -> bool:
    """Whether Defender's rule against processes started over WMI is on."""
    return bool(registry.data(ASR_RULES, NO_PROCESSES_OVER_WMI, "0") == "1")


HasEnded = Callable[[], bool]


@dataclass(frozen=True)
class Programs:
    """What the programs do to the machine. What each returns tells whether it has ended, which it does after its effect."""

    purge_tickets: Callable[[], HasEnded]
    switch_rules: Callable[[str, str, bool], HasEnded]
    sysprep: Callable[[list[str]], HasEnded]
    """Takes the words after the program."""


def split_command(line: str) -> list[str]:
    """A command line as its words; backslashes are no escapes. Raises ValueError for an open quotation mark."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.escape = ""
    lexer.quotes = '"'
    lexer.commenters = ""
    return list(lexer)


class Processes(Provider):
    """Win32_Process: one static method, and what it has started."""

    def __init__(
        self, cim_class: CimClass, language: str, programs: Programs, blocked: Callable[[], bool], seed: int, duration: float = 0.0
    ) -> None:
        super().__init__(cim_class, language)
        self._programs = programs
        self._blocked = blocked
        self._refusal = _REFUSALS[seed % len(_REFUSALS)]
        self._next_id = 4000 + seed % 1000 * 4
        self.started: list[str] = []
        self._duration = duration
        self._running: dict[int, tuple[str, HasEnded]] = {}

    def instances(self, equal: Mapping[str, object] | None = None) -> Sequence[Instance]:
        """The programs that were started and have not ended yet; the lab's machines show no others."""
        self._running = {number: entry for number, entry in self._running.items() if not entry[1]()}
        return [
            self.complete({"Handle": str(number), "ProcessId": number, "CommandLine": line, "Name": ntpath.basename(line.split()[0])})
            for number, (line, _has_ended) in self._running.items()
        ]

    def call(self, instance: Instance | None, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Create."""
        line = arguments.get("CommandLine")
        if not line:
            return {"ReturnValue": _INVALID_PARAMETER, "ProcessId": None}
        if self._blocked():
            if self._refusal is None:
                raise self.error(WBEM_E_ACCESS_DENIED)
            return {"ReturnValue": self._refusal, "ProcessId": None}
        try:
            words = split_command(line)
        except ValueError:
            return {"ReturnValue": _INVALID_PARAMETER, "ProcessId": None}
        program = ntpath.basename(words[0]).lower().removesuffix(".exe")
        if program not in _KNOWN:
            return {"ReturnValue": _PATH_NOT_FOUND, "ProcessId": None}
        if program == "sysprep" and ntpath.dirname(words[0]).lower() != SYSPREP_FOLDER:
            # It lies in no folder of the search path.
            return {"ReturnValue": _PATH_NOT_FOUND, "ProcessId": None}
        self.started.append(line)
        self._next_id += 4
        self._running[self._next_id] = (line, self._run(program, words[1:]))
        return {"ReturnValue": _OK, "ProcessId": self._next_id}

    def _run(self, program: str, words: list[str]) -> HasEnded:
        """Start a program."""
        lower = [word.lower() for word in words]
        if program == "cmd" and lower[:1] in (["/c"], ["/k"]):
            inner = words[1:] if len(words) != 2 else split_command(words[1])
            if inner:
                return self._run(ntpath.basename(inner[0]).lower().removesuffix(".exe"), inner[1:])
        elif program == "klist" and lower[-1:] == ["purge"]:
            if _logon_id(lower[:-1]) == NETWORK_SERVICE_LOGON:
                return self._programs.purge_tickets()
        elif program == "netsh":
            return self._netsh(words)
        elif program == "sysprep":
            return self._programs.sysprep(words)
        return self._without_effect()

    def _without_effect(self) -> HasEnded:
        end = time.monotonic() + self._duration
        return lambda: time.monotonic() >= end

    def _netsh(self, words: list[str]) -> HasEnded:
        """``advfirewall firewall set rule name=…|group=… new enable=yes|no``; what netsh would not understand changes nothing."""
        lower = [word.lower() for word in words]
        if lower[:4] != ["advfirewall", "firewall", "set", "rule"] or "new" not in lower[4:]:
            return self._without_effect()
        place = lower.index("new", 4)
        criteria = [word.partition("=") for word in words[4:place]]
        values = [word.partition("=") for word in lower[place + 1 :]]
        if len(criteria) != 1 or criteria[0][0].lower() not in ("name", "group") or len(values) != 1:
            return self._without_effect()
        name, _equals, value = values[0]
        if name == "enable" and value in ("yes", "no"):
            return self._programs.switch_rules(criteria[0][0].lower(), criteria[0][2], value == "yes")
        return self._without_effect()


def _logon_id(words: list[str]) -> int | None:
    """The number after -li (klist takes it in hexadecimal, with or without 0x) in a klist command line."""
    for index, word in enumerate(words[:-1]):
        if word in ("-li", "/li"):
            try:
                return int(words[index + 1], 16)
            except ValueError:
                return None
    return None
