# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CIM-XML text of a class, as GetClass answers it from Windows 8 / Server 2012 on (docs/facts/wire-values.md#class-schema)."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from .backend import CimClass, Method, Property


def _qualifier(name: str, cim_type: str = "boolean", value: str = "true") -> str:
    return f"<QUALIFIER NAME={quoteattr(name)} TYPE={quoteattr(cim_type)}><VALUE>{value}</VALUE></QUALIFIER>"


def _element(kind: str, item: Property, attributes: str, inside: str) -> str:
    if item.scalar_type == "reference":
        tag, type_attribute = f"{kind}.REFERENCE", ""
    else:
        tag, type_attribute = (f"{kind}.ARRAY" if item.is_array else kind), f" TYPE={quoteattr(item.scalar_type)}"
    opening = f"<{tag} NAME={quoteattr(item.name)}{attributes}{type_attribute}"
    return f"{opening}>{inside}</{tag}>" if inside else f"{opening}/>"


def _method(method: Method, class_name: str, qualifiers: bool) -> str:
    inside = _qualifier("static") if qualifiers and method.static else ""
    for direction, items in (("In", method.inputs), ("Out", method.outputs)):
        for item in items:
            inside += _element("PARAMETER", item, "", _qualifier(direction) if qualifiers else "")
    type_attribute = f" TYPE={quoteattr(method.return_type)}" if method.return_type else ""
    opening = f"<METHOD NAME={quoteattr(method.name)}{type_attribute} CLASSORIGIN={quoteattr(class_name)}"
    return f"{opening}>{inside}</METHOD>" if inside else f"{opening}/>"


def class_xml(cim_class: CimClass, qualifiers: bool) -> str:
    """The ``CLASS`` element; ``qualifiers`` adds key, read or write, In, Out and static."""
    origin = f" CLASSORIGIN={quoteattr(cim_class.name)}"
    keys = {name.lower() for name in cim_class.keys}
    parts: list[str] = []
    for item in sorted(cim_class.properties, key=lambda item: item.name.lower()):
        inside = ""
        if qualifiers:
            inside = _qualifier("key") if item.name.lower() in keys else ""
            inside += _qualifier("write" if item.writable else "read")
        parts.append(_element("PROPERTY", item, origin, inside))
    parts.extend(_method(method, cim_class.name, qualifiers) for method in cim_class.methods)
    superclass = f" SUPERCLASS={quoteattr(cim_class.superclass)}" if cim_class.superclass else ""
    inside = _qualifier("singleton") if qualifiers and cim_class.singleton else ""
    return f"<CLASS NAME={quoteattr(cim_class.name)}{superclass}>{inside}{''.join(parts)}</CLASS>"
