# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CIM values as WS-Management writes them: text without types, so that a schema has to say what is what.

Integers are decimal text, booleans C(true) and C(false), a NULL is C(xsi:nil), an array is its element repeated, and a
NULL array may be left out altogether (MS-WSMV 2.2.4.1, 3.1.4.1.26). Times are those of WS-CIM (DSP0230), or now and then
the fixed-length text of DMTF (DSP0004 5.2.4).
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

from .._core.errors import ActivationError
from .._core.text import visible

Value: t.TypeAlias = "str | int | float | bool | datetime | timedelta | Reference | dict[str, t.Any] | list[t.Any] | None"
"""A value by its CIM type: C(str) for C(string) and C(char16), C(float) for C(real32) and C(real64), C(datetime) with an
offset or C(timedelta) for C(datetime), C(Reference) or C(str) for C(reference), C(dict) for an instance."""

CimType: t.TypeAlias = "str | Embedded"
"""A CIM type such as C(uint32) or C(string[]), or an embedded instance."""

ReadType: t.TypeAlias = "CimType | Checked"
"""How a value is read: by its type, and by its form where it has one."""

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
_REALS = ("real32", "real64")
# 64 bits have 20 digits; some may be zeros in front.
_INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
_LONGEST_SHOWN = 40
_DURATION = re.compile(r"P(?=[0-9T])(?:([0-9]+)D)?(?:T(?=[0-9])(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)(?:\.([0-9]+))?S)?)?", re.ASCII)
_DMTF_TIME = re.compile(r"([0-9]{14})\.([0-9]{6})([+-])([0-9]{3})")
_DMTF_INTERVAL = re.compile(r"([0-9]{8})([0-9]{2})([0-9]{2})([0-9]{2})\.([0-9]{6}):000")


class OddValue(ActivationError):
    """A host sent a value that does not fit its type or its form.

    Args:
        detail: What it sent, as a sentence that names neither host nor property.
        subject: The host, once it is known.
        about: What was asked of it.
        remedy: What to do.

    Attributes:
        detail: The same.
    """

    def __init__(self, detail: str, *, subject: str = "", about: str = "", remedy: str = "") -> None:
        super().__init__(f"{about}: {detail}" if about else detail, subject=subject, remedy=remedy, source="wsman")
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Form:
    """What the values of a property look like beyond their type.

    Attributes:
        wanted: What a value is, such as C(a build number).
        fits: Whether a value that is not NULL has the form.
        required: Whether Windows always has a value.
    """

    wanted: str
    fits: Callable[[t.Any], object] = lambda _value: True
    required: bool = False

    def check(self, value: Value) -> Value:
        """The value.

        Raises:
            OddValue: It has another form.
        """
        if value is None and self.required:
            raise OddValue(f"the host sent no value where Windows has {self.wanted}.")
        if value is not None and not self.fits(value):
            raise OddValue(f"the host sent '{visible(str(value), _LONGEST_SHOWN)}' where Windows has {self.wanted}.")
        return value


@dataclass(frozen=True, slots=True)
class Checked:
    """A type whose values have a form."""

    cim_type: str
    form: Form


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to an instance, to be sent back as it came.

    Attributes:
        resource_uri: The URI of its class.
        selectors: Its keys; none for a singleton.
    """

    resource_uri: str
    selectors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Embedded:
    """The type of a value that is an instance of another class.

    Attributes:
        cim_class: The class, or a base class of what may come.
        is_array: Whether the value is a list of them.
    """

    cim_class: CimClass
    is_array: bool = False


@dataclass(frozen=True, slots=True)
class Method:
    """A WMI method: its parameters, in the order of the class repository, and what it gives back.

    Parameter names are case-sensitive on the wire.
    """

    inputs: Mapping[str, CimType] = field(default_factory=dict)
    outputs: Mapping[str, CimType] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CimClass:
    """As much of a WMI class as the collection uses.

    Attributes:
        name: The class's name as the repository spells it.
        properties: Property to type.
        methods: The methods in use.
        namespace: The WMI namespace, with slashes.
        forms: The forms of properties that have one.
    """

    name: str
    properties: Mapping[str, CimType] = field(default_factory=dict)
    methods: Mapping[str, Method] = field(default_factory=dict)
    namespace: str = "root/cimv2"
    forms: Mapping[str, Form] = field(default_factory=dict)

    def read_as(self, name: str) -> ReadType:
        """How a property is read: its type, and its form where it has one."""
        cim_type = self.properties[name]
        return Checked(cim_type, self.forms[name]) if isinstance(cim_type, str) and name in self.forms else cim_type


def is_array(cim_type: CimType) -> bool:
    """Whether a value of that type is a list."""
    return cim_type.is_array if isinstance(cim_type, Embedded) else cim_type.endswith("[]")


def parse_value(text: str, cim_type: str) -> str | int | float | bool | datetime | timedelta:
    """One value from its text.

    Raises:
        OddValue: The text is not a value of that type, so that answer and schema do not fit each other.
    """
    if cim_type in ("string", "reference") or (cim_type == "char16" and len(text) == 1):
        return text
    try:
        if cim_type == "boolean":
            return {"true": True, "1": True, "false": False, "0": False}[text.strip().lower()]
        if cim_type == "datetime":
            return _parse_time(text.strip())
        if cim_type in _REALS:
            return float(text)
        low, high = _INTEGER_RANGES[cim_type]
        if not _INTEGER.fullmatch(text.strip()):
            raise ValueError
        number = int(text)
    except (KeyError, ValueError, OverflowError):
        raise OddValue(f"the host sent '{visible(text, _LONGEST_SHOWN)}' where WMI has a value of type {cim_type}.") from None
    # Some providers answer an unsigned property with the signed number of the same bits.
    unsigned = number + high + 1 if number < low == 0 else number
    if not low <= unsigned <= high:
        raise OddValue(f"the host sent {number}, which is outside the range of {cim_type}.")
    return unsigned


def format_value(value: Value, cim_type: str) -> str:
    """The text of one value that is neither NULL nor an array nor an instance.

    Raises:
        ActivationError: The value does not fit the type.
    """
    if cim_type == "boolean" and isinstance(value, bool):
        return "true" if value else "false"
    if cim_type in _INTEGER_RANGES and isinstance(value, int) and not isinstance(value, bool):
        low, high = _INTEGER_RANGES[cim_type]
        if low <= value <= high:
            return str(value)
    if isinstance(value, str) and (cim_type in ("string", "reference") or (cim_type == "char16" and len(value) == 1)):
        return value
    if cim_type in _REALS and isinstance(value, float):
        return repr(value).upper().replace("NAN", "NaN")
    if cim_type == "datetime" and isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    if cim_type == "datetime" and isinstance(value, timedelta) and value >= timedelta():
        fraction = f".{value.microseconds:06d}" if value.microseconds else ""
        return f"P{value.days}DT{value.seconds // 3600}H{value.seconds // 60 % 60}M{value.seconds % 60}{fraction}S"
    raise ActivationError(f"A value of type {type(value).__name__} does not fit into {cim_type}.", source="wsman")


def _parse_time(text: str) -> datetime | timedelta:
    """A point in time, or an interval. Raises ValueError and OverflowError."""
    if found := _DURATION.fullmatch(text):
        return _interval(*found.groups(default="0"))
    if found := _DMTF_INTERVAL.fullmatch(text):
        return _interval(*found.groups())
    if found := _DMTF_TIME.fullmatch(text):
        # Its offset is in minutes, which strptime does not know.
        moment = datetime.strptime(f"{found[1]}{found[2]}+0000", "%Y%m%d%H%M%S%f%z")
        return moment.replace(tzinfo=timezone(timedelta(minutes=int(found[3] + found[4]))))
    moment = datetime.fromisoformat(text)
    # One without an offset is UTC, as Windows means it.
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _interval(days: str, hours: str, minutes: str, seconds: str, fraction: str) -> timedelta:
    microseconds = int(fraction[:6].ljust(6, "0"))
    return timedelta(days=int(days), hours=int(hours), minutes=int(minutes), seconds=int(seconds), microseconds=microseconds)
