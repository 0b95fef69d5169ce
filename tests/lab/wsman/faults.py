# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SOAP faults in the forms that Windows uses (docs/facts/wire-faults.md#forms).

A fault is raised as :class:`Fault` and rendered for a host. Forms: 1 plain text, 2 provider with text, 3 provider with a nested
``WSManFault`` and extended status, 4 ``MSFT_WmiError``.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from . import namespaces as ns
from .envelope import build
from .messages import text
from .variants import TOPICS, variant

ACCESS_DENIED = 5
RESOURCE_NOT_FOUND = 0x80338000
MUST_UNDERSTAND = 0x80338010
HEADER_REQUIRED = 0x80338011
VERSION_MISMATCH = 0x8033800D
ACTION_NOT_SUPPORTED = 0x80338013
DIALECT_UNAVAILABLE = 0x80338019
CANNOT_PROCESS_FILTER = 0x8033801A
INVALID_CONTEXT = 0x8033801B
TIMED_OUT = 0x80338029
ENCODING_LIMIT = 0x80338035
INVALID_RESOURCE_URI = 0x8033803B
INVALID_SELECTORS = 0x8033803D
SCHEMA_VALIDATION = 0x80338041
UNSUPPORTED_FEATURE = 0x80338042
KEYS_MISSING = 0x803380FA
WQL_NEEDS_STAR = 0x803380FB
PROVIDER_NOT_CAPABLE = 0x80338102
WMI_ACCESS_DENIED = 0x80338104
PROVIDER_ACCESS_DENIED = 0x80338105
CONNECT_ACCESS_DENIED = 0x80338106
KEYS_ON_ENUMERATE = 0x80338108
PROVIDER_INVALID_PARAMETER = 0x8033811E
QUOTA_OPERATIONS = 0x803381A6

PLUGIN_NAMES = ("WMI Provider", "WMIv1 plugin for Windows Remote Management ")
PLUGIN_PATHS = (r"C:\Windows\system32\WsmWmiPl.dll", r"%systemroot%\system32\WsmWmiPl.dll")


@dataclass(frozen=True)
class Voice:
    """Who speaks: what of a host colours its faults."""

    machine: str
    language: str
    seed: int


@dataclass(eq=False)
class Fault(Exception):
    """A fault to be sent.

    ``code`` is the number for the log: the ``WSManFault`` code, or the error code of a ``MSFT_WmiError``.
    ``detail`` is the XML inside ``s:Detail``; ``subcode`` carries one of the prefixes ``w a n x``.
    """

    code: int
    subcode: str
    reason: str
    detail: str
    is_receiver: bool = False
    reason_language: str = ""

    def render(self, voice: Voice, relates_to: str) -> bytes:
        """The envelope. Some hosts leave ``RelatesTo`` out (docs/facts/wire-faults.md#envelope-of-a-fault)."""
        action = ns.FAULT_WSMAN
        if variant(voice.seed, "fault action") == "by subcode":
            action = {"n": ns.FAULT_ENUMERATION, "a": ns.FAULT_ADDRESSING}.get(self.subcode.partition(":")[0], ns.FAULT_WSMAN)
        reason = "" if variant(voice.seed, "fault reason") == "empty" else self.reason
        if variant(voice.seed, "fault relates") == "left out":
            relates_to = ""
        side = "s:Receiver" if self.is_receiver else "s:Sender"
        if self.subcode.startswith("s:"):
            code = f"<s:Value>{self.subcode}</s:Value>"
        else:
            code = f"<s:Value>{side}</s:Value><s:Subcode><s:Value>{self.subcode}</s:Value></s:Subcode>"
        body = (
            f"<s:Fault><s:Code>{code}</s:Code><s:Reason><s:Text xml:lang={quoteattr(self.reason_language)}>"
            f"{escape(reason)}</s:Text></s:Reason><s:Detail>{self.detail}</s:Detail></s:Fault>"
        )
        return build(action, body, voice.language, relates_to)


def _wsman_fault(code: int, machine: str, inner: str, language: str = "") -> str:
    language_attribute = f" xml:lang={quoteattr(language)}" if language else ""
    return (
        f'<f:WSManFault xmlns:f="{ns.WSMAN_FAULT}" Code="{code}" Machine={quoteattr(machine)}{language_attribute}>'
        f"<f:Message>{inner}</f:Message></f:WSManFault>"
    )


def _fault_detail(name: str) -> str:
    return f"<w:FaultDetail>{ns.FAULT_DETAIL}{name}</w:FaultDetail>" if name else ""


def plain(voice: Voice, code: int, subcode: str, message: str, *, receiver: bool = False, detail: str = "") -> Fault:
    """Form 1: the service itself speaks."""
    inner = _wsman_fault(code, voice.machine, escape(message))
    return Fault(code, subcode, message, _fault_detail(detail) + inner, receiver)


def _provider_fault(voice: Voice, inner: str) -> str:
    choice = TOPICS["plug-in"].variants.index(variant(voice.seed, "plug-in"))
    return f"<f:ProviderFault provider={quoteattr(PLUGIN_NAMES[choice])} path={quoteattr(PLUGIN_PATHS[choice])}>{inner}</f:ProviderFault>"


def provider_text(voice: Voice, code: int, subcode: str, message: str, *, receiver: bool = False, detail: str = "") -> Fault:
    """Form 2: the WMI plug-in speaks in plain text."""
    inner = _wsman_fault(code, voice.machine, _provider_fault(voice, escape(message)))
    return Fault(code, subcode, message, _fault_detail(detail) + inner, receiver)


@dataclass(frozen=True)
class ExtendedStatus:
    """The ``__ExtendedStatus`` object that WMI adds to some errors."""

    operation: str
    parameter: str
    provider: str
    description: str = ""
    status_code: int | None = None

    def render(self, voice: Voice) -> str:
        """``f:ExtendedError``; the namespace of the object is one of the three seen."""
        chosen = variant(voice.seed, "extended status")
        place = ns.URI_DMTF if chosen == "DMTF" else f"{ns.URI_WMI}{chosen}/"

        def line(name: str, value: str, cim_type: str) -> str:
            if not value:
                return f'<p:{name} xsi:nil="true" xsi:type="cim:{cim_type}"/>'
            return f'<p:{name} xsi:type="cim:{cim_type}">{escape(value)}</p:{name}>'

        code = "" if self.status_code is None else str(self.status_code)
        return (
            f'<f:ExtendedError><p:__ExtendedStatus xmlns:xsi="{ns.XSI}" xmlns:p="{place}__ExtendedStatus" '
            f'xmlns:cim="{ns.CIM_COMMON}" xsi:type="p:__ExtendedStatus_Type">'
            + line("Description", self.description, "cimString")
            + line("Operation", self.operation, "cimString")
            + line("ParameterInfo", self.parameter, "cimString")
            + line("ProviderName", self.provider, "cimString")
            + line("StatusCode", code, "cimUnsignedInt")
            + "</p:__ExtendedStatus></f:ExtendedError>"
        )


def nested(
    voice: Voice,
    code: int,
    subcode: str,
    message: str,
    *,
    inner_message: str = "",
    inner_code: int | None = None,
    status: ExtendedStatus | None = None,
    receiver: bool = False,
    detail: str = "",
) -> Fault:
    """Form 3: a fault inside the provider's fault."""
    inside = _wsman_fault(
        code if inner_code is None else inner_code,
        voice.machine if variant(voice.seed, "inner machine") == "named" else "",
        escape(inner_message or message),
        voice.language if variant(voice.seed, "inner language") == "named" else "",
    )
    extended = status.render(voice) if status else ""
    inner = _wsman_fault(code, voice.machine, _provider_fault(voice, inside + extended))
    return Fault(code, subcode, message, _fault_detail(detail) + inner, receiver, voice.language)


CIM_STATUS = {
    0x80041001: 1,
    0x80041002: 6,
    0x80041003: 2,
    0x80041005: 13,
    0x80041008: 4,
    0x8004100C: 7,
    0x8004100E: 3,
    0x80041010: 5,
    0x80041017: 15,
    0x80041019: 11,
    0x8004102E: 17,
    0x8004102F: 4,
    KEYS_MISSING: 4,
    0x80070002: 6,
    0x80070005: 2,
    0x80070057: 4,
}


# The same errors as Win32 codes (winerror.h).
WIN32 = {
    0x80041002: 2,
    0x80041003: 5,
    0x80041008: 87,
    0x8004100C: 50,
    0x80041019: 183,
    0x80070002: 2,
    0x80070005: 5,
    0x80070057: 87,
}


def wmi_error(voice: Voice, hresult: int, message: str, *, namespace: str = "", error_type: str = "HRESULT") -> Fault:
    """Form 4: an ``MSFT_WmiError`` instance and no ``WSManFault``; the reason is empty.

    ``namespace`` is the WMI namespace (``root/standardcimv2``) whose class URI it carries, else the DMTF one. ``error_type`` says
    how ``error_Code`` counts (docs/facts/wire-faults.md#mi-results); an error that this way of counting does not know is given as ``HRESULT``.
    """
    uri = f"{ns.URI_WMI}{namespace.lower()}/MSFT_WmiError" if namespace else ns.URI_DMTF + "MSFT_WmiError"
    status = CIM_STATUS.get(hresult, 1)
    kind, message_id, number = _counted(hresult, error_type)

    def line(name: str, value: object | None, cim_type: str) -> str:
        if value is None:
            return f'<p:{name} xsi:nil="true" xsi:type="cim:{cim_type}"/>'
        return f'<p:{name} xsi:type="cim:{cim_type}">{escape(str(value))}</p:{name}>'

    detail = (
        f'<p:MSFT_WmiError b:IsCIM_Error="true" xmlns:b="{ns.CIM_BINDING}" xmlns:cim="{ns.CIM_COMMON}" xmlns:p="{uri}" '
        f'xmlns:xsi="{ns.XSI}" xsi:type="p:MSFT_WmiError_Type" xml:lang={quoteattr(voice.language)}>'
        + line("CIMStatusCode", status, "cimUnsignedInt")
        + line("CIMStatusCodeDescription", None, "cimString")
        + line("ErrorSource", None, "cimString")
        + line("ErrorSourceFormat", 0, "cimUnsignedShort")
        + line("ErrorType", 0, "cimUnsignedShort")
        + line("Message", message, "cimString")
        + line("MessageID", message_id, "cimString")
        + line("OtherErrorSourceFormat", None, "cimString")
        + line("OtherErrorType", None, "cimString")
        + line("OwningEntity", None, "cimString")
        + line("PerceivedSeverity", 0, "cimUnsignedShort")
        + line("ProbableCause", 0, "cimUnsignedShort")
        + line("ProbableCauseDescription", None, "cimString")
        + line("error_Category", 0, "cimUnsignedInt")
        + line("error_Code", number, "cimUnsignedInt")
        + line("error_Type", kind, "cimString")
        + line("error_WindowsErrorMessage", message, "cimString")
        + "</p:MSFT_WmiError>"
    )
    return Fault(hresult, "w:InternalError", "", detail, True)


def _counted(hresult: int, error_type: str) -> tuple[str | None, str | None, int]:
    """``error_Type``, ``MessageID`` and ``error_Code`` of an error."""
    if hresult in CIM_STATUS and error_type in ("MI", "left out"):
        # The CIM status codes up to 17 are the numbers of MI_Result.
        number = CIM_STATUS[hresult]
        return ("MI", f"MI RESULT {number}", number) if error_type == "MI" else (None, None, number)
    if hresult in WIN32 and error_type == "WIN32":
        return "WIN32", f"Windows System Error {WIN32[hresult]}", WIN32[hresult]
    return "HRESULT", f"HRESULT 0x{hresult:08x}", hresult


def simple(voice: Voice, name: str, **values: object) -> Fault:
    """The service's own faults that have one form: by the name of their message, with what is to be filled in there."""
    code, subcode, receiver, detail = _SIMPLE[name]
    return plain(voice, code, subcode, text(name, voice.language, **values), receiver=receiver, detail=detail)


_SIMPLE: dict[str, tuple[int, str, bool, str]] = {
    "timeout": (TIMED_OUT, "w:TimedOut", True, ""),
    "schema": (SCHEMA_VALIDATION, "w:SchemaValidationError", False, ""),
    "keys on enumerate": (KEYS_ON_ENUMERATE, "w:InvalidSelectors", False, ""),
    "wql on class": (WQL_NEEDS_STAR, "w:InvalidParameter", False, "InvalidValue"),
    "dialect": (DIALECT_UNAVAILABLE, "n:FilterDialectRequestedUnavailable", False, ""),
    "filter": (CANNOT_PROCESS_FILTER, "n:CannotProcessFilter", False, ""),
    "selectors": (INVALID_SELECTORS, "w:InvalidSelectors", False, "UnexpectedSelectors"),
    "resource uri": (INVALID_RESOURCE_URI, "a:DestinationUnreachable", False, "InvalidResourceURI"),
    "action": (ACTION_NOT_SUPPORTED, "a:ActionNotSupported", False, ""),
    "headers": (HEADER_REQUIRED, "a:MessageInformationHeaderRequired", False, ""),
    "must understand": (MUST_UNDERSTAND, "s:MustUnderstand", False, ""),
    "version": (VERSION_MISMATCH, "s:VersionMismatch", False, ""),
    "feature": (UNSUPPORTED_FEATURE, "w:UnsupportedFeature", False, ""),
    "encoding limit": (ENCODING_LIMIT, "w:EncodingLimit", False, "MaxEnvelopeSize"),
    "context": (INVALID_CONTEXT, "n:InvalidEnumerationContext", True, ""),
    "quota": (QUOTA_OPERATIONS, "w:QuotaLimit", True, ""),
    "access denied": (ACCESS_DENIED, "w:AccessDenied", False, ""),
}
