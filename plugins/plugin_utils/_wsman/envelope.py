# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests: from what is wanted to the bytes of a SOAP envelope (DSP0226; MS-WSMV 3.1.4.1)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from .._core.codes.asked import Asked, asked_of
from .._core.errors import ActivationError
from . import namespaces as ns
from .cim import CimClass, CimType, Embedded, Reference, Value, format_value, is_array

MAX_ENVELOPE_SIZE = 512_000
"""Bytes of one answer that we take. Windows cuts it to its own MaxEnvelopeSizekb; a larger page saves round trips."""

MAX_ELEMENTS = 32_000
"""Items of one page; more than the default MaxBatchItems is refused."""

OPERATION_TIMEOUT = 60
"""Seconds. Windows caps a longer one at MaxTimeoutms, 60 s by default (MS-WSMV 3.1.4.1.18 and its product notes)."""

# Neither they nor character references to them can stand in XML 1.0.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_ENVELOPE = (
    f'<s:Envelope xmlns:s="{ns.SOAP}" xmlns:a="{ns.ADDRESSING}" xmlns:n="{ns.ENUMERATION}" xmlns:w="{ns.WSMAN}"'
    f' xmlns:m="{ns.WSMAN_MICROSOFT}"><s:Header>'
    "<a:To>{endpoint}</a:To>"
    '<w:ResourceURI s:mustUnderstand="true">{resource}</w:ResourceURI>'
    f'<a:ReplyTo><a:Address s:mustUnderstand="true">{ns.ANONYMOUS}</a:Address></a:ReplyTo>'
    '<a:Action s:mustUnderstand="true">{action}</a:Action>'
    f'<w:MaxEnvelopeSize s:mustUnderstand="true">{MAX_ENVELOPE_SIZE}</w:MaxEnvelopeSize>'
    "<a:MessageID>{message_id}</a:MessageID>"
    '<w:Locale xml:lang="en-US" s:mustUnderstand="false"/><m:DataLocale xml:lang="en-US" s:mustUnderstand="false"/>'
    "<w:OperationTimeout>PT{timeout}S</w:OperationTimeout>"
    "{selectors}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
)


@dataclass(frozen=True, slots=True)
class Request:
    """One message, ready to be sent.

    Attributes:
        message_id: What the answer's RelatesTo has to name.
        envelope: The message in UTF-8.
        label: What it asks for, in words for a log: never a value.
        timeout: Seconds after which the target is to give it up.
        asked: The kind of what it asks for, which decides what the code of a fault means.
    """

    message_id: str
    envelope: bytes
    label: str
    timeout: int = OPERATION_TIMEOUT
    asked: Asked = Asked.WINDOWS


def class_uri(cim_class: CimClass) -> str:
    """The resource URI of a class."""
    return f"{ns.WMI}/{cim_class.namespace}/{cim_class.name}"


def enumerate_request(endpoint: str, cim_class: CimClass, wql: str, timeout: int = OPERATION_TIMEOUT) -> Request:
    """A WQL query of a class. The answer brings the first items and usually a context to pull the others with."""
    body = (
        f"<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>{MAX_ELEMENTS}</w:MaxElements>"
        f'<w:Filter Dialect="{ns.WQL}">{_text(wql)}</w:Filter></n:Enumerate>'
    )
    resource = f"{ns.WMI}/{cim_class.namespace}/*"
    return _request(endpoint, resource, ns.ENUMERATE, body, "query", timeout=timeout, asked=asked_of(cim_class.name, False))


def pull_request(endpoint: str, cim_class: CimClass, context: str) -> Request:
    """The next page of a query."""
    body = f"<n:Pull><n:EnumerationContext>{_text(context)}</n:EnumerationContext><n:MaxElements>{MAX_ELEMENTS}</n:MaxElements></n:Pull>"
    asked = asked_of(cim_class.name, False)
    return _request(endpoint, f"{ns.WMI}/{cim_class.namespace}/*", ns.PULL, body, "next page of a query", asked=asked)


def release_request(endpoint: str, namespace: str, context: str) -> Request:
    """The end of a query whose remaining pages are not wanted."""
    body = f"<n:Release><n:EnumerationContext>{_text(context)}</n:EnumerationContext></n:Release>"
    return _request(endpoint, f"{ns.WMI}/{namespace}/*", ns.RELEASE, body, "end of a query")


def identify_request() -> Request:
    """What the service is. It has no header at all, so that the answer relates to nothing (DSP0226 11)."""
    envelope = f'<s:Envelope xmlns:s="{ns.SOAP}" xmlns:i="{ns.IDENTITY}"><s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>'
    return Request("", envelope.encode("utf-8"), "Identify")


def config_request(endpoint: str) -> Request:
    """The settings and limits of the WinRM service, as C(winrm get winrm/config) shows them."""
    return _request(endpoint, ns.CONFIG, ns.GET, "", "reading winrm/config")


def get_request(endpoint: str, cim_class: CimClass, selectors: Mapping[str, str]) -> Request:
    """One instance by its keys."""
    return _request(endpoint, class_uri(cim_class), ns.GET, "", f"{cim_class.name}.Get", selectors, asked=asked_of(cim_class.name, False))


def put_request(endpoint: str, cim_class: CimClass, selectors: Mapping[str, str], properties: Mapping[str, Value]) -> Request:
    """New values for properties of one instance."""
    body = _typed_element(cim_class.name, class_uri(cim_class), properties, cim_class.properties)
    return _request(endpoint, class_uri(cim_class), ns.PUT, body, f"{cim_class.name}.Put", selectors)


def invoke_request(
    endpoint: str, cim_class: CimClass, method: str, arguments: Mapping[str, Value], selectors: Mapping[str, str] | None
) -> Request:
    """A method of an instance, or without selectors a static one."""
    uri = class_uri(cim_class)
    body = _typed_element(f"{method}_INPUT", uri, arguments, cim_class.methods[method].inputs)
    return _request(endpoint, uri, f"{uri}/{method}", body, f"{cim_class.name}.{method}", selectors, asked=asked_of(cim_class.name, True))


def _typed_element(name: str, uri: str, given: Mapping[str, Value], types: Mapping[str, CimType]) -> str:
    """An element with one child per value, in the order of the class, which every WMI provider accepts."""
    return f'<p:{name} xmlns:p="{uri}" xmlns:xsi="{ns.XSI}">{_children("p", name, given, types)}</p:{name}>'


def _children(prefix: str, owner: str, given: Mapping[str, Value], types: Mapping[str, CimType]) -> str:
    unknown = given.keys() - types.keys()
    if unknown:
        raise KeyError(f"{owner} has no {', '.join(sorted(unknown))}")
    return "".join(_elements(f"{prefix}:{name}", given[name], cim_type) for name, cim_type in types.items() if name in given)


def _elements(tag: str, value: Value, cim_type: CimType) -> str:
    """An array is its element repeated, and an empty one no element at all."""
    if value is None or not is_array(cim_type):
        return _element(tag, value, cim_type)
    if not isinstance(value, list):
        raise ActivationError(f"A value of type {type(value).__name__} is no array.", source="wsman")
    return "".join(_element(tag, entry, cim_type) for entry in value)


def _element(tag: str, value: Value, cim_type: CimType) -> str:
    if value is None:
        return f'<{tag} xsi:nil="true"/>'
    if isinstance(cim_type, Embedded):
        return _embedded(tag, value, cim_type.cim_class)
    base = cim_type.removesuffix("[]")
    if base == "reference" and isinstance(value, Reference):
        return f"<{tag}>{_reference(value)}</{tag}>"
    text = _text(format_value(value, base))
    if base == "datetime":
        wrapper = "Datetime" if isinstance(value, datetime) else "Interval"
        text = f'<cim:{wrapper} xmlns:cim="{ns.CIM}">{text}</cim:{wrapper}>'
    return f"<{tag}>{text}</{tag}>"


def _embedded(tag: str, value: Value, cim_class: CimClass) -> str:
    """An instance inside another element: its own properties are in the namespace of its class, the element itself is not."""
    if not isinstance(value, dict):
        raise ActivationError(f"A value of type {type(value).__name__} is no instance of {cim_class.name}.", source="wsman")
    # Instances nest, so each level has a prefix of its own.
    prefix = f"{tag.partition(':')[0]}i"
    children = _children(prefix, cim_class.name, value, cim_class.properties)
    return f'<{tag} xmlns:{prefix}="{class_uri(cim_class)}" xsi:type="{prefix}:{cim_class.name}_Type">{children}</{tag}>'


def _reference(reference: Reference) -> str:
    return (
        f"<a:Address>{ns.ANONYMOUS}</a:Address><a:ReferenceParameters><w:ResourceURI>{_text(reference.resource_uri)}</w:ResourceURI>"
        f"{_selector_set(reference.selectors)}</a:ReferenceParameters>"
    )


def _selector_set(selectors: Mapping[str, str] | None) -> str:
    if not selectors:
        return ""
    chosen = "".join(f"<w:Selector Name={quoteattr(name)}>{_text(value)}</w:Selector>" for name, value in selectors.items())
    return f"<w:SelectorSet>{chosen}</w:SelectorSet>"


def _text(text: str) -> str:
    """A text as the content of an element.

    Raises:
        ActivationError: XML has no way to write it.
    """
    if found := _NOT_IN_XML.search(text):
        raise ActivationError(f"A text that holds the character U+{ord(found[0]):04X} can't be sent to a Windows host.", source="wsman")
    # A reader of XML turns a carriage return that stands there as such into a line feed.
    return escape(text, {"\r": "&#13;"})


def _request(
    endpoint: str,
    resource: str,
    action: str,
    body: str,
    label: str,
    selectors: Mapping[str, str] | None = None,
    timeout: int = OPERATION_TIMEOUT,
    asked: Asked = Asked.WINDOWS,
) -> Request:
    message_id = f"uuid:{str(uuid.uuid4()).upper()}"
    envelope = _ENVELOPE.format(
        endpoint=_text(endpoint),
        resource=_text(resource),
        action=_text(action),
        message_id=message_id,
        timeout=timeout,
        selectors=_selector_set(selectors),
        body=body,
    )
    return Request(message_id, envelope.encode("utf-8"), label, timeout, asked)
