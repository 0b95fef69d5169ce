# Copyright: (c) 2026, winops contributors
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

from .._errors import ActivationError
from . import namespaces as ns
from .cim import CimClass, Value, parse_value
from .fault import parse_fault

_NIL = f"{{{ns.XSI}}}nil"


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a query's answer.

    Attributes:
        items: One element per row.
        context: What the next page is pulled with; empty at the end.
    """

    items: list[ET.Element]
    context: str


class _NoDoctype(ET.TreeBuilder):
    """Refuses a document type: no WS-Management message has one, and entities are how a small answer becomes a huge one."""

    def doctype(self, *_declaration: str | None) -> None:
        raise ActivationError("The target's answer holds a document type declaration, which WS-Management does not have.", source="wsman")


def parse_body(message: bytes, message_id: str, label: str) -> ET.Element | None:
    """The first element in the body of an answer; C(None) where the body is empty.

    Args:
        message: The answer as it came.
        message_id: The request's; the answer has to relate to it.
        label: What was asked for, for the message of an error.

    Raises:
        WsmanFault: The answer is a fault.
        ActivationError: The answer is not one of WS-Management, or not one to this request.
    """
    try:
        root = ET.fromstring(message, parser=ET.XMLParser(target=_NoDoctype()))
    except ET.ParseError as error:
        raise ActivationError(
            f"The answer to {label} is not XML: {error}. Is something else listening on this port?", source="wsman"
        ) from None
    body = root.find(f"{{{ns.SOAP}}}Body")
    if body is None:
        raise ActivationError(f"The answer to {label} is not a SOAP message. Is something else listening on this port?", source="wsman")
    content = body[0] if len(body) else None
    if content is not None and content.tag == f"{{{ns.SOAP}}}Fault":
        # A fault may come without RelatesTo.
        raise parse_fault(content, label)
    relates_to = root.findtext(f"{{{ns.SOAP}}}Header/{{{ns.ADDRESSING}}}RelatesTo", "").strip()
    if relates_to.lower() != message_id.lower():
        raise ActivationError(f"The target answered another request ({relates_to or 'none named'}) when asked for {label}.", source="wsman")
    return content


def parse_page(content: ET.Element | None) -> Page:
    """A page from an EnumerateResponse or PullResponse.

    The first answer carries its items and its end marker in the namespace of WS-Management (because they are an
    optimisation of it), later ones in that of WS-Enumeration.
    """
    if content is None:
        raise ActivationError("The target's answer to a query is empty.", source="wsman")
    items: list[ET.Element] = []
    finished = False
    context = ""
    for child in content:
        if child.tag in (f"{{{ns.WSMAN}}}Items", f"{{{ns.ENUMERATION}}}Items"):
            items.extend(child)
        elif child.tag in (f"{{{ns.WSMAN}}}EndOfSequence", f"{{{ns.ENUMERATION}}}EndOfSequence"):
            finished = True
        elif child.tag == f"{{{ns.ENUMERATION}}}EnumerationContext":
            context = (child.text or "").strip()
    return Page(items, "" if finished else context)


def parse_instance(element: ET.Element, types: Mapping[str, str]) -> dict[str, Value]:
    """The properties of an instance, or the out parameters of a method, that the schema knows.

    A scalar that did not come is C(None), as is a NULL; an array that did not come is an empty list, because Windows
    leaves NULL arrays out.
    """
    found: dict[str, list[ET.Element]] = {}
    for child in element:
        found.setdefault(_local_name(child), []).append(child)
    values: dict[str, Value] = {}
    for name, cim_type in types.items():
        children = found.get(name, [])
        present = [child for child in children if child.get(_NIL) not in ("true", "1")]
        if cim_type.endswith("[]"):
            values[name] = [parse_value(_text(child), cim_type[:-2]) for child in present]
        else:
            values[name] = parse_value(_text(present[0]), cim_type) if present else None
    return values


def parse_output(content: ET.Element | None, cim_class: CimClass, method: str) -> dict[str, t.Any]:
    """ReturnValue and out parameters of a method. Some methods answer with an empty element, which means success."""
    types = {"ReturnValue": "uint32", **cim_class.methods[method].outputs}
    if content is None:
        return {name: ([] if cim_type.endswith("[]") else None) for name, cim_type in types.items()}
    return parse_instance(content, types)


def _local_name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _text(element: ET.Element) -> str:
    """The text of a value. A datetime stands one level deeper, in C(cim:Datetime) or C(Datetime)."""
    if len(element) and _local_name(element[0]) in ("Datetime", "Date", "Interval"):
        return element[0].text or ""
    return element.text or ""
