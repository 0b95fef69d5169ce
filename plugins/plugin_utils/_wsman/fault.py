# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults: whatever form one comes in, it becomes a single exception that knows its codes.

Windows has four forms (a plain WSManFault, one with the provider's text, one nested in a ProviderFault with an extended
error, and MSFT_WmiError), and the texts are in the language of the server. So decisions rest on codes alone, gathered
from every place that can hold one; the text is only shown.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from .._errors import ActivationError
from .._licensing.errors import describe, hexadecimal, name_of, sentence
from .._text import LONGEST_NAME, one_line, visible
from . import namespaces as ns

_HEX_CODE = re.compile(r"0x([0-9A-Fa-f]{8})\b")

# A longer one is no code of 32 bits.
_NUMBER = re.compile(r"[0-9]{1,10}", re.ASCII)

TIMED_OUT = 0x80338029
NOT_FOUND = 0x80338000
# WBEM_E_NOT_FOUND, ERROR_FILE_NOT_FOUND and ERROR_NOT_FOUND are how providers put it.
_NOT_FOUND_CODES = frozenset({NOT_FOUND, 0x80041002, 0x80070002, 0x80070490})

_FACILITY_WIN32 = 0x80070000
_SEVERITY = 0x80000000

# Codes that say only that something underneath failed; any other code found beside them says more.
_WRAPPERS = frozenset({0x80338000, 0x803380FA, 0x80338102, 0x8033811E, 0x80041001})
# Subcodes of DSP0226 are single words, such as DestinationUnreachable.
_LONGEST_SUBCODE = 40
_CODE_NAMES = ("error_Code", "MessageID", "StatusCode")


class WsmanFault(ActivationError):
    """The target answered with a fault.

    Attributes:
        codes: Every code that the fault holds, as unsigned HRESULTs, the one that says most first.
        subcode: The SOAP subcode without its prefix, such as C(TimedOut).
        text: The target's own words, in its own language; may be empty.
    """

    def __init__(self, label: str, codes: list[int], subcode: str, text: str) -> None:
        self.label = label
        self.codes = codes
        self.subcode = subcode = visible(subcode, _LONGEST_SUBCODE)
        self.text = text = visible(text)
        code = codes[0] if codes else 0
        if code:
            message = f"{label} failed with {sentence(code)}"
            if text and not describe(code):
                message += f" Windows said: {text.rstrip('.')}."
        else:
            reason = text.rstrip(".") or "the host gave no reason; its event log Microsoft-Windows-WinRM/Operational may have one"
            message = f"{label} failed with {subcode or 'a fault without a code'}: {reason}."
        super().__init__(message, code=hexadecimal(code) if code else "", name=name_of(code), source="windows")

    @property
    def timed_out(self) -> bool:
        """The target stopped waiting for its provider. The work may go on, so its result has to be read, not repeated."""
        return self.subcode == "TimedOut" or TIMED_OUT in self.codes

    @property
    def not_found(self) -> bool:
        """The class has no instance with these keys.

        0x80338000 also stands around other failures of the provider, whose code comes first then.
        """
        return bool(self.codes) and self.codes[0] in _NOT_FOUND_CODES


def check_hresult(return_value: int | None, label: str) -> None:
    """What a method returned, judged like a fault where it is an HRESULT that says failure.

    slmgr.vbs never looks at ReturnValue, because a COM caller gets the failure raised; over WS-Management it may come
    in either way, and a signed caller may have written it as a negative number.

    Raises:
        WsmanFault: The high bit is set.
    """
    if return_value is not None and (return_value < 0 or return_value & _SEVERITY):
        raise WsmanFault(label, [return_value & 0xFFFFFFFF], "", "")


def parse_fault(fault: ET.Element, label: str) -> WsmanFault:
    """The exception for a C(s:Fault) element."""
    subcode = visible(
        fault.findtext(f"{{{ns.SOAP}}}Code/{{{ns.SOAP}}}Subcode/{{{ns.SOAP}}}Value", "").strip().rpartition(":")[2], LONGEST_NAME
    )
    outer: list[int] = []
    inner: list[int] = []
    texts: list[str] = []
    detail = fault.find(f"{{{ns.SOAP}}}Detail")
    depth = 0
    for element in detail.iter() if detail is not None else ():
        name = element.tag.rpartition("}")[2]
        text = (element.text or "").strip()
        if name == "WSManFault":
            (inner if depth else outer).extend(_codes_in_number(element.get("Code", "")))
            depth += 1
        elif name in _CODE_NAMES:
            inner.extend(_codes_in_number(text) or _codes_in_text(text))
        elif name in ("Message", "ProviderFault", "Description", "error_WindowsErrorMessage") and text:
            inner.extend(_codes_in_text(text))
            texts.append(text)
    reason = " ".join(fault.findtext(f"{{{ns.SOAP}}}Reason/{{{ns.SOAP}}}Text", "").split())
    texts.append(reason)
    inner.extend(_codes_in_text(reason))
    ordered = list(dict.fromkeys([*inner, *outer]))
    ordered.sort(key=lambda code: code in _WRAPPERS)
    shown = next((one_line(text) for text in texts if text), "")
    return WsmanFault(label, ordered, subcode, shown)


def _codes_in_number(text: str) -> list[int]:
    """The code as an HRESULT; WinRM gives a plain Win32 code such as 5 where it has no HRESULT of its own."""
    if not _NUMBER.fullmatch(text) or not int(text):
        return []
    code = int(text)
    return [code if code > 0xFFFF else _FACILITY_WIN32 | code]


def _codes_in_text(text: str) -> list[int]:
    return [int(digits, 16) for digits in _HEX_CODE.findall(text)]
