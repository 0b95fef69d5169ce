# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A code as a number of its kind. Each kind counts from its own zero, so a number alone says nothing. Pure."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from enum import Enum

_LARGEST_WIN32 = 0xFFFF


class CodeKind(Enum):
    """Who counts."""

    HRESULT = "an HRESULT, unsigned"
    NUMBER = "a Win32 error, or what else is written as a decimal number: return values of methods, codes of LDAP, DNS, Kerberos and X.509"
    HTTP = "a status of HTTP"
    SERVICE = "an error of Microsoft's BatchActivation service"
    ERRNO = "an errno of the control node"
    OTHER = "one that no other kind stands for"


@dataclass(frozen=True, slots=True)
class Code:
    """A code, which equals those of its own kind alone.

    Attributes:
        kind: Who counts.
        number: The number; 0 where the source wrote none.
        text: Of C(Kind.OTHER) the code as its source writes it, such as C(MI RESULT 25).
    """

    kind: CodeKind
    number: int
    text: str = ""

    def __str__(self) -> str:
        if self.kind is CodeKind.HRESULT:
            return hexadecimal(self.number)
        if self.kind is CodeKind.HTTP:
            return f"HTTP {self.number}"
        if self.kind is CodeKind.SERVICE:
            return f"0x{self.number:X}"
        if self.kind is CodeKind.ERRNO:
            return errno.errorcode.get(self.number, "")
        return self.text or str(self.number)


def hresult(number: int) -> Code:
    """An HRESULT, signed or unsigned."""
    return Code(CodeKind.HRESULT, number & 0xFFFFFFFF)


def of_windows(number: int) -> Code:
    """What a method of Windows returns: a Win32 error, or an HRESULT where it is larger than those."""
    return hresult(number) if number > _LARGEST_WIN32 or number < 0 else Code(CodeKind.NUMBER, number)


def plain(number: int) -> Code:
    """A code that is written as a decimal number."""
    return Code(CodeKind.NUMBER, number)


def http(status: int) -> Code:
    """A status of HTTP."""
    return Code(CodeKind.HTTP, status)


def hexadecimal(number: int) -> str:
    """A code, signed or unsigned, as Windows prints it: C(0xC004F038)."""
    return f"0x{number & 0xFFFFFFFF:08X}"
