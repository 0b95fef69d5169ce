# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Enumerate, Pull and Release: WQL, whole classes, selector filters, pages (docs/facts/wire.md#enumeration)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from . import faults, wql
from . import namespaces as ns
from .backend import CimClass, Property, WmiError
from .call import Call
from .enumeration import ENVELOPE_OVERHEAD, Enumeration, EnumerationTable, ItemTooLarge
from .faults import CANNOT_PROCESS_FILTER, nested
from .messages import text
from .values import endpoint_reference_xml, fragment_xml, instance_xml, text_of
from .variants import build_number, is_before_windows8, variant
from .wmi_faults import invalid_namespace, invalid_query

SEEN_PAGES = (10, 0, 14393)
MODES = ("EnumerateObject", "EnumerateEPR", "EnumerateObjectAndEPR")


@dataclass(frozen=True)
class Answer:
    """The action and the XML of the body of a response."""

    action: str
    body: str


@dataclass(frozen=True)
class Selection:
    """Rows of a class; ``columns`` is None for whole instances."""

    cim_class: CimClass
    rows: Sequence[Mapping[str, Any]]
    columns: tuple[Property, ...] | None


def _number(call: Call, parent: Element, tag: str, default: int) -> int:
    value = parent.findtext(tag)
    if value is None:
        return default
    if not value.strip().isdigit() or int(value) < 1:
        raise faults.simple(call.voice, "schema")
    return int(value)


class Queries:
    """Enumerations on the hosts of a server."""

    def __init__(self, enumerations: EnumerationTable) -> None:
        self._enumerations = enumerations

    def enumerate(self, call: Call) -> Answer:
        """Start an enumeration; with OptimizeEnumeration the first page comes along."""
        body = _body(call, "Enumerate")
        if call.keys:
            raise faults.simple(call.voice, "keys on enumerate")
        mode = (body.findtext(f"{{{ns.WSMAN}}}EnumerationMode") or MODES[0]).strip()
        if mode not in MODES:
            raise faults.simple(call.voice, "feature")
        selection = _select(call, body)
        items = list(_items(call, selection, mode))
        lifetime = call.limits.enumeration_timeout
        enumeration = self._enumerations.start(*call.owner, selection.cim_class.name, items, lifetime)
        action = ns.ACTION_ENUMERATE + "Response"
        if body.find(f"{{{ns.WSMAN}}}OptimizeEnumeration") is None:
            context = self._enumerations.keep(enumeration, lifetime)
            return Answer(action, _enumerate_response(context, ""))
        page = self._take(call, enumeration, self._first_count(call, body))
        content = f"<w:Items>{''.join(page)}</w:Items>" if page or variant(call.voice.seed, "empty items") == "empty" else ""
        if enumeration.items:
            return Answer(action, _enumerate_response(self._enumerations.keep(enumeration, lifetime), content))
        return Answer(action, _enumerate_response("", content + "<w:EndOfSequence/>"))

    def pull(self, call: Call) -> Answer:
        """The next page."""
        body = _body(call, "Pull")
        context = (body.findtext(f"{{{ns.ENUMERATION}}}EnumerationContext") or "").strip()
        count = min(_number(call, body, f"{{{ns.ENUMERATION}}}MaxElements", 1), call.limits.max_batch_items)
        characters = _number(call, body, f"{{{ns.ENUMERATION}}}MaxCharacters", call.room)
        enumeration = self._enumerations.claim(call.address, context)
        if enumeration is None:
            raise faults.simple(call.voice, "context")
        page = self._take(call, enumeration, count, characters)
        content = f"<n:Items>{''.join(page)}</n:Items>"
        # Where the end stands alone, the answer before it does not know yet that it was the last with items.
        if enumeration.items or (page and _pages(call) == "end apart"):
            context = self._enumerations.keep(enumeration, call.limits.enumeration_timeout, context, call.voice.seed)
            content = f"<n:EnumerationContext>{context}</n:EnumerationContext>{content}"
        else:
            content += "<n:EndOfSequence/>"
        return Answer(ns.ACTION_PULL + "Response", f"<n:PullResponse>{content}</n:PullResponse>")

    def release(self, call: Call) -> Answer:
        """Drop an enumeration."""
        body = _body(call, "Release")
        context = (body.findtext(f"{{{ns.ENUMERATION}}}EnumerationContext") or "").strip()
        if self._enumerations.claim(call.address, context) is None:
            raise faults.simple(call.voice, "context")
        return Answer(ns.ACTION_RELEASE + "Response", "")

    @staticmethod
    def _first_count(call: Call, body: Element) -> int:
        """Up to Server 2016, WinRM hands over one item at first, however many were asked for."""
        wanted = _number(call, body, f"{{{ns.WSMAN}}}MaxElements", 1)
        return min(wanted, call.limits.max_batch_items) if _pages(call) == "all first" else 1

    def _take(self, call: Call, enumeration: Enumeration, count: int, characters: int | None = None) -> list[str]:
        room = min(call.room, characters or call.room) - ENVELOPE_OVERHEAD
        try:
            return enumeration.take(count, room)
        except ItemTooLarge as error:
            raise faults.simple(call.voice, "encoding limit") from error


def _pages(call: Call) -> str:
    """How this host splits its answers, which was seen of the versions up to Server 2016."""
    return "one first" if build_number(call.backend.os_version) <= SEEN_PAGES else variant(call.voice.seed, "pages")


def _body(call: Call, name: str) -> Element:
    body = call.request.body
    if body is None or body.tag != f"{{{ns.ENUMERATION}}}{name}":
        raise faults.simple(call.voice, "schema")
    return body


def _enumerate_response(context: str, content: str) -> str:
    inner = f"<n:EnumerationContext>{context}</n:EnumerationContext>" if context else "<n:EnumerationContext></n:EnumerationContext>"
    return f"<n:EnumerateResponse>{inner}{content}</n:EnumerateResponse>"


def _select(call: Call, body: Element) -> Selection:
    found = body.find(f"{{{ns.WSMAN}}}Filter")
    dialect = "" if found is None else (found.get("Dialect") or "")
    if not call.class_name:
        raise faults.simple(call.voice, "resource uri")
    if found is None:
        if call.class_name == "*":
            raise faults.simple(call.voice, "filter")
        cim_class = call.find_class(call.class_name)
        return Selection(cim_class, call.backend.instances(call.namespace, cim_class.name), None)
    if dialect == ns.DIALECT_WQL:
        if call.class_name != "*":
            raise faults.simple(call.voice, "wql on class")
        call.is_query = True
        return _select_wql(call, found.text or "")
    if dialect == ns.DIALECT_SELECTOR and call.class_name != "*":
        return _select_equal(call, found)
    raise faults.simple(call.voice, "dialect")


def _select_wql(call: Call, query_text: str) -> Selection:
    try:
        query = wql.parse(query_text)
    except wql.QueryError as error:
        raise invalid_query(call.voice) from error
    if not call.backend.has_namespace(call.namespace):
        raise invalid_namespace(call.voice)
    cim_class = call.backend.cim_class(call.namespace, query.class_name)
    if cim_class is None:
        if is_before_windows8(call.backend.os_version):
            message = text("filter", call.voice.language)
            inner = text("class", call.voice.language)
            raise nested(call.voice, CANNOT_PROCESS_FILTER, "n:CannotProcessFilter", message, inner_message=inner)
        cim_class = call.find_class(query.class_name)
    try:
        columns = wql.check(query, cim_class)
        test = wql.compile_condition(query.condition, cim_class)
    except wql.QueryError as error:
        raise invalid_query(call.voice) from error
    rows = call.backend.instances(call.namespace, cim_class.name, wql.equality_hint(query.condition))
    return Selection(cim_class, [row for row in rows if test(row)], columns if query.columns else None)


def _select_equal(call: Call, found: Element) -> Selection:
    """The selector filter dialect: properties equal to texts; no arrays, no times."""
    cim_class = call.find_class(call.class_name)
    wanted: dict[str, str] = {}
    for selector in found.iter(f"{{{ns.WSMAN}}}Selector"):
        prop = cim_class.find_property(selector.get("Name") or "")
        if prop is None or prop.is_array or prop.type == "datetime":
            raise faults.simple(call.voice, "filter")
        wanted[prop.name] = (selector.text or "").lower()

    def test(row: Mapping[str, Any]) -> bool:
        return all(row.get(name) is not None and text_of(row[name], "string").lower() == value for name, value in wanted.items())

    rows = call.backend.instances(call.namespace, cim_class.name)
    return Selection(cim_class, [row for row in rows if test(row)], None)


def _items(call: Call, selection: Selection, mode: str) -> Iterable[str]:
    if selection.columns is not None:
        # A projection carries no keys, so there is nothing to make a reference of.
        if mode != MODES[0]:
            raise faults.simple(call.voice, "feature")
        return [fragment_xml(selection.columns, row, call.style) for row in selection.rows]
    cim_class = selection.cim_class
    uri = call.uri_of(cim_class)
    if mode == MODES[0]:
        return [instance_xml(cim_class, row, call.style, uri) for row in selection.rows]
    references = [endpoint_reference_xml(uri, _keys_of(call, cim_class, row)) for row in selection.rows]
    if mode == MODES[1]:
        return references
    objects = [instance_xml(cim_class, row, call.style, uri) for row in selection.rows]
    return [f"<w:Item>{item}{reference}</w:Item>" for item, reference in zip(objects, references, strict=True)]


def _keys_of(call: Call, cim_class: CimClass, row: Mapping[str, Any]) -> dict[str, str]:
    keys: dict[str, str] = {}
    if not cim_class.singleton:
        for name in cim_class.keys:
            prop = cim_class.find_property(name)
            if prop is None:
                raise WmiError(0x80041001, f"{cim_class.name} has no key {name}", "wbem")
            value = row.get(prop.name)
            keys[prop.name] = "" if value is None else text_of(value, prop.type)
    if call.is_dmtf:
        keys["__cimnamespace"] = cim_class.namespace.lower()
    return keys
