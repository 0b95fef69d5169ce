# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CIM values as WS-Management writes them: text without types, so that a schema has to say what is what.

Integers are decimal text, booleans C(true) and C(false), a NULL is C(xsi:nil), an array is its element repeated, and a
NULL array may be left out altogether (MS-WSMV 2.2.4.1, 3.1.4.1.26).
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from .._errors import ActivationError

Value: t.TypeAlias = "str | int | bool | datetime | list[t.Any] | None"

_INTEGER_RANGES = {
    "uint8": (0, 2**8 - 1),
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
    "sint8": (-(2**7), 2**7 - 1),
    "sint16": (-(2**15), 2**15 - 1),
    "sint32": (-(2**31), 2**31 - 1),
    "sint64": (-(2**63), 2**63 - 1),
}


@dataclass(frozen=True, slots=True)
class Method:
    """A WMI method: its parameters, in the order of the class repository, and what it gives back.

    Parameter names are case-sensitive on the wire.
    """

    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CimClass:
    """As much of a WMI class as the collection uses.

    Attributes:
        name: The class's name as the repository spells it.
        properties: Property to CIM type, such as C(uint32) or C(string[]).
        methods: The methods in use.
        namespace: The WMI namespace, with slashes.
    """

    name: str
    properties: Mapping[str, str] = field(default_factory=dict)
    methods: Mapping[str, Method] = field(default_factory=dict)
    namespace: str = "root/cimv2"


def parse_value(text: str, cim_type: str) -> Value:
    """One value from its text.

    Raises:
        ActivationError: The text is not a value of that type, so that answer and schema do not fit each other.
    """
    if cim_type in ("string", "reference"):
        return text
    try:
        if cim_type == "boolean":
            return {"true": True, "1": True, "false": False, "0": False}[text.strip().lower()]
        if cim_type == "datetime":
            return _parse_datetime(text.strip())
        number = int(text)
        low, high = _INTEGER_RANGES[cim_type]
    except (KeyError, ValueError):
        raise ActivationError(f"The target sent {text[:40]!r} where WMI has a value of type {cim_type}.", source="wsman") from None
    # Some providers answer an unsigned property with the signed number of the same bits.
    if number < low and low == 0:
        number += high + 1
    if not low <= number <= high:
        raise ActivationError(f"The target sent {number}, which is outside the range of {cim_type}.", source="wsman")
    return number


def format_value(value: Value, cim_type: str) -> str:
    """The text of one value that is not NULL and not an array.

    Raises:
        ActivationError: The value does not fit the type.
    """
    if cim_type == "boolean" and isinstance(value, bool):
        return "true" if value else "false"
    if cim_type in _INTEGER_RANGES and isinstance(value, int) and not isinstance(value, bool):
        low, high = _INTEGER_RANGES[cim_type]
        if low <= value <= high:
            return str(value)
    if cim_type in ("string", "reference") and isinstance(value, str):
        return value
    if cim_type == "datetime" and isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    raise ActivationError(f"A value of type {type(value).__name__} does not fit into {cim_type}.", source="wsman")


def _parse_datetime(text: str) -> datetime:
    """A point in time; one without an offset is taken as UTC, as Windows means it."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
