# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults: whatever form one comes in, it becomes a single exception that knows its codes.

Windows has four forms (a plain WSManFault, one with the provider's text, one nested in a ProviderFault with an extended
error, and MSFT_WmiError), and the texts are in the language of the server. So decisions rest on codes alone, gathered
from every place that can hold one and read by their type; the text is only shown.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from .._core.codes.asked import Asked
from .._core.codes.code import Code, CodeKind, hresult
from .._core.codes.meaning import clauses, describe, name_of
from .._core.errors import ActivationError
from .._core.text import one_line, visible
from . import namespaces as ns
from .fault_codes import Codes, OwnCode, of_error_object, of_status, of_wsman

_HEX_CODE = re.compile(r"0x([0-9A-Fa-f]{8})\b")

# A longer one is no code of 32 bits.
_NUMBER = re.compile(r"[0-9]{1,10}", re.ASCII)

TIMED_OUT = 0x80338029
NOT_FOUND = 0x80338000
# WBEM_E_NOT_FOUND, ERROR_FILE_NOT_FOUND and ERROR_NOT_FOUND are how providers put it.
_NOT_FOUND_CODES = frozenset({NOT_FOUND, 0x80041002, 0x80070002, 0x80070490})

_SEVERITY = 0x80000000

# Codes that say only that something underneath failed; any other code found beside them says more.
_WRAPPERS = frozenset({0x80338000, 0x803380FA, 0x80338102, 0x8033811E, 0x80041001})
_OF_WINRM = range(0x80330000, 0x80340000)
_ERROR_OBJECT = frozenset({"error_Code", "error_Type", "CIMStatusCode", "MessageID"})
_TEXTS = ("Message", "ProviderFault", "Description", "error_WindowsErrorMessage")
# Subcodes of DSP0226 are single words, such as DestinationUnreachable.
_LONGEST_SUBCODE = 40


class WsmanFault(ActivationError):
    """The target answered with a fault.

    Attributes:
        codes: Every code that the fault holds and an HRESULT stands for, as unsigned HRESULTs, the one that says most first.
        own: Codes of other types, such as an MI_Result without an HRESULT, and what stands in the place of a code and is none.
        subcode: The SOAP subcode without its prefix, such as C(TimedOut).
        text: The target's own words, in its own language; may be empty.
    """

    def __init__(
        self,
        label: str,
        codes: list[int],
        subcode: str,
        text: str,
        own: Sequence[OwnCode] = (),
        asked: Asked = Asked.WINDOWS,
        host: str = "",
    ) -> None:
        self.codes = codes
        self.own = tuple(own)
        self.subcode = subcode = visible(subcode, _LONGEST_SUBCODE)
        self.text = text = visible(text)
        number = codes[0] if codes and not self._is_behind(codes[0]) else 0
        code, name = (hresult(number), name_of(number)) if number else (None, "")
        remedy = ""
        if number:
            meaning, remedy = clauses(number, asked)
            clause, remedy = f"{label} failed with {meaning}.", f"{remedy}."
            if text and not describe(number):
                remedy += f" Windows said: {text.rstrip('.')}."
        elif own:
            code, name = Code(CodeKind.OTHER, 0, own[0].shown), own[0].name
            meaning = own[0].meaning or "a code that this collection does not know"
            clause = f"{label} failed with {code}{f' ({name})' if name else ''}: {meaning}."
            if text:
                clause += f" Windows said: {text.rstrip('.')}."
        else:
            reason = text.rstrip(".") or "the host gave no reason; its event log Microsoft-Windows-WinRM/Operational may have one"
            clause = f"{label} failed with {subcode or 'a fault without a code'}: {reason}."
        super().__init__(clause, subject=host, remedy=remedy, code=code, name=name, source="windows")

    def _is_behind(self, code: int) -> bool:
        """Whether a code says only that something failed, where another says what."""
        return bool(self.own) and code in _WRAPPERS

    @property
    def timed_out(self) -> bool:
        """The target stopped waiting for its provider. The work may go on, so its result has to be read, not repeated."""
        return self.subcode == "TimedOut" or TIMED_OUT in self.codes

    @property
    def not_found(self) -> bool:
        """The class has no instance with these keys.

        0x80338000 also stands around other failures of the provider, whose code comes first then. A fault with a code that
        nobody knows may mean anything.
        """
        return bool(self.codes) and self.codes[0] in _NOT_FOUND_CODES and not self.own


def check_hresult(return_value: int | None, label: str, asked: Asked = Asked.WINDOWS, host: str = "") -> None:
    """What a method returned, judged like a fault where it is an HRESULT that says failure.

    slmgr.vbs never looks at ReturnValue, because a COM caller gets the failure raised; over WS-Management it may come
    in either way, and a signed caller may have written it as a negative number.

    Raises:
        WsmanFault: The high bit is set.
    """
    if return_value is not None and (return_value < 0 or return_value & _SEVERITY):
        raise WsmanFault(label, [return_value & 0xFFFFFFFF], "", "", asked=asked, host=host)


def parse_fault(fault: ET.Element, label: str, asked: Asked = Asked.WINDOWS, host: str = "") -> WsmanFault:
    """The exception for a C(s:Fault) element."""
    subcode = fault.findtext(f"{{{ns.SOAP}}}Code/{{{ns.SOAP}}}Subcode/{{{ns.SOAP}}}Value", "").strip().rpartition(":")[2]
    outer, inner = Codes(), Codes()
    texts: list[str] = []
    detail = fault.find(f"{{{ns.SOAP}}}Detail")
    depth = 0
    for element in detail.iter() if detail is not None else ():
        name, text = _local_name(element), (element.text or "").strip()
        if name == "WSManFault":
            (inner if depth else outer).add(of_wsman(element.get("Code", "")))
            depth += 1
        elif name == "StatusCode":
            inner.add(of_status(text))
        elif name in _TEXTS and text:
            texts.append(text)
        parts = {_local_name(child): child.text or "" for child in element}
        if _ERROR_OBJECT & parts.keys():
            inner.add(of_error_object(parts))
    texts.append(fault.findtext(f"{{{ns.SOAP}}}Reason/{{{ns.SOAP}}}Text", "").strip())
    written = [int(digits, 16) for text in texts for digits in _HEX_CODE.findall(text)]
    # Informational codes and numbers that are none of a failure stand in texts, too.
    spoken = [code for code in dict.fromkeys(written) if code & _SEVERITY]
    placed = list(dict.fromkeys([*inner.hresults, *outer.hresults]))
    ordered = sorted(dict.fromkeys([*placed, *spoken]), key=lambda code: _rank(code, code in placed))
    shown = next((one_line(text) for text in texts if text), "")
    return WsmanFault(label, ordered, subcode, shown, list(dict.fromkeys([*inner.own, *outer.own])), asked, host)


def _rank(code: int, is_placed: bool) -> int:
    """How much a code says, the least number first.

    One that stands in its place counts before one that only the text mentions: a text may tell of anything. WinRM puts an
    HRESULT that it does not know into the text, behind a code of its own.
    """
    if code in _WRAPPERS:
        return 3
    if is_placed:
        return 2 if code in _OF_WINRM and not describe(code) else 0
    return 1


def _local_name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
