# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations on WMI objects: Get, Put, methods and class schemas; enumerations are in :mod:`.queries`."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

from . import faults, schema
from . import namespaces as ns
from .backend import WBEM_E_INVALID_CLASS, WBEM_E_INVALID_METHOD, WBEM_E_INVALID_METHOD_PARAMETERS, CimClass, Method, Property, WmiError
from .call import Call
from .enumeration import EnumerationTable
from .messages import text
from .queries import Answer, Queries
from .request_log import Entry
from .values import ValueMismatch, instance_xml, output_xml, parse_elements
from .variants import is_before_windows8, variant
from .winrm_config import config_xml
from .wmi_faults import invalid_parameter, is_answered_as_return_value, keys_missing


def grouped(parent: Element, uri: str) -> dict[str, list[Element]] | None:
    """The children by local name; None if one of them is in another namespace (which compare without case)."""
    groups: dict[str, list[Element]] = {}
    for child in parent:
        namespace, _brace, name = child.tag.rpartition("}")
        if namespace.lstrip("{").lower() != uri.lower():
            return None
        groups.setdefault(name, []).append(child)
    return groups


class Operations:
    """Runs a call on its host."""

    def __init__(self, enumerations: EnumerationTable) -> None:
        self._enumerations = enumerations
        self._queries = Queries(enumerations)

    def describe(self, call: Call, entry: Entry) -> None:
        """Fill in the log entry before the call is run."""
        body = call.request.body
        context = "" if body is None else (body.findtext(f"{{{ns.ENUMERATION}}}EnumerationContext") or "").strip()
        call.describe(entry, self._enumerations.label(context) if context else "")

    def run(self, call: Call) -> Answer:
        """Do what the action says. Raises :class:`~.faults.Fault` and :class:`WmiError`."""
        verb = call.verb
        if verb == "Enumerate":
            return self._queries.enumerate(call)
        if verb == "Pull":
            return self._queries.pull(call)
        if verb == "Release":
            return self._queries.release(call)
        if verb == "GetClass":
            return _get_class(call)
        if verb == "Get" and call.request.resource_uri == ns.URI_CONFIG:
            return Answer(ns.ACTION_GET + "Response", config_xml(call.limits, call.backend.allows_unencrypted))
        if call.request.action == ns.ACTION_END and call.request.resource_uri == ns.URI_FULL_DUPLEX:
            return Answer(ns.ACTION_END + "Response", "")
        if not call.class_name or call.class_name == "*":
            raise faults.simple(call.voice, "resource uri" if not call.class_name else "action")
        if verb == "Get":
            return _get(call)
        if verb == "Put":
            return _put(call)
        if call.method_name:
            return _invoke(call)
        raise faults.simple(call.voice, "action")


def _selectors(call: Call, cim_class: CimClass, all_of_them: bool = True) -> dict[str, str]:
    """The keys by their own names, and nothing else; a method is called with part of them as well (docs/facts/wire.md#lenient-calls)."""
    if not call.keys:
        if cim_class.singleton:
            return {}
        raise keys_missing(call.voice)
    given = {name.lower(): value for name, value in call.keys.items()}
    known = {name.lower() for name in cim_class.keys}
    if not (set(given) == known if all_of_them else set(given) <= known):
        raise faults.simple(call.voice, "selectors")
    return {name: given[name.lower()] for name in cim_class.keys if name.lower() in given}


def _get(call: Call) -> Answer:
    cim_class = call.find_class(call.class_name)
    row = call.backend.get(call.namespace, cim_class.name, _selectors(call, cim_class))
    return _within_room(call, Answer(ns.ACTION_GET + "Response", instance_xml(cim_class, row, call.style, call.uri_of(cim_class))))


def _put(call: Call) -> Answer:
    cim_class = call.find_class(call.class_name)
    selectors = _selectors(call, cim_class)
    groups = _body_groups(call, cim_class.name, call.uri_of(cim_class))
    values = _typed(call, groups, cim_class.properties, is_method=False)
    row = call.backend.put(call.namespace, cim_class.name, selectors, values)
    return _within_room(call, Answer(ns.ACTION_PUT + "Response", instance_xml(cim_class, row, call.style, call.uri_of(cim_class))))


def _body_groups(call: Call, name: str, uri: str) -> dict[str, list[Element]]:
    body = call.request.body
    if body is None or body.tag.lower() != f"{{{uri}}}{name}".lower():
        raise faults.simple(call.voice, "schema")
    groups = grouped(body, uri)
    if groups is None:
        raise faults.simple(call.voice, "schema")
    return groups


def _own_namespace(call: Call) -> str:
    """That of the body itself: arguments may stand in the namespace of another class (docs/facts/wire.md#lenient-calls)."""
    body = call.request.body
    return "" if body is None else body.tag.rpartition("}")[0].lstrip("{")


def _typed(call: Call, groups: dict[str, list[Element]], properties: tuple[Property, ...], is_method: bool) -> dict[str, Any]:
    """The values by name. Names are compared with case, as WinRM does with parameters (docs/facts/wire-values.md#method-arguments)."""
    known = {item.name: item for item in properties}
    values: dict[str, Any] = {}
    for name, elements in groups.items():
        if name not in known:
            raise invalid_parameter(call.voice, is_method)
        try:
            values[name] = parse_elements(elements, known[name])
        except ValueMismatch as error:
            raise invalid_parameter(call.voice, is_method) from error
    return values


def _invoke(call: Call) -> Answer:
    cim_class = call.find_class(call.class_name)
    method = cim_class.find_method(call.method_name)
    if method is None:
        raise WmiError(WBEM_E_INVALID_METHOD, text("action", call.voice.language), "wbem", parameter_info=call.method_name)
    selectors: dict[str, str] | None = None
    if call.keys and not method.static:
        selectors = _selectors(call, cim_class, all_of_them=False)
    elif not method.static and not cim_class.singleton:
        raise WmiError(WBEM_E_INVALID_METHOD_PARAMETERS, text("invalid parameter", call.voice.language), "wbem")
    uri = call.uri_of(cim_class)
    groups = _body_groups(call, method.name + "_INPUT", _own_namespace(call))
    arguments = _typed(call, groups, method.inputs, is_method=True)
    try:
        values = dict(call.backend.invoke(call.namespace, cim_class.name, selectors, method.name, arguments))
    except WmiError as error:
        if method.return_type is None or not is_answered_as_return_value(error, call.voice):
            raise
        values = {"ReturnValue": error.hresult}
    if method.return_type is None:
        values.setdefault("ReturnValue", 0)
    body = output_xml(uri, method.name, _outputs(call, method, values), values, call.style)
    return _within_room(call, Answer(f"{call.request.action}Response", body))


def _outputs(call: Call, method: Method, values: dict[str, Any]) -> list[Property]:
    """The out parameters in the order of this host; ReturnValue first or last, NULL ones nil or left out."""
    outputs = list(method.outputs)
    if variant(call.voice.seed, "null outputs") == "left out":
        outputs = [item for item in outputs if values.get(item.name) is not None]
    if method.return_type is None and variant(call.voice.seed, "empty output") == "zero":
        return [Property("ReturnValue", "uint32")]
    if method.return_type is not None:
        result = Property("ReturnValue", method.return_type)
        outputs = [result, *outputs] if variant(call.voice.seed, "return value") == "first" else [*outputs, result]
    return outputs


def _within_room(call: Call, answer: Answer) -> Answer:
    if len(answer.body.encode("utf-8")) > call.room:
        raise faults.simple(call.voice, "encoding limit")
    return answer


def _get_class(call: Call) -> Answer:
    if is_before_windows8(call.backend.os_version):
        raise faults.simple(call.voice, "resource uri")
    selectors = {name.lower(): value for name, value in call.request.selectors.items()}
    namespace = selectors.get("__cimnamespace", "root/cimv2").replace("\\", "/")
    cim_class = call.backend.cim_class(namespace, selectors.get("classname", ""))
    if cim_class is None:
        raise faults.wmi_error(call.voice, WBEM_E_INVALID_CLASS, text("class", call.voice.language))
    return _within_room(call, Answer(ns.ACTION_GET + "Response", schema.class_xml(cim_class, call.request.option("IncludeQualifiers"))))
