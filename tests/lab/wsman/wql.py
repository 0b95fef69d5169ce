# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WQL data queries: parsing and evaluation.

What WMI's query language has for data: ``select`` of columns or ``*``, ``from``, ``where`` with ``and``, ``or``, ``not``,
parentheses, comparisons, ``is [not] null`` and ``like``; names, keywords and strings compare without case; inside a string a
backslash escapes the character after it (docs/facts/wire.md#wql). Event queries and ``associators of`` are not served.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from .backend import CimClass, Property
from .values import INTEGER_RANGES, parse_dmtf_time

KEYWORDS = frozenset({"select", "from", "where", "and", "or", "not", "is", "null", "like", "true", "false"})
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<number>[+-]?\d+(?:\.\d+)?(?![\w.]))
      | (?P<name>[A-Za-z_]\w*)
      | (?P<symbol><>|<=|>=|!=|[=<>(),*])
    )""",
    re.VERBOSE | re.DOTALL,
)


class QueryError(ValueError):
    """A text that is no valid query, or a query that does not fit its class."""


@dataclass(frozen=True)
class Comparison:
    """``column operator value``; a value of None only goes with ``=`` and ``<>`` (null tests)."""

    column: str
    operator: str
    value: str | int | float | bool | None


@dataclass(frozen=True)
class Negation:
    """``not operand``."""

    operand: Condition


@dataclass(frozen=True)
class Junction:
    """Operands joined by ``and`` or ``or``."""

    word: str
    operands: tuple[Condition, ...]


Condition = Comparison | Negation | Junction


@dataclass(frozen=True)
class Query:
    """A parsed query; ``columns`` is empty for ``*``."""

    columns: tuple[str, ...]
    class_name: str
    condition: Condition | None


def unescape(text: str) -> str:
    """The inside of a string literal without its escapes."""
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    position = 0
    text = text.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if not match:
            raise QueryError(f"unexpected text at {position}")
        kind = match.lastgroup or ""
        value = match[kind]
        if kind == "name" and value.lower() in KEYWORDS:
            kind, value = "keyword", value.lower()
        found.append((kind, value))
        position = match.end()
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._position = 0

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._position] if self._position < len(self._tokens) else ("end", "")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self._position += 1
        return token

    def _accept(self, *values: str) -> bool:
        kind, value = self._peek()
        if kind in ("keyword", "symbol") and value in values:
            self._position += 1
            return True
        return False

    def _expect(self, value: str) -> None:
        if not self._accept(value):
            raise QueryError(f"expected {value} before {self._peek()[1]!r}")

    def _name(self) -> str:
        kind, value = self._take()
        if kind != "name":
            raise QueryError(f"expected a name instead of {value!r}")
        return value

    def query(self) -> Query:
        self._expect("select")
        columns: list[str] = []
        if not self._accept("*"):
            columns.append(self._name())
            while self._accept(","):
                columns.append(self._name())
        self._expect("from")
        class_name = self._name()
        condition = self._disjunction() if self._accept("where") else None
        if self._peek()[0] != "end":
            raise QueryError(f"unexpected {self._peek()[1]!r}")
        return Query(tuple(columns), class_name, condition)

    def _disjunction(self) -> Condition:
        return self._junction("or", self._conjunction)

    def _conjunction(self) -> Condition:
        return self._junction("and", self._term)

    def _junction(self, word: str, part: Callable[[], Condition]) -> Condition:
        operands = [part()]
        while self._accept(word):
            operands.append(part())
        return operands[0] if len(operands) == 1 else Junction(word, tuple(operands))

    def _term(self) -> Condition:
        if self._accept("not"):
            return Negation(self._term())
        if self._accept("("):
            inner = self._disjunction()
            self._expect(")")
            return inner
        if self._peek()[0] != "name":
            value = self._constant()
            sign = self._comparison_sign()
            return Comparison(self._name(), MIRRORED.get(sign, sign), value)
        column = self._name()
        if self._accept("is"):
            negated = self._accept("not")
            self._expect("null")
            return Comparison(column, "<>" if negated else "=", None)
        if self._accept("not"):
            self._expect("like")
            return Negation(self._like(column))
        if self._accept("like"):
            return self._like(column)
        sign = self._comparison_sign()
        value = self._constant()
        if value is None and sign not in ("=", "<>", "!="):
            raise QueryError("null has no order")
        return Comparison(column, "<>" if sign == "!=" else sign, value)

    def _like(self, column: str) -> Comparison:
        kind, value = self._take()
        if kind != "string":
            raise QueryError("like needs a string")
        return Comparison(column, "like", unescape(value[1:-1]))

    def _comparison_sign(self) -> str:
        kind, value = self._take()
        if kind != "symbol" or value not in COMPARISONS:
            raise QueryError(f"expected a comparison instead of {value!r}")
        return value

    def _constant(self) -> str | int | float | bool | None:
        kind, value = self._take()
        if kind == "string":
            return unescape(value[1:-1])
        if kind == "number":
            return float(value) if "." in value else int(value)
        if kind == "keyword" and value in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[value]
        raise QueryError(f"expected a constant instead of {value!r}")


def parse(text: str) -> Query:
    """Parse a data query. Raises :class:`QueryError`."""
    return _Parser(text).query()


def _columns_of(condition: Condition | None) -> Iterator[Comparison]:
    if isinstance(condition, Comparison):
        yield condition
    elif isinstance(condition, Negation):
        yield from _columns_of(condition.operand)
    elif isinstance(condition, Junction):
        for operand in condition.operands:
            yield from _columns_of(operand)


def check(query: Query, cim_class: CimClass) -> tuple[Property, ...]:
    """The properties that the query selects, in class order.

    Raises :class:`QueryError` for a column that the class does not have, in ``select`` as in ``where``, for an array in
    ``where`` and for a constant that cannot be compared with its column.
    """
    for comparison in _columns_of(query.condition):
        prop = cim_class.find_property(comparison.column)
        if prop is None or prop.is_array:
            raise QueryError(f"{comparison.column} cannot be compared")
        _checked_constant(prop, comparison)
    wanted = {name.lower() for name in query.columns}
    selected = tuple(item for item in cim_class.properties if not wanted or item.name.lower() in wanted)
    if wanted and len(selected) != len(wanted):
        raise QueryError("a selected column does not exist")
    return selected


def _checked_constant(prop: Property, comparison: Comparison) -> Any:
    """The constant in the type of its column."""
    value = comparison.value
    if value is None:
        return None
    if comparison.operator == "like":
        if prop.type != "string":
            raise QueryError(f"{prop.name} is no string")
        return value
    if prop.type in INTEGER_RANGES or prop.type.startswith("real"):
        if isinstance(value, str):
            if not re.fullmatch(r"\s*[+-]?\d+(\.\d+)?\s*", value):
                raise QueryError(f"{value!r} is no number")
            return float(value) if "." in value else int(value)
        return value
    if prop.type == "boolean":
        if isinstance(value, str):
            if value.lower() not in ("true", "false"):
                raise QueryError(f"{value!r} is no boolean")
            return value.lower() == "true"
        return bool(value)
    if prop.type == "datetime":
        moment = parse_dmtf_time(value) if isinstance(value, str) else None
        if moment is None:
            raise QueryError(f"{value!r} is no time")
        return moment
    if not isinstance(value, str):
        raise QueryError(f"{prop.name} needs a string")
    return value.lower()


@lru_cache(maxsize=256)
def like_pattern(pattern: str) -> re.Pattern[str]:
    """A ``like`` pattern (``%``, ``_``, ``[a-c]``, ``[^a-c]``) as a regular expression without case."""
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        closing = pattern.find("]", position + 1) if character == "[" else -1
        if closing > position + 1:
            inside = pattern[position + 1 : closing]
            negated = inside.startswith("^") and len(inside) > 1
            body = re.sub(r"([\\\[\]^&~|])", r"\\\1", inside[1:] if negated else inside)
            # A hyphen is a range only between two other characters.
            body = re.sub(r"^-|-$|-(?=-)|(?<=-)-", r"\\-", body)
            parts.append(f"[{'^' if negated else ''}{body}]")
            position = closing + 1
            continue
        parts.append({"%": ".*", "_": "."}.get(character, re.escape(character)))
        position += 1
    try:
        return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)
    except re.error as error:
        raise QueryError(f"bad pattern {pattern!r}") from error


def compile_condition(condition: Condition | None, cim_class: CimClass) -> Callable[[Mapping[str, Any]], bool]:
    """A test of one row. NULL is equal to nothing and differs from nothing; only null tests see it."""
    if condition is None:
        return lambda _row: True
    if isinstance(condition, Negation):
        inner = compile_condition(condition.operand, cim_class)
        return lambda row: not inner(row)
    if isinstance(condition, Junction):
        tests = [compile_condition(operand, cim_class) for operand in condition.operands]
        if condition.word == "and":
            return lambda row: all(test(row) for test in tests)
        return lambda row: any(test(row) for test in tests)
    return _compile_comparison(condition, cim_class)


def _compile_comparison(comparison: Comparison, cim_class: CimClass) -> Callable[[Mapping[str, Any]], bool]:
    prop = cim_class.find_property(comparison.column)
    if prop is None:
        raise QueryError(f"{comparison.column} does not exist")
    name = prop.name
    if comparison.value is None:
        wanted = comparison.operator == "="
        return lambda row: (row.get(name) is None) == wanted
    if comparison.operator == "like":
        pattern = like_pattern(str(comparison.value))
        return lambda row: row.get(name) is not None and pattern.fullmatch(str(row[name])) is not None
    constant = _checked_constant(prop, comparison)
    compare = COMPARISONS[comparison.operator]

    def test(row: Mapping[str, Any]) -> bool:
        value = row.get(name)
        if value is None:
            return False
        if isinstance(constant, str):
            value = str(value).lower()
        elif isinstance(constant, datetime) and not isinstance(value, datetime):
            return False
        return compare(value, constant)

    return test


def equality_hint(condition: Condition | None) -> dict[str, str | int | float | bool]:
    """Columns (in lower case) that every row must have equal to a constant: what a host may filter by itself."""
    if isinstance(condition, Comparison):
        if condition.operator == "=" and condition.value is not None:
            return {condition.column.lower(): condition.value}
        return {}
    hint: dict[str, str | int | float | bool] = {}
    if isinstance(condition, Junction) and condition.word == "and":
        for operand in condition.operands:
            hint.update(equality_hint(operand))
    return hint
