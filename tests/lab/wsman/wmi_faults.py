# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which fault Windows makes of a WMI error: the HRESULT, its family and the host's seed decide the form (docs/facts/wire-faults.md#forms)."""

from __future__ import annotations

from . import backend as wmi
from .backend import WmiError
from .faults import (
    CANNOT_PROCESS_FILTER,
    CONNECT_ACCESS_DENIED,
    KEYS_MISSING,
    PROVIDER_ACCESS_DENIED,
    PROVIDER_INVALID_PARAMETER,
    PROVIDER_NOT_CAPABLE,
    RESOURCE_NOT_FOUND,
    WMI_ACCESS_DENIED,
    ExtendedStatus,
    Fault,
    Voice,
    nested,
    plain,
    provider_text,
    simple,
    wmi_error,
)
from .messages import text
from .variants import variant

# WMI errors that the WinRM plug-in knows by a code of its own: code, subcode, message.
TRANSLATED = {
    wmi.WBEM_E_NOT_FOUND: (RESOURCE_NOT_FOUND, "a:DestinationUnreachable", "not found"),
    wmi.WBEM_E_PROVIDER_NOT_CAPABLE: (PROVIDER_NOT_CAPABLE, "w:InternalError", "not capable"),
    wmi.WBEM_E_NOT_SUPPORTED: (PROVIDER_NOT_CAPABLE, "w:InternalError", "not capable"),
    wmi.WBEM_E_INVALID_PARAMETER: (PROVIDER_INVALID_PARAMETER, "w:InvalidParameter", "invalid parameter"),
    wmi.WBEM_E_INVALID_METHOD_PARAMETERS: (PROVIDER_INVALID_PARAMETER, "w:InvalidParameter", "invalid parameter"),
}


def from_wmi_error(error: WmiError, voice: Voice, namespace: str, in_query: bool = False) -> Fault:
    """The fault for an error that the host raised; ``in_query`` when it answers an Enumerate with WQL."""
    status = ExtendedStatus(error.operation or "ExecMethod", error.parameter_info, error.provider_name)
    if error.kind == "mi":
        in_own_namespace = variant(voice.seed, "mi namespace") == "own"
        error_type = variant(voice.seed, "mi error type")
        return wmi_error(voice, error.hresult, error.text, namespace=namespace if in_own_namespace else "", error_type=error_type)
    if error.kind == "provider":
        return _provider_error(error, voice, status)
    if error.hresult == wmi.WBEM_E_INVALID_CLASS:
        return invalid_class(voice, error.text)
    if error.hresult == wmi.WBEM_E_INVALID_QUERY and in_query:
        return invalid_query(voice, error.text)
    if error.hresult == wmi.WBEM_E_ACCESS_DENIED:
        return access_denied(voice)
    if variant(voice.seed, "wbem form") == "error object":
        return wmi_error(voice, error.hresult, error.text)
    if error.hresult in TRANSLATED:
        code, subcode, name = TRANSLATED[error.hresult]
        message = text(name, voice.language)
        detail = "InvalidResourceURI" if error.hresult == wmi.WBEM_E_NOT_FOUND else ""
        return nested(voice, code, subcode, message, status=status, detail=detail)
    return _direct(error, voice, status)


def _direct(error: WmiError, voice: Voice, status: ExtendedStatus | None) -> Fault:
    return nested(voice, error.hresult, "w:InternalError", error.text, status=status, receiver=True)


def is_answered_as_return_value(error: WmiError, voice: Voice) -> bool:
    """Whether this host hands a provider's HRESULT through as the method's ReturnValue instead of a fault."""
    return error.kind == "provider" and variant(voice.seed, "provider form") == "return value"


def _provider_error(error: WmiError, voice: Voice, status: ExtendedStatus) -> Fault:
    """A COM error that a classic provider raised; no recorded one exists, so all plausible forms are served."""
    unknown = text("unknown error", voice.language, code=error.hresult)
    choice = variant(voice.seed, "provider form")
    if choice == "extended status":
        return nested(voice, error.hresult, "w:InternalError", unknown, status=status, receiver=True)
    if choice == "error object":
        return wmi_error(voice, error.hresult, error.text)
    if choice == "nested text":
        return nested(voice, error.hresult, "w:InternalError", unknown, inner_message=error.text, receiver=True)
    if choice == "provider text":
        return provider_text(voice, error.hresult, "w:InternalError", unknown, receiver=True)
    return _direct(error, voice, status)


def invalid_class(voice: Voice, message: str = "") -> Fault:
    """The class or its namespace does not exist: 0x80041010, direct or as an error object."""
    message = message or text("class", voice.language)
    if variant(voice.seed, "invalid class") == "error object":
        return wmi_error(voice, wmi.WBEM_E_INVALID_CLASS, message)
    return nested(voice, wmi.WBEM_E_INVALID_CLASS, "w:InternalError", message, receiver=True)


def invalid_namespace(voice: Voice, message: str = "") -> Fault:
    """A query in a namespace that does not exist: 0x8033801A as an error object (docs/facts/wire.md#lenient-calls)."""
    return wmi_error(voice, CANNOT_PROCESS_FILTER, message or text("filter", voice.language))


def invalid_query(voice: Voice, message: str = "") -> Fault:
    """WMI refuses the query: seen as CannotProcessFilter, plausible as 0x80041017."""
    general = text("filter", voice.language)
    choice = variant(voice.seed, "invalid query")
    if choice == "filter":
        return nested(voice, CANNOT_PROCESS_FILTER, "n:CannotProcessFilter", general, inner_message=message or general)
    if choice == "error object":
        return wmi_error(voice, wmi.WBEM_E_INVALID_QUERY, message or general)
    return nested(
        voice,
        CANNOT_PROCESS_FILTER,
        "n:CannotProcessFilter",
        general,
        inner_code=wmi.WBEM_E_INVALID_QUERY,
        inner_message=text("unknown error", voice.language, code=wmi.WBEM_E_INVALID_QUERY),
    )


def access_denied(voice: Voice) -> Fault:
    """WMI does not let this user in."""
    choice = variant(voice.seed, "access denied")
    message = text("wmi access denied", voice.language)
    if choice == "error object":
        return wmi_error(voice, wmi.WBEM_E_ACCESS_DENIED, message)
    if choice == "service":
        return simple(voice, "access denied")
    codes = {"service": WMI_ACCESS_DENIED, "provider": PROVIDER_ACCESS_DENIED, "connect": CONNECT_ACCESS_DENIED}
    code = codes[variant(voice.seed, "access denied code")]
    return nested(voice, code, "w:AccessDenied", message) if choice == "nested" else plain(voice, code, "w:AccessDenied", message)


def keys_missing(voice: Voice) -> Fault:
    """A keyed class without selectors."""
    message = text("keys missing", voice.language)
    if variant(voice.seed, "keys missing") == "error object":
        return wmi_error(voice, KEYS_MISSING, message)
    return nested(voice, KEYS_MISSING, "w:InvalidSelectors", message, detail="InsufficientSelectors")


def invalid_parameter(voice: Voice, is_method: bool) -> Fault:
    """A parameter or property that the class does not have, such as one in the wrong case, or of the wrong type."""
    message = text("invalid parameter", voice.language)
    if variant(voice.seed, "invalid parameter") == "error object":
        hresult = wmi.WBEM_E_INVALID_METHOD_PARAMETERS if is_method else wmi.WBEM_E_INVALID_PARAMETER
        return wmi_error(voice, hresult, message)
    return nested(voice, PROVIDER_INVALID_PARAMETER, "w:InvalidParameter", message, detail="InvalidValue")
