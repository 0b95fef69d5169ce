# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CIM values as XML and back (docs/facts/wire-values.md#scalars, docs/facts/wire-values.md#method-arguments)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from . import namespaces as ns
from .backend import CimClass, Instance, Property, Reference
from .variants import is_before_windows8, variant

INTEGER_RANGES = {
    "uint8": (0, 2**8 - 1),
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
    "sint8": (-(2**7), 2**7 - 1),
    "sint16": (-(2**15), 2**15 - 1),
    "sint32": (-(2**31), 2**31 - 1),
    "sint64": (-(2**63), 2**63 - 1),
}

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_INTERVAL = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d+))?S)?)?")
_DMTF_TIME = re.compile(r"(\d{14})\.(\d{6})([+-])(\d{3})")


class ValueMismatch(ValueError):
    """A text that is no value of the CIM type asked for."""


@dataclass(frozen=True)
class Style:
    """How one host writes what Windows versions write differently, or what no source proves.

    ``null_arrays``: ``omit`` (seen on 2008 to 2012), ``nil`` (documented), ``precise`` (on request from 2012 on). ``times`` and
    ``embedded``: variants of those topics.
    """

    language: str
    null_arrays: str
    language_on_objects: bool
    times: str = "shortest"
    embedded: str = "in the element"

    @classmethod
    def choose(cls, language: str, os_version: str, seed: int, precise_arrays: bool) -> Style:
        """The style of a host for one request."""
        old = is_before_windows8(os_version)
        if old:
            null_arrays = "omit"
        elif precise_arrays:
            null_arrays = "precise"
        else:
            null_arrays = variant(seed, "null arrays")
        named = old or variant(seed, "language on objects") == "named"
        return cls(language, null_arrays, named, variant(seed, "times"), variant(seed, "embedded instance"))


def clean(text: str) -> str:
    """Control characters that XML cannot hold become question marks, as MS-WSMV 3.1.4.1.25 has it."""
    return _CONTROL.sub("?", text)


def text_of(value: Any, cim_type: str) -> str:
    """The plain text of a scalar, not escaped: what an element, a selector or a message holds."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _time_text(value, "shortest")
    if isinstance(value, timedelta):
        return _interval_text(value)
    if cim_type in INTEGER_RANGES:
        return str(int(value))
    return clean(str(value))


def _time_text(value: datetime, form: str) -> str:
    if form == "offset":
        value = value.astimezone(timezone(timedelta(hours=2)))
    text = value.replace(tzinfo=None).isoformat(timespec="microseconds" if form == "six digits" else "auto")
    offset = value.utcoffset() or timedelta(0)
    if not offset:
        return text + "Z"
    sign = "-" if offset < timedelta(0) else "+"
    minutes = abs(offset) // timedelta(minutes=1)
    return f"{text}{sign}{minutes // 60:02d}:{minutes % 60:02d}"


def _interval_text(value: timedelta) -> str:
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f".{value.microseconds:06d}" if value.microseconds else ""
    return f"P{value.days}DT{hours}H{minutes}M{seconds}{fraction}S"


def _escaped(text: str) -> str:
    """The text inside an element; a carriage return that stands there as such would be read as a line feed."""
    return escape(text, {"\r": "&#13;"})


def _scalar_xml(tag: str, value: Any, cim_type: str, style: Style) -> str:
    prefix = tag.rpartition(":")[0]
    if value is None:
        return f'<{tag} xsi:nil="true"/>'
    if isinstance(value, Instance):
        return _embedded_xml(tag, value, style)
    if isinstance(value, Reference):
        return f"<{tag}>{reference_parts(class_uri(value.namespace, value.class_name), dict(value.keys))}</{tag}>"
    if isinstance(value, (datetime, timedelta)):
        text = _time_text(value, style.times) if isinstance(value, datetime) else _interval_text(value)
        inner = f"{'cim:' if prefix else ''}{'Datetime' if isinstance(value, datetime) else 'Interval'}"
        return f"<{tag}><{inner}>{text}</{inner}></{tag}>"
    text = _escaped(text_of(value, cim_type))
    return f"<{tag}>{text}</{tag}>" if text else f"<{tag}></{tag}>"


def property_xml(prop: Property, value: Any, style: Style, prefix: str = "p:") -> str:
    """One property or parameter as element(s); an empty string if it is not on the wire at all."""
    tag = prefix + prop.name
    if not prop.is_array:
        return _scalar_xml(tag, value, prop.type, style)
    if value is not None:
        return "".join(_scalar_xml(tag, item, prop.scalar_type, style) for item in value)
    if style.null_arrays == "precise":
        return f'<{tag} xmlns:m="{ns.MSWSMAN}" xsi:nil="true" m:IsNullArray="true"/>'
    return f'<{tag} xsi:nil="true"/>' if style.null_arrays == "nil" else ""


def _embedded_xml(tag: str, value: Instance, style: Style) -> str:
    """An instance of another class, whose properties are in the namespace of that class."""
    name = value.cim_class.name
    # Each level has a prefix of its own.
    prefix = f"{tag.rpartition(':')[0]}v"
    kind = f'xmlns:{prefix}="{class_uri(value.cim_class.namespace, name)}" xsi:type="{prefix}:{name}_Type"'
    body = "".join(property_xml(item, value.values.get(item.name), style, f"{prefix}:") for item in _by_name(value.cim_class.properties))
    if style.embedded == "in the element":
        return f"<{tag} {kind}>{body}</{tag}>"
    return f"<{tag}><{prefix}:{name} {kind}>{body}</{prefix}:{name}></{tag}>"


def class_uri(namespace: str, class_name: str) -> str:
    """The resource URI of a class; Windows writes the namespace path in lower case."""
    return f"{ns.URI_WMI}{namespace.lower()}/{class_name}"


def _by_name(properties: Iterable[Property]) -> list[Property]:
    return sorted(properties, key=lambda item: item.name.lower())


def instance_xml(cim_class: CimClass, values: Mapping[str, Any], style: Style, uri: str | None = None) -> str:
    """A whole instance as ``Get`` and ``select *`` show it; ``uri`` replaces the class's own namespace (DMTF form)."""
    uri = uri or class_uri(cim_class.namespace, cim_class.name)
    language = f" xml:lang={quoteattr(style.language)}" if style.language_on_objects else ""
    body = "".join(property_xml(item, values.get(item.name), style) for item in _by_name(cim_class.properties))
    return (
        f'<p:{cim_class.name} xmlns:xsi="{ns.XSI}" xmlns:p="{uri}" xmlns:cim="{ns.CIM_COMMON}" '
        f'xsi:type="p:{cim_class.name}_Type"{language}>{body}</p:{cim_class.name}>'
    )


def fragment_xml(properties: Iterable[Property], values: Mapping[str, Any], style: Style) -> str:
    """A projected row: no class, no namespace, names in alphabetical order."""
    body = "".join(property_xml(item, values.get(item.name), style, "") for item in _by_name(properties))
    return f'<w:XmlFragment xmlns:xsi="{ns.XSI}">{body}</w:XmlFragment>'


def output_xml(uri: str, method: str, properties: Iterable[Property], values: Mapping[str, Any], style: Style) -> str:
    """The ``METHOD_OUTPUT`` element; ``properties`` in the order in which they are to appear."""
    language = f" xml:lang={quoteattr(style.language)}" if style.language_on_objects else ""
    body = "".join(property_xml(item, values.get(item.name), style) for item in properties)
    return f'<p:{method}_OUTPUT xmlns:xsi="{ns.XSI}" xmlns:p="{uri}" xmlns:cim="{ns.CIM_COMMON}"{language}>{body}</p:{method}_OUTPUT>'


def reference_parts(uri: str, keys: Mapping[str, str]) -> str:
    """The children of an endpoint reference: address, resource URI, selectors (none for a singleton)."""
    selectors = "".join(f"<w:Selector Name={quoteattr(name)}>{_escaped(clean(value))}</w:Selector>" for name, value in keys.items())
    selector_set = f"<w:SelectorSet>{selectors}</w:SelectorSet>" if selectors else ""
    return (
        f'<a:Address xmlns:a="{ns.ADDRESSING}">{ns.ANONYMOUS}</a:Address>'
        f'<a:ReferenceParameters xmlns:a="{ns.ADDRESSING}" xmlns:w="{ns.WSMAN}">'
        f"<w:ResourceURI>{escape(uri)}</w:ResourceURI>{selector_set}</a:ReferenceParameters>"
    )


def endpoint_reference_xml(uri: str, keys: Mapping[str, str]) -> str:
    """An ``a:EndpointReference`` to an instance."""
    return f'<a:EndpointReference xmlns:a="{ns.ADDRESSING}">{reference_parts(uri, keys)}</a:EndpointReference>'


def parse_scalar(text: str, cim_type: str) -> Any:
    """A text as a value of a CIM type. Raises :class:`ValueMismatch`."""
    if cim_type in INTEGER_RANGES:
        if not re.fullmatch(r"[+-]?\d+", text.strip()):
            raise ValueMismatch(f"{text!r} is no {cim_type}")
        low, high = INTEGER_RANGES[cim_type]
        number = int(text)
        if not low <= number <= high:
            raise ValueMismatch(f"{text!r} is outside of {cim_type}")
        return number
    if cim_type == "boolean":
        if text.strip() not in ("true", "false", "1", "0"):
            raise ValueMismatch(f"{text!r} is no boolean")
        return text.strip() in ("true", "1")
    if cim_type == "char16" and len(text) != 1:
        raise ValueMismatch(f"{text!r} is no char16")
    if cim_type in ("real32", "real64"):
        try:
            return float(text)
        except ValueError as error:
            raise ValueMismatch(f"{text!r} is no {cim_type}") from error
    return text


def parse_time(text: str) -> datetime:
    """An ISO 8601 time as WS-Management writes it. Raises :class:`ValueMismatch`."""
    try:
        value = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueMismatch(f"{text!r} is no time") from error
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def parse_dmtf_time(text: str) -> datetime | None:
    """A time as WQL writes it (``yyyymmddHHMMSS.mmmmmm+UUU``), or None."""
    match = _DMTF_TIME.fullmatch(text.strip())
    if not match:
        return None
    try:
        plain = datetime.strptime(match[1] + "+0000", "%Y%m%d%H%M%S%z")
    except ValueError:
        return None
    minutes = int(match[4]) * (-1 if match[3] == "-" else 1)
    return plain.replace(microsecond=int(match[2]), tzinfo=timezone(timedelta(minutes=minutes)))


def parse_interval(text: str) -> timedelta:
    """An ISO 8601 duration with days, hours, minutes, seconds. Raises :class:`ValueMismatch`."""
    match = _INTERVAL.fullmatch(text.strip())
    if not match or text.strip() in ("P", "PT"):
        raise ValueMismatch(f"{text!r} is no interval")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    microseconds = int(((match[5] or "") + "000000")[:6])
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=microseconds)


def _parse_element(element: Element, cim_type: str, embedded: CimClass | None) -> Any:
    if element.get(f"{{{ns.XSI}}}nil") in ("true", "1"):
        return None
    children = list(element)
    if cim_type == "datetime":
        if len(children) != 1 or children[0].tag not in (f"{{{ns.CIM_COMMON}}}Datetime", f"{{{ns.CIM_COMMON}}}Interval"):
            raise ValueMismatch("a datetime is an element cim:Datetime or cim:Interval")
        inner = children[0].text or ""
        return parse_time(inner) if children[0].tag.endswith("Datetime") else parse_interval(inner)
    if cim_type == "reference" and children:
        selectors = element.iter(f"{{{ns.WSMAN}}}Selector")
        uri = (element.findtext(f".//{{{ns.WSMAN}}}ResourceURI") or "").removeprefix(ns.URI_WMI)
        namespace, _slash, class_name = uri.rpartition("/")
        return Reference(namespace, class_name, tuple((item.get("Name", ""), item.text or "") for item in selectors))
    if embedded is not None:
        return _parse_embedded(element, embedded)
    if children:
        raise ValueMismatch("a scalar value has no child elements")
    return parse_scalar(element.text or "", cim_type)


def _parse_embedded(element: Element, cim_class: CimClass) -> Instance:
    """An instance as an argument: its class by C(xsi:type), its properties in the namespace of that class."""
    kind = (element.get(f"{{{ns.XSI}}}type") or "").rpartition(":")[2]
    if kind.lower() != f"{cim_class.name}_Type".lower():
        raise ValueMismatch(f"{kind!r} is not {cim_class.name}_Type")
    uri = class_uri(cim_class.namespace, cim_class.name).lower()
    groups: dict[str, list[Element]] = {}
    for child in element:
        namespace, _brace, name = child.tag.rpartition("}")
        if namespace.lstrip("{").lower() != uri:
            raise ValueMismatch(f"{name} is in the namespace of another class")
        groups.setdefault(name, []).append(child)
    known = {item.name: item for item in cim_class.properties}
    if groups.keys() - known.keys():
        raise ValueMismatch(f"{cim_class.name} has no {', '.join(sorted(groups.keys() - known.keys()))}")
    return Instance(cim_class, {name: parse_elements(found, known[name]) for name, found in groups.items()})


def parse_elements(elements: list[Element], prop: Property) -> Any:
    """The value of a property from all its elements, in order. Raises :class:`ValueMismatch`."""
    if prop.is_array:
        items = [_parse_element(element, prop.scalar_type, prop.embedded) for element in elements]
        return None if items == [None] else items
    if len(elements) > 1:
        raise ValueMismatch(f"{prop.name} is no array")
    return _parse_element(elements[0], prop.type, prop.embedded)
