# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of bytes, XML and JSON that leave most of an input as it is, so that it gets through the outer layers."""

from __future__ import annotations

import copy
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from unit.lab.hostile_values import VALUES

LARGEST = 400_000
"""Bytes of an input."""

_TOKEN = re.compile(r"<!--.*?-->|<\?.*?\?>|<[^>]*>|[^<]+", re.DOTALL)
_NAME = re.compile(r"</?([^\s/>]+)")
_ATTRIBUTE = re.compile(r"""\s[\w:.-]+\s*=\s*("[^"]*"|'[^']*')""")
NIL = ' xsi:nil="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'

TEXTS = [made.text for make in VALUES.values() for made in make(ET.Element("x")) if made.text and len(made.text) < 10_000]
"""The odd texts of the tests of single values, and others."""
TEXTS += [
    "\x00", "\x1b[2J", "\ud800", "\u2029", "a\nb\nc", "-", "+", ".", "..", "/", "\\", "0x", "0x" + "f" * 400, "1_0", "\u00b2", " 1 ", "1\u00a0", "null",
    "true", "[]", "{}", "2147483648", "-9223372036854775809", "00", "1e400", "9" * 4400, "P1D", "2026-02-30T00:00:00Z", "20260101000000.000000+000",
    "XXXXX-XXXXX-XXXXX-XXXXX-7CFBY", "O(product_key)", "O(", "%s", "$(id)", "\u0130", "\u1e9e", "\ufb03", "x" * 300, "\u202e" * 40, "&amp;", "]]>", "..com",
    "a." * 200, "xn--", "xn--a", "_", "-a-", "::1", "fe80::1%eth0", "[::1]:99999", "0.0.0.0", "256.1.1.1", "10.0.0.0/33", "S-1-5-18", "a:\u00b2",
]  # fmt: skip
LONG = ["x" * 66_000, "9" * 70_000, "\n" * 20_000, "\u202e" * 10_000, "a," * 20_000, "[" * 50_000]
VALUES_OF_JSON: list[Any] = [
    None, True, False, 0, -1, 1, 65535, 65536, 2**31, 2**63, 2**64, -(2**63) - 1, 1.5, 1e308, 10**400, float("nan"), float("inf"), "", [], {}, [[]], [None],
    {"": None}, {"a": {"b": []}},
]  # fmt: skip
_NUMBERS = [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


def odd_text(draw: Random) -> str:
    """A text that a parser may not have thought of; now and then a long one."""
    return draw.choice(LONG) if not draw.randrange(150) else draw.choice(TEXTS)


def times(draw: Random) -> int:
    """How many changes are made to an input: mostly one or two."""
    count = 1
    while count < 8 and draw.random() < 0.45:
        count += 1
    return count


def of_bytes(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """A change anywhere in the bytes."""
    place, length = draw.randrange(len(data) + 1), 1 + draw.randrange(draw.choice([1, 4, 16, 64]))
    kind = draw.randrange(9)
    if kind == 0 and place < len(data):
        return data[:place] + bytes([data[place] ^ 1 << draw.randrange(8)]) + data[place + 1 :]
    if kind == 1:
        return data[:place] + draw.randbytes(length) + data[place + length :]
    if kind == 2:
        return data[:place] + data[place + length :]
    if kind == 3:
        return data[: place + length] + data[place : place + length] * draw.choice([1, 2, 20]) + data[place + length :]
    if kind == 4:
        width = draw.choice([1, 2, 4])
        number = draw.choice(_NUMBERS) & (1 << 8 * width) - 1
        return data[:place] + number.to_bytes(width, draw.choice(["little", "big"])) + data[place + width :]
    if kind == 5:
        return data[:place]
    if kind == 6:
        other = draw.choice(others)
        start = draw.randrange(len(other) + 1)
        return data[:place] + other[start : start + length] + data[place + length * draw.randrange(2) :]
    if kind == 7:
        return data[:place] + odd_text(draw).encode("utf-8", "surrogatepass") + data[place:]
    return data[:place] + data[place:][::-1]


def of_xml(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """A change that mostly leaves well-formed XML: of one element, text or attribute; the layout around it stays."""
    tokens = _tokens(data)
    spans = list(_spans(tokens))
    if not spans:
        return of_bytes(draw, data, others)
    change = draw.choice(_OF_ELEMENTS)
    # The outermost element stays.
    first, last = draw.choice(spans if change in (_text, _attribute) else spans[1:] or spans)
    change(draw, tokens, first, last, others)
    return "".join(tokens).encode("utf-8", "surrogatepass")


def _text(draw: Random, tokens: list[str], first: int, last: int, _others: Sequence[bytes]) -> None:
    """Another text in an element, for all that it holds; mostly in one that holds a text alone."""
    leaves = [span for span in _spans(tokens) if span[1] - span[0] <= 3]
    first, last = draw.choice(leaves) if leaves and draw.randrange(8) else (first, last)
    if _is_single(tokens[first]):
        tokens[first : first + 1] = [f"{_bare(tokens[first])}>", f"</{_name(tokens[first])}>"]
        last = first + 2
    tokens[first + 1 : last - 1] = [escape(odd_text(draw))]


def _without(_draw: Random, tokens: list[str], first: int, last: int, _others: Sequence[bytes]) -> None:
    del tokens[first:last]


def _several(draw: Random, tokens: list[str], first: int, last: int, _others: Sequence[bytes]) -> None:
    tokens[first:last] = tokens[first:last] * draw.choice([2, 3, 50])


def _of_another(draw: Random, tokens: list[str], first: int, last: int, others: Sequence[bytes]) -> None:
    """An element of another document, or of this one, in its place or before it."""
    other = _tokens(draw.choice(others)) if draw.randrange(2) else list(tokens)
    if taken := list(_spans(other)):
        start, end = draw.choice(taken)
        tokens[first : draw.choice([first, last])] = other[start:end]


def _wrapped(draw: Random, tokens: list[str], first: int, last: int, _others: Sequence[bytes]) -> None:
    """An element in one of its name, once or very deep."""
    depth = draw.choice([1, 2, 2, 2, 40]) if draw.randrange(20) else 2000
    tag = tokens[first]
    begin = f"{_bare(tag)}>" if _is_single(tag) else tag
    tokens[first:last] = [begin] * depth + tokens[first:last] + [f"</{_name(tag)}>"] * depth


def _null(_draw: Random, tokens: list[str], first: int, last: int, _others: Sequence[bytes]) -> None:
    tokens[first:last] = [f"{_bare(tokens[first])}{NIL}/>"]


def _attribute(draw: Random, tokens: list[str], first: int, _last: int, _others: Sequence[bytes]) -> None:
    if found := list(_ATTRIBUTE.finditer(tokens[first])):
        start, end = draw.choice(found).span(1)
        tokens[first] = tokens[first][:start] + quoteattr(odd_text(draw)) + tokens[first][end:]


def _renamed(draw: Random, tokens: list[str], first: int, last: int, _others: Sequence[bytes]) -> None:
    names = [_name(tokens[span[0]]) for span in _spans(tokens)]
    name = draw.choice(["x", "Fault", "Items", *[draw.choice(names)] * 5])
    for place in {first, last - 1}:
        tokens[place] = _NAME.sub(lambda found: found[0].replace(found[1], name), tokens[place], count=1)


def _beside(draw: Random, tokens: list[str], first: int, last: int, _others: Sequence[bytes]) -> None:
    """Something that is no element, before, in or behind one."""
    made = draw.choice(["<!-- x -->", "<?x y?>", "<![CDATA[a<b]]>", "&#x9b;", "text", "\n", "<x/>", "&b;"])
    tokens.insert(draw.choice([first, first + 1, last]), made)


_OF_ELEMENTS = [_text, _text, _text, _text, _without, _several, _of_another, _of_another, _wrapped, _null, _attribute, _renamed, _beside]


def _name(tag: str) -> str:
    found = _NAME.match(tag)
    return found[1] if found else "x"


def _is_single(tag: str) -> bool:
    return tag.endswith("/>")


def _tokens(data: bytes) -> list[str]:
    """Tags, comments and texts; none of what is no text at all."""
    try:
        return _TOKEN.findall(data.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        return []


def _bare(tag: str) -> str:
    return tag.rstrip(">").rstrip("/")


def _spans(tokens: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where each element begins and ends among the tokens; the outermost is the first."""
    found, begun = [], []
    for place, token in enumerate(tokens):
        if not _NAME.match(token) or token.startswith(("<!", "<?")):
            continue
        if token.startswith("</"):
            if begun:
                found.append((begun.pop(), place + 1))
        elif token.endswith("/>"):
            found.append((place, place + 1))
        else:
            begun.append(place)
    return iter(sorted(found))


def loaded(data: bytes) -> Any:
    """A JSON document; an empty one where the bytes are none, which only a driver of a parser of objects reads."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return {}


def of_json(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """A change of one value, name or entry of a JSON document."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return of_bytes(draw, data, others)
    places = list(_places(document))
    if not places:
        return of_bytes(draw, data, others)
    holder, key = draw.choice(places)
    kind = draw.randrange(8)
    if kind <= 2:
        holder[key] = odd_text(draw)
    elif kind == 3:
        holder[key] = copy.deepcopy(draw.choice(VALUES_OF_JSON))
    elif kind == 4:
        del holder[key]
    elif kind == 5:
        other, where = draw.choice(places)
        holder[key] = copy.deepcopy(other[where])
    elif kind == 6 and isinstance(holder, dict):
        holder[draw.choice([odd_text(draw), str(draw.choice(places)[1])])] = (
            copy.deepcopy(holder[key]) if draw.randrange(2) else holder.pop(key)
        )
    elif isinstance(holder, list):
        holder[key:key] = [copy.deepcopy(holder[key])] * draw.choice([1, 2, 12])
    else:
        holder[key] = [holder[key]] if draw.randrange(2) else {"": holder[key]}
    return json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every entry of every list and dictionary, as its holder and its key."""
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from _places(value[key])


Change = Callable[[Random, bytes, Sequence[bytes]], bytes]


def mostly(change: Change, share: float = 0.9) -> Change:
    """Several changes of that kind, and now and then one of any bytes."""

    def mutate(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
        for _time in range(times(draw)):
            data = (change if draw.random() < share else of_bytes)(draw, data, others)
            if len(data) > LARGEST:
                break
        return data[:LARGEST]

    return mutate
