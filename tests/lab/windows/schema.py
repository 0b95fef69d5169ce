# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WMI classes of a Windows version, built from the data files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from ..wsman.backend import CimClass, Method, Property
from .data import table

CIMV2 = "root/cimv2"
STANDARD_CIMV2 = "root/StandardCimv2"


def _exists(block: Mapping[str, Any], schema: int) -> bool:
    return bool(block.get("since", 0) <= schema <= block.get("until", 9999))


def _properties(block: Mapping[str, Any], writable: frozenset[str] = frozenset()) -> list[Property]:
    return [
        Property(name, cim_type, name in writable)
        for cim_type, names in block.items()
        if cim_type not in ("source", "since", "until")
        for name in names.split()
    ]


def _parameters(rows: list[str]) -> tuple[Property, ...]:
    pairs = (row.split() for row in rows)
    return tuple(Property(name, cim_type) for name, cim_type in pairs)


def _method(name: str, row: Mapping[str, Any]) -> Method:
    returns = None if row.get("returns") == "none" else "uint32"
    return Method(name, _parameters(row.get("in", [])), _parameters(row.get("out", [])), row.get("static", False), returns)


@cache
def licensing_class(name: str, schema: int) -> CimClass:
    """SoftwareLicensingService or SoftwareLicensingProduct as a schema generation has it (docs/facts/licensing.md#version-differences)."""
    row = table("licensing_classes")[name]
    properties = [item for block in row["properties"] if _exists(block, schema) for item in _properties(block)]
    methods = [
        _method(method, parts)
        for block in row["methods"]
        if _exists(block, schema)
        for method, parts in block.items()
        if method not in ("source", "since", "until")
    ]
    ordered = tuple(sorted(properties, key=lambda item: item.name.lower()))
    return CimClass(CIMV2, name, (row["key"],), ordered, tuple(methods))


@cache
def system_class(name: str, namespace: str) -> CimClass:
    """One of the other classes, in one of its namespaces. Raises KeyError."""
    for row in table("system_classes")["classes"]:
        if row["name"] == name and namespace in row["namespaces"]:
            keys = tuple(row.get("keys") or ([row["key"]] if "key" in row else []))
            properties = sorted(
                _properties(row.get("properties", {}), frozenset(row.get("writable", ()))), key=lambda item: item.name.lower()
            )
            methods = tuple(_method(method, parts) for method, parts in row["methods"].items())
            return CimClass(namespace, name, keys, tuple(properties), methods, row.get("singleton", False), row.get("superclass", ""))
    raise KeyError(f"{namespace}:{name}")
