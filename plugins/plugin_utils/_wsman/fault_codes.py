# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Codes of faults by their type: MI_Result, Win32 and HRESULT count from their own zero, so a number alone says nothing.

A provider on MI (root/standardcimv2) reports its own result: MI 2 is access denied, where Win32 2 is a missing file. Sources:
mi.h (MI_Result, MI_RESULT_TYPE_*), winerror.h, DSP0004 for CIMStatusCode, which carries the same numbers as MI_Result from 1 to 17.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from .._core.text import visible

_SEVERITY = 0x80000000
_FACILITY_WIN32 = 0x80070000
_LONGEST_SHOWN = 40
_DECIMAL = re.compile(r"-?[0-9]{1,10}")
_MESSAGE_ID = re.compile(r"(HRESULT|MI RESULT|WINDOWS SYSTEM ERROR)\s+(?:0X([0-9A-F]{1,8})|([0-9]{1,10}))", re.IGNORECASE)
_MESSAGE_KINDS = {"HRESULT": "HRESULT", "MI RESULT": "MI", "WINDOWS SYSTEM ERROR": "WIN32"}


class MiResult(t.NamedTuple):
    """One value of MI_Result: its name in mi.h, what it means, and the HRESULT that says the same; 0 where none does."""

    name: str
    meaning: str
    hresult: int = 0


MI_RESULTS: Mapping[int, MiResult] = {
    1: MiResult("MI_RESULT_FAILED", "the operation failed", 0x80041001),
    2: MiResult("MI_RESULT_ACCESS_DENIED", "access denied", 0x80041003),
    3: MiResult("MI_RESULT_INVALID_NAMESPACE", "the namespace does not exist", 0x8004100E),
    4: MiResult("MI_RESULT_INVALID_PARAMETER", "a parameter is not valid", 0x80041008),
    5: MiResult("MI_RESULT_INVALID_CLASS", "the class does not exist", 0x80041010),
    6: MiResult("MI_RESULT_NOT_FOUND", "the object does not exist", 0x80041002),
    7: MiResult("MI_RESULT_NOT_SUPPORTED", "the operation is not supported", 0x8004100C),
    8: MiResult("MI_RESULT_CLASS_HAS_CHILDREN", "the class has children"),
    9: MiResult("MI_RESULT_CLASS_HAS_INSTANCES", "the class has instances"),
    10: MiResult("MI_RESULT_INVALID_SUPERCLASS", "the superclass does not exist"),
    11: MiResult("MI_RESULT_ALREADY_EXISTS", "the object exists already", 0x80041019),
    12: MiResult("MI_RESULT_NO_SUCH_PROPERTY", "the property does not exist"),
    13: MiResult("MI_RESULT_TYPE_MISMATCH", "a value has the wrong type"),
    14: MiResult("MI_RESULT_QUERY_LANGUAGE_NOT_SUPPORTED", "the query language is not supported"),
    15: MiResult("MI_RESULT_INVALID_QUERY", "the query is not valid"),
    16: MiResult("MI_RESULT_METHOD_NOT_AVAILABLE", "the method is not available"),
    17: MiResult("MI_RESULT_METHOD_NOT_FOUND", "the method does not exist"),
    20: MiResult("MI_RESULT_NAMESPACE_NOT_EMPTY", "the namespace is not empty"),
    21: MiResult("MI_RESULT_INVALID_ENUMERATION_CONTEXT", "the enumeration context is not valid"),
    22: MiResult("MI_RESULT_INVALID_OPERATION_TIMEOUT", "the time limit of the operation is not valid"),
    23: MiResult("MI_RESULT_PULL_HAS_BEEN_ABANDONED", "the pull was abandoned"),
    24: MiResult("MI_RESULT_PULL_CANNOT_BE_ABANDONED", "the pull cannot be abandoned"),
    25: MiResult("MI_RESULT_FILTERED_ENUMERATION_NOT_SUPPORTED", "filtered enumerations are not supported"),
    26: MiResult("MI_RESULT_CONTINUATION_ON_ERROR_NOT_SUPPORTED", "continuing after an error is not supported"),
    27: MiResult("MI_RESULT_SERVER_LIMITS_EXCEEDED", "the server's limits are exceeded"),
    28: MiResult("MI_RESULT_SERVER_IS_SHUTTING_DOWN", "the server is shutting down"),
}
# CIMStatusCode names the same as MI_Result up to here.
_LAST_CIM_STATUS = 17


@dataclass(frozen=True, slots=True)
class OwnCode:
    """A code that no HRESULT stands for; it equals no other code, whatever its number is.

    Attributes:
        shown: Type and number, such as C(MI RESULT 25).
        name: Its symbolic name; empty where none is known.
        meaning: What it means, as a clause; empty where it is not known.
    """

    shown: str
    name: str = ""
    meaning: str = ""


@dataclass(slots=True)
class Codes:
    """The codes that were found in one place of a fault.

    Attributes:
        hresults: As unsigned HRESULTs.
        own: Those that no HRESULT stands for.
    """

    hresults: list[int] = field(default_factory=list)
    own: list[OwnCode] = field(default_factory=list)

    def add(self, other: Codes) -> None:
        """Append those of another place."""
        self.hresults += other.hresults
        self.own += other.own


def of_wsman(text: str) -> Codes:
    """The Code of a WSManFault: an HRESULT, or a plain Win32 code such as 5 where WinRM has no HRESULT of its own."""
    number = _number(text)
    if number is None:
        return _unreadable("Code", text)
    return typed("WIN32" if number <= 0xFFFF else "HRESULT", number)


def of_status(text: str) -> Codes:
    """StatusCode of __ExtendedStatus: an HRESULT; any smaller number is one of the provider's own (Microsoft's class reference)."""
    number = _number(text)
    if number is None:
        return _unreadable("StatusCode", text)
    return Codes([number]) if number & _SEVERITY else Codes(own=[OwnCode(f"StatusCode {number}")]) if number else Codes()


def of_error_object(parts: Mapping[str, str]) -> Codes:
    """The code of a CIM error, an instance of MSFT_WmiError or CIM_Error.

    error_Type says how error_Code is read, and where it is missing MessageID does. Without either, CIMStatusCode decides: it has
    the same meaning whoever sends it.

    Args:
        parts: The texts of its properties by name.
    """
    kind, text = parts.get("error_Type", "").strip().upper(), parts.get("error_Code", "").strip()
    number = _number(text)
    if number is None:
        return _unreadable(kind or "error_Code", text)
    said = _MESSAGE_ID.match(parts.get("MessageID", "").strip())
    if said and kind in ("", _MESSAGE_KINDS[said[1].upper()]):
        kind = _MESSAGE_KINDS[said[1].upper()]
        number = number or (int(said[2], 16) if said[2] else int(said[3]))
    if number and (kind or number & _SEVERITY):
        return typed(kind or "HRESULT", number)
    status = _number(parts.get("CIMStatusCode", ""))
    if status is None:
        return _unreadable("CIMStatusCode", parts["CIMStatusCode"])
    if status:
        return typed("MI", status) if status <= _LAST_CIM_STATUS else Codes(own=[OwnCode(f"CIMStatusCode {status}")])
    return Codes(own=[OwnCode(f"error_Code {number}")]) if number else Codes()


def typed(kind: str, number: int) -> Codes:
    """A code by its type. One of a type that nobody knows, or out of the range of its type, is none but itself."""
    if not number:
        return Codes()
    if kind == "MI":
        known = MI_RESULTS.get(number)
        if known and known.hresult:
            return Codes([known.hresult])
        return Codes(own=[OwnCode(f"MI RESULT {number}", *(known[:2] if known else ()))])
    if kind == "WIN32" and number <= 0xFFFF:
        return Codes([_FACILITY_WIN32 | number])
    # The codes of wsmerror.h are DWORDs like those of Win32, and have the form of HRESULTs.
    if kind in ("HRESULT", "WMI", "WIN32") and number & _SEVERITY:
        return Codes([number])
    return Codes(own=[OwnCode(f"{visible(kind, _LONGEST_SHOWN)} {number}")])


def _number(text: str) -> int | None:
    """A code's number as unsigned 32 bits; 0 for no text, C(None) for one that is no such number."""
    text = text.strip()
    if not text:
        return 0
    number = int(text) if _DECIMAL.fullmatch(text) else None
    if number is None or not -_SEVERITY <= number <= 0xFFFFFFFF:
        return None
    return number & 0xFFFFFFFF


def _unreadable(kind: str, text: str) -> Codes:
    return Codes(own=[OwnCode(f"{visible(kind, _LONGEST_SHOWN)} {visible(text.strip(), _LONGEST_SHOWN)}")])
