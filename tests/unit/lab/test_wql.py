# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WQL: parsing, checks against a class, evaluation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.wsman import wql
from lab.wsman.backend import CimClass, Property

pytestmark = pytest.mark.tier("test")

THING = CimClass(
    "root/cimv2",
    "Thing",
    keys=("Name",),
    properties=(
        Property("Name", "string"),
        Property("Size", "uint64"),
        Property("Hidden", "boolean"),
        Property("Made", "datetime"),
        Property("Tags", "string[]"),
    ),
)
ROWS: list[dict[str, Any]] = [
    {"Name": "alpha", "Size": 1, "Hidden": True, "Made": datetime(2026, 1, 1, tzinfo=UTC)},
    {"Name": "Beta", "Size": 20, "Hidden": False, "Made": datetime(2026, 6, 1, tzinfo=UTC)},
    {"Name": "back\\slash", "Size": None, "Hidden": None, "Made": None},
    {"Name": "it's", "Size": 300, "Hidden": False, "Made": None},
]


def names(where: str) -> list[str]:
    query = wql.parse(f"select * from Thing where {where}")
    wql.check(query, THING)
    test = wql.compile_condition(query.condition, THING)
    return [row["Name"] for row in ROWS if test(row)]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("Name = 'ALPHA'", ["alpha"]),
        ("'alpha' = name", ["alpha"]),
        ("Size > 1", ["Beta", "it's"]),
        ("1 < Size", ["Beta", "it's"]),
        ("Size = '20'", ["Beta"]),
        ("Size <> 1", ["Beta", "it's"]),
        ("Size != 1 and Hidden = FALSE", ["Beta", "it's"]),
        ("Size is null", ["back\\slash"]),
        ("Size IS NOT NULL", ["alpha", "Beta", "it's"]),
        ("Size = null", ["back\\slash"]),
        ("Hidden = true or Size = 300", ["alpha", "it's"]),
        ("Hidden = true or Size = 300 and Name = 'x'", ["alpha"]),
        ("(Hidden = true or Size = 300) and Name = 'it\\'s'", ["it's"]),
        ("not (Hidden = true or Size = 300)", ["Beta", "back\\slash"]),
        (r"Name = 'back\\slash'", ["back\\slash"]),
        (r"Name = 'back\slash'", []),
        ('Name = "it\'s"', ["it's"]),
        ("Name like 'b%'", ["Beta", "back\\slash"]),
        ("Name like '_e[st]a'", ["Beta"]),
        ("Name not like '%a%'", ["it's"]),
        ("Name like '[^a-b]%'", ["it's"]),
        ("Made > '20260301000000.000000+000'", ["Beta"]),
    ],
)
def test_condition(where: str, expected: list[str]) -> None:
    assert names(where) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "select from Thing",
        "select * from",
        "select * from Thing where",
        "select * from Thing where Name",
        "select * from Thing where Name = ",
        "select * from Thing where Name = 'open",
        "select * from Thing where (Name = 'a'",
        "select * from Thing where Name = 'a' extra",
        "select * from Thing where Size > null",
        "select Name, from Thing",
        "update Thing",
        "select * from Thing; drop",
        "select Missing from Thing",
        "select * from Thing where Missing = 1",
        "select * from Thing where Tags = 'a'",
        "select * from Thing where Size = 'big'",
        "select * from Thing where Hidden = 'maybe'",
        "select * from Thing where Made > 'yesterday'",
        "select * from Thing where Name = 5",
    ],
)
def test_invalid_queries_are_refused(text: str) -> None:
    with pytest.raises(wql.QueryError):
        wql.check(wql.parse(text), THING)


def test_columns_are_found_without_case() -> None:
    query = wql.parse("SELECT size, NAME FROM thing")
    assert [item.name for item in wql.check(query, THING)] == ["Name", "Size"]
    assert query.condition is None


def test_equality_hint_only_holds_what_every_row_must_have() -> None:
    condition = wql.parse("select * from T where A = 'x' and (B = 1 or C = 2) and D <> 3 and E = true").condition
    assert wql.equality_hint(condition) == {"a": "x", "e": True}


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc"))))
def test_an_escaped_string_comes_back(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    condition = wql.parse(f"select * from Thing where Name = '{escaped}'").condition
    assert isinstance(condition, wql.Comparison)
    assert condition.value == text


@given(st.text(alphabet="ab%_[]^-\\*.", max_size=8), st.text(alphabet="ab[]^", max_size=6))
def test_any_pattern_is_compiled_or_refused(pattern: str, text: str) -> None:
    try:
        wql.like_pattern(pattern).fullmatch(text)
    except wql.QueryError:
        assert "[" in pattern
