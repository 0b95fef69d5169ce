# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A writer of WMI values in every shape of docs/facts/wire-values.md#instances, and strategies for what it writes.

It shares nothing with the collection nor with the lab. Whatever a server may choose (prefixes, the form of a NULL array or of a
time, how rows are split into pages) is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from hypothesis import strategies as st

S = "http://www.w3.org/2003/05/soap-envelope"
A = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
N = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
W = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
M = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
CIM = "http://schemas.dmtf.org/wbem/wscim/1/common"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
URI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/"
FORMS = ("object", "fragment", "object and reference")

_NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True)
_PREFIXES = ["s", "a", "n", "w", "p", "x", "m", "xsi", "cim", "SOAP-ENV", "ns1", "_q", "wsman", "b", "e"]
_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=12)
_FIRST, _LAST = datetime.fromisoformat("1601-01-02"), datetime.fromisoformat("9998-01-01")
_OFFSETS = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_SPANS = st.timedeltas(timedelta(0), timedelta(days=99_999_999))
_REAL = st.floats(allow_nan=False)


@dataclass(frozen=True)
class Shape:
    """A type: its CIM name, or the properties of an embedded instance of the class ``name``."""

    name: str
    is_array: bool = False
    members: dict[str, Shape] | None = field(default=None, hash=False)


@dataclass(frozen=True)
class Reference:
    """What a reference points to."""

    uri: str
    selectors: dict[str, str]


def _integers(bits: int, signed: bool) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else st.integers(0, 2**bits - 1)


SCALARS: dict[str, st.SearchStrategy[Any]] = {
    **{f"{'s' if signed else 'u'}int{bits}": _integers(bits, signed) for bits in (8, 16, 32, 64) for signed in (False, True)},
    "string": _TEXT | st.sampled_from(["", " ", "a\nb", "\tx", "a\r\nb", "<&>\"'", "]]>", "ä€\U0001f511"]),
    "boolean": st.booleans(),
    "real32": _REAL,
    "real64": _REAL,
    "char16": st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"),
    "datetime": st.one_of(st.datetimes(_FIRST, _LAST, timezones=st.just(UTC) | _OFFSETS), _SPANS),
    "reference": st.builds(Reference, st.sampled_from([f"{URI}Win32_ComputerSystem"]), st.dictionaries(_NAMES, _TEXT, max_size=3)),
}


def shapes(depth: int = 2) -> st.SearchStrategy[Shape]:
    """Any type, with embedded instances down to a depth."""
    scalar = st.builds(Shape, st.sampled_from(sorted(SCALARS)), st.booleans())
    return scalar if not depth else st.one_of(scalar, st.builds(Shape, _NAMES.map("Win32_{}".format), st.booleans(), members(depth - 1)))


def members(depth: int = 2) -> st.SearchStrategy[dict[str, Shape]]:
    """The properties of a class, which differ in more than case."""
    return st.lists(st.tuples(_NAMES, shapes(depth)), max_size=5, unique_by=lambda pair: pair[0].lower()).map(dict)


def values(shape: Shape) -> st.SearchStrategy[Any]:
    """NULL, or a value of a type."""
    one = SCALARS[shape.name] if shape.members is None else rows(shape.members)
    return st.none() | (st.lists(one, max_size=3) if shape.is_array else one)


def rows(types: dict[str, Shape]) -> st.SearchStrategy[dict[str, Any]]:
    """A value for each property."""
    return st.fixed_dictionaries({name: values(shape) for name, shape in types.items()})


class Writer:
    """Writes messages; ``draw`` decides whatever is the server's choice."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        chosen = draw(st.permutations(_PREFIXES))
        self._prefix = dict(zip((S, A, N, W, M, CIM, XSI), chosen, strict=False))
        self._own = iter(chosen[7:])
        self.declarations = "".join(f' xmlns:{prefix}="{uri}"' for uri, prefix in self._prefix.items())

    def choose(self, *options: Any) -> Any:
        """One of the options."""
        return self._draw(st.sampled_from(options))

    def name(self, uri: str, local: str) -> str:
        """A name with the prefix of its namespace."""
        return f"{self._prefix[uri]}:{local}"

    def message(self, body: str, relates_to: str) -> bytes:
        """A SOAP message."""
        headers = f"<{self.name(A, 'RelatesTo')}>{relates_to}</{self.name(A, 'RelatesTo')}>"
        envelope, header, content = (self.name(S, local) for local in ("Envelope", "Header", "Body"))
        text = f"<{envelope}{self.declarations}><{header}>{headers}</{header}><{content}>{body}</{content}></{envelope}>"
        if self.choose(True, False):
            text = f'<?xml version="1.0" encoding="utf-8"?>\n{text}'
        return text.encode()

    def item(self, form: str, class_name: str, types: dict[str, Shape], row: dict[str, Any]) -> str:
        """A row of a query."""
        if form == "fragment":
            fragment = self.name(W, "XmlFragment")
            return f"<{fragment}>{self.properties('', types, row)}</{fragment}>"
        written = self.object(class_name, types, row)
        if form == "object":
            return written
        reference = self.reference(Reference(URI + class_name, {"Name": "a<b"}))
        item, epr = self.name(W, "Item"), self.name(A, "EndpointReference")
        return f"<{item}>{written}<{epr}>{reference}</{epr}></{item}>"

    def object(self, element: str, types: dict[str, Shape], row: dict[str, Any]) -> str:
        """An instance, or the output of a method: in the default namespace or with a prefix."""
        uri = URI + self.choose(element, element.lower())
        prefix = self.choose("", "p9")
        language = self.choose("", ' xml:lang="de-DE"')
        tag, declaration = (f"{prefix}:{element}", f"xmlns:{prefix}") if prefix else (element, "xmlns")
        kind = self.choose("", f' {self.name(XSI, "type")}="{tag}_Type"')
        return f'<{tag} {declaration}="{uri}"{kind}{language}>{self.properties(prefix, types, row)}</{tag}>'

    def properties(self, prefix: str, types: dict[str, Shape], row: dict[str, Any], depth: int = 0) -> str:
        """All properties in any order."""
        order = self._draw(st.permutations(sorted(types)))
        return "".join(self._property(f"{prefix}:{name}" if prefix else name, types[name], row[name], depth, not prefix) for name in order)

    def _property(self, tag: str, shape: Shape, value: Any, depth: int, plain: bool) -> str:
        nil = f'{self.name(XSI, "nil")}="true"'
        if value is None:
            forms = ["", f"<{tag} {nil}/>"]
            if shape.is_array:
                forms.append(f'<{tag} {nil} {self.name(M, "IsNullArray")}="true"></{tag}>')
            return str(self.choose(*forms))
        return "".join(self._single(tag, shape, one, depth, plain) for one in (value if shape.is_array else [value]))

    def _single(self, tag: str, shape: Shape, value: Any, depth: int, plain: bool) -> str:
        if shape.members is not None:
            prefix = f"e{depth}"
            inner = self.properties(prefix, shape.members, value, depth + 1)
            kind = f'xmlns:{prefix}="{URI}{shape.name}" {self.name(XSI, "type")}="{prefix}:{shape.name}_Type"'
            # Where an embedded class has a property of the name of a class, only one of the forms can be told.
            if self.choose(True, False) and shape.name not in shape.members:
                return f"<{tag}><{prefix}:{shape.name} {kind}>{inner}</{prefix}:{shape.name}></{tag}>"
            return f"<{tag} {kind}>{inner}</{tag}>"
        if isinstance(value, Reference):
            return f"<{tag}>{self.reference(value)}</{tag}>"
        if isinstance(value, (datetime, timedelta)):
            local, text = self._time(value)
            inner = local if plain else self.name(CIM, local)
            return f"<{tag}><{inner}>{text}</{inner}></{tag}>"
        text = {True: "true", False: "false"}[value] if isinstance(value, bool) else escape(str(value), {"\r": "&#xD;"})
        if isinstance(value, float):
            text = text.replace("inf", "INF")
        return f"<{tag}>{text}</{tag}>"

    def _time(self, value: datetime | timedelta) -> tuple[str, str]:
        """The element and the text of a time: as XML Schema has it, or in the fixed length of DMTF."""
        if isinstance(value, timedelta):
            hours, minutes, seconds = value.seconds // 3600, value.seconds // 60 % 60, value.seconds % 60
            dmtf = f"{value.days:08d}{hours:02d}{minutes:02d}{seconds:02d}.{value.microseconds:06d}:000"
            fraction = f".{value.microseconds:06d}".rstrip("0").rstrip(".")
            return self.choose(("CIM_DateTime", dmtf), ("Interval", f"P{value.days}DT{hours}H{minutes}M{seconds}{fraction}S"))
        plain = value.replace(tzinfo=None).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
        fraction = f".{value.microsecond:06d}" if value.microsecond or self.choose(True, False) else ""
        minutes = int((value.utcoffset() or timedelta()).total_seconds()) // 60
        sign = "-" if minutes < 0 else "+"
        offset = f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
        if not minutes:
            offset = self.choose("Z", "+00:00")
        digits = plain.replace("-", "").replace("T", "").replace(":", "")
        return self.choose(
            ("Datetime", plain + fraction + offset), ("CIM_DateTime", f"{digits}.{value.microsecond:06d}{sign}{abs(minutes):03d}")
        )

    def reference(self, value: Reference) -> str:
        """The children of an endpoint reference."""
        address, parameters = self.name(A, "Address"), self.name(A, "ReferenceParameters")
        uri, selector_set, selector = (self.name(W, local) for local in ("ResourceURI", "SelectorSet", "Selector"))
        selectors = "".join(
            f"<{selector} Name={quoteattr(name)}>{escape(text, {chr(13): '&#13;'})}</{selector}>" for name, text in value.selectors.items()
        )
        chosen = f"<{selector_set}>{selectors}</{selector_set}>" if selectors else ""
        return f"<{address}>{A}/role/anonymous</{address}><{parameters}><{uri}>{value.uri}</{uri}>{chosen}</{parameters}>"

    def page(self, items: list[str], context: str, first: bool) -> str:
        """An EnumerateResponse or PullResponse; without a context it is the last."""
        outer, items_name = (
            (self.name(N, "EnumerateResponse"), self.name(W, "Items")) if first else (self.name(N, "PullResponse"), self.name(N, "Items"))
        )
        end = self.name(W if first else N, "EndOfSequence")
        context_name = self.name(N, "EnumerationContext")
        parts = [f"<{items_name}>{''.join(items)}</{items_name}>"] if items or self.choose(True, False) else []
        if context:
            parts.append(f"<{context_name}>{context}</{context_name}>")
        else:
            parts.append(self.choose(f"<{end}/>", f"<{end}></{end}>"))
            if first:
                parts.append(f"<{context_name}></{context_name}>")
        return f"<{outer}>{''.join(self._draw(st.permutations(parts)))}</{outer}>"


def expected(types: dict[str, Shape], row: dict[str, Any]) -> dict[str, Any]:
    """What reading has to give: a NULL array can't be told from an empty one."""
    return {name: _expected(shape, row[name]) for name, shape in types.items()}


def _expected(shape: Shape, value: Any) -> Any:
    if value is None:
        return [] if shape.is_array else None
    if shape.members is not None:
        return [expected(shape.members, one) for one in value] if shape.is_array else expected(shape.members, value)
    return value
