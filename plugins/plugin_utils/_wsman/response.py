# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers: from the bytes of a SOAP envelope to typed values (DSP0226; MS-WSMV 3.1.4.1).

Windows chooses prefixes freely and writes namespace paths in lower case whatever was asked for, so elements are told
apart by namespace and local name, never by prefix, and classes by local name alone.
"""

from __future__ import annotations

import typing as t
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass

from .._core.codes.asked import Asked
from .._core.errors import ActivationError
from .._core.text import LONGEST_NAME, visible
from .._core.xml import UnreadableXml, parse_xml
from . import namespaces as ns
from .bounds import MAX_CONTEXT, MAX_TEXT
from .cim import Checked, CimClass, CimType, Embedded, OddValue, ReadType, Reference, Value, is_array, parse_value
from .fault import parse_fault

_NIL = f"{{{ns.XSI}}}nil"
# What WS-CIM (DSP0230) lets a time stand in; a projection leaves their namespace out.
_TIMES = ("Datetime", "Date", "Interval", "CIM_DateTime")


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a query's answer.

    Attributes:
        items: One element per row.
        context: What the next page is pulled with; empty at the end.
    """

    items: list[ET.Element]
    context: str


def parse_body(message: bytes, message_id: str, label: str, asked: Asked = Asked.WINDOWS, host: str = "") -> ET.Element | None:
    """The first element in the body of an answer; C(None) where the body is empty.

    Args:
        message: The answer as it came.
        message_id: The request's; the answer has to relate to it.
        label: What was asked for, for the message of a fault.
        asked: The kind of it, which decides what a code means.
        host: Who was asked, for the message of a fault.

    Raises:
        WsmanFault: The answer is a fault.
        ActivationError: The answer is not one of WS-Management, or not one to this request.
    """
    try:
        root = parse_xml(message)
    except UnreadableXml as error:
        raise ActivationError(f"the answer {error}. Is something else listening on this port?", source="wsman") from None
    body = root.find(f"{{{ns.SOAP}}}Body")
    if body is None:
        raise ActivationError("the answer is not a SOAP message. Is something else listening on this port?", source="wsman")
    content = body[0] if len(body) else None
    if content is not None and content.tag == f"{{{ns.SOAP}}}Fault":
        # A fault may come without RelatesTo.
        raise parse_fault(content, label, asked, host)
    relates_to = root.findtext(f"{{{ns.SOAP}}}Header/{{{ns.ADDRESSING}}}RelatesTo", "").strip()
    if relates_to.lower() != message_id.lower():
        raise ActivationError(
            f"the answer is one to another request ({visible(relates_to, LONGEST_NAME) or 'it names none'}).", source="wsman"
        )
    return content


def parse_page(content: ET.Element | None) -> Page:
    """A page from an EnumerateResponse or PullResponse.

    The first answer carries its items and its end marker in the namespace of WS-Management (because they are an
    optimisation of it), later ones in that of WS-Enumeration.
    """
    if content is None:
        raise ActivationError("the answer is empty.", source="wsman")
    items: list[ET.Element] = []
    finished = False
    context = ""
    for child in content:
        if child.tag in (f"{{{ns.WSMAN}}}Items", f"{{{ns.ENUMERATION}}}Items"):
            items.extend(_object(item) for item in child)
        elif child.tag in (f"{{{ns.WSMAN}}}EndOfSequence", f"{{{ns.ENUMERATION}}}EndOfSequence"):
            finished = True
        elif child.tag == f"{{{ns.ENUMERATION}}}EnumerationContext":
            context = (child.text or "").strip()
    if len(context) > MAX_CONTEXT:
        raise ActivationError(f"the answer's EnumerationContext has more than {MAX_CONTEXT} characters.", source="wsman")
    return Page(items, "" if finished else context)


def _object(item: ET.Element) -> ET.Element:
    """What a row holds, without the reference that EnumerateObjectAndEPR puts beside it."""
    return item[0] if item.tag == f"{{{ns.WSMAN}}}Item" and len(item) else item


def parse_instance(element: ET.Element, types: Mapping[str, ReadType]) -> dict[str, Value]:
    """The properties of an instance, or the out parameters of a method, that the schema knows.

    A scalar that did not come is C(None), as is a NULL; an array that did not come is an empty list, because Windows
    leaves NULL arrays out. An instance of a derived class stands in the namespace of its own class, so only the local
    names of properties count.

    Raises:
        OddValue: A value is not of its type, or has another form.
    """
    found: dict[str, list[ET.Element]] = {}
    for child in element:
        found.setdefault(_local_name(child), []).append(child)
    values: dict[str, Value] = {}
    for name, cim_type in types.items():
        try:
            values[name] = _property(found.get(name, []), cim_type)
        except OddValue as odd:
            raise OddValue(f"the answer's {name} does not fit its type: {odd.detail}") from None
    return values


def parse_output(content: ET.Element | None, cim_class: CimClass, method: str) -> dict[str, t.Any]:
    """ReturnValue and out parameters of a method. Some methods answer with an empty element, which means success."""
    types: dict[str, CimType] = {"ReturnValue": "uint32", **cim_class.methods[method].outputs}
    return parse_instance(ET.Element("empty") if content is None else content, types)


def _property(elements: list[ET.Element], cim_type: ReadType) -> Value:
    """The value of all elements of one name."""
    if isinstance(cim_type, Checked):
        return cim_type.form.check(_property(elements, cim_type.cim_type))
    if is_array(cim_type):
        # A single nil is the NULL array; among others it is a NULL in its place, which parallel arrays rely on.
        entry: str | Embedded = Embedded(cim_type.cim_class) if isinstance(cim_type, Embedded) else cim_type.removesuffix("[]")
        values = [_value(element, entry) for element in elements]
        return [] if values == [None] else values
    if len(elements) > 1:
        raise OddValue(f"the host sent {len(elements)} values where WMI has a single one.")
    return _value(elements[0], cim_type) if elements else None


def _value(element: ET.Element, cim_type: str | Embedded) -> Value:
    """The value of one element."""
    if element.get(_NIL) in ("true", "1"):
        return None
    text = element.text or ""
    if len(text) > MAX_TEXT:
        raise OddValue(f"the host sent a text of {len(text)} characters, and no more than {MAX_TEXT} are read.")
    if isinstance(cim_type, Embedded):
        if text.strip():
            raise OddValue(f"the host sent a text where WMI has an instance of {cim_type.cim_class.name}.")
        return parse_instance(_instance(element, cim_type.cim_class), cim_type.cim_class.properties)
    if not len(element):
        return parse_value(text, cim_type)
    if cim_type == "datetime" and len(element) == 1 and _local_name(element[0]) in _TIMES:
        return parse_value(element[0].text or "", cim_type)
    if cim_type == "reference":
        return _reference(element)
    raise OddValue(f"the host sent elements where WMI has a value of type {cim_type}.")


def _instance(element: ET.Element, cim_class: CimClass) -> ET.Element:
    """The parent of the properties: the element itself, or an element of the instance's own class inside it."""
    return element[0] if len(element) == 1 and _local_name(element[0]) not in cim_class.properties else element


def _reference(element: ET.Element) -> Reference:
    parameters = f"{{{ns.ADDRESSING}}}ReferenceParameters"
    uri = element.findtext(f".//{parameters}/{{{ns.WSMAN}}}ResourceURI", "").strip()
    if not uri:
        raise OddValue("the host sent a reference that names no resource.")
    selectors = element.iterfind(f".//{parameters}/{{{ns.WSMAN}}}SelectorSet/{{{ns.WSMAN}}}Selector")
    return Reference(uri, {selector.get("Name", ""): selector.text or "" for selector in selectors})


def _local_name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
