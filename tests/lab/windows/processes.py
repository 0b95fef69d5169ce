# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Win32_Process.Create: the few programs of Windows that have an effect here (activation-facts §11).

There is no output and no exit code; whether it worked shows only in what changed.
"""

from __future__ import annotations

import ntpath
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..wsman.backend import WBEM_E_ACCESS_DENIED, CimClass
from .provider import Instance, Provider

NETWORK_SERVICE_LOGON = 0x3E4

_OK = 0
_ACCESS_DENIED = 2
_PATH_NOT_FOUND = 9
_INVALID_PARAMETER = 21

_KNOWN = ("klist", "netsh", "sysprep", "cmd", "gpupdate", "w32tm", "cscript", "slui")


@dataclass(frozen=True)
class Programs:
    """What the programs do to the machine."""

    purge_tickets: Callable[[], None]
    switch_rules: Callable[[str, bool], int]
    generalize: Callable[[], None]


def split_command(line: str) -> list[str]:
    """A command line as its words; backslashes are no escapes. Raises ValueError for an open quotation mark."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.escape = ""
    lexer.quotes = '"'
    lexer.commenters = ""
    return list(lexer)


class Processes(Provider):
    """Win32_Process: no instances, one static method."""

    def __init__(self, cim_class: CimClass, language: str, programs: Programs, blocked: bool, seed: int) -> None:
        super().__init__(cim_class, language)
        self._programs = programs
        self._blocked = blocked
        self._blocked_as_error = seed % 2 == 1
        self._next_id = 4000 + seed % 1000 * 4
        self.started: list[str] = []

    def instances(self, equal: Mapping[str, object] | None = None) -> Sequence[Instance]:
        """The lab's machines show no processes."""
        return []

    def call(self, instance: Instance | None, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Create. Where Defender's rule blocks it, no source says how that shows: a ReturnValue or an error, by seed."""
        line = arguments.get("CommandLine")
        if not line:
            return {"ReturnValue": _INVALID_PARAMETER, "ProcessId": None}
        if self._blocked:
            if self._blocked_as_error:
                raise self.error(WBEM_E_ACCESS_DENIED)
            return {"ReturnValue": _ACCESS_DENIED, "ProcessId": None}
        try:
            words = split_command(line)
        except ValueError:
            return {"ReturnValue": _INVALID_PARAMETER, "ProcessId": None}
        program = ntpath.basename(words[0]).lower().removesuffix(".exe")
        if program not in _KNOWN:
            return {"ReturnValue": _PATH_NOT_FOUND, "ProcessId": None}
        self.started.append(line)
        self._run(program, words[1:])
        self._next_id += 4
        return {"ReturnValue": _OK, "ProcessId": self._next_id}

    def _run(self, program: str, words: list[str]) -> None:
        lower = [word.lower() for word in words]
        if program == "cmd" and lower[:1] in (["/c"], ["/k"]):
            inner = words[1:] if len(words) != 2 else split_command(words[1])
            if inner:
                self._run(ntpath.basename(inner[0]).lower().removesuffix(".exe"), inner[1:])
        elif program == "klist" and lower[-1:] == ["purge"]:
            if _logon_id(lower[:-1]) == NETWORK_SERVICE_LOGON:
                self._programs.purge_tickets()
        elif program == "netsh":
            found = re.search(r'rule\s+(?:name|group)="?([^"]+?)"?\s+new\s+enable="?(yes|no)', " ".join(words), re.IGNORECASE)
            if found:
                self._programs.switch_rules(found[1], found[2].lower() == "yes")
        elif program == "sysprep" and {"/generalize", "-generalize"} & set(lower):
            self._programs.generalize()


def _logon_id(words: list[str]) -> int | None:
    """The number after -li (klist takes it in hexadecimal, with or without 0x) in a klist command line."""
    for index, word in enumerate(words[:-1]):
        if word in ("-li", "/li"):
            try:
                return int(words[index + 1], 16)
            except ValueError:
                return None
    return None
