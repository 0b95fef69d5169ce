# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DnsDomainPublishList: what counts as the same line, and what changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing.publish_list import (
    ListWish,
    PublishLine,
    checked_lines,
    parse_line,
    plan_list,
)

pytestmark = pytest.mark.tier("quick")

EAST, WEST = PublishLine("east.contoso.com", 10, 75), PublishLine("west.contoso.com", 90, 75)
BOTH = ListWish((EAST, WEST))
RIGHT = ["east.contoso.com, 10, 75", "west.contoso.com, 90, 75"]
ORDER = "order of DnsDomainPublishList"

DOMAINS = st.sampled_from(["east.contoso.com", "west.contoso.com", "north.contoso.com", "contoso.com", "x"])
NUMBERS = st.integers(0, 65535)
LINES = st.builds(PublishLine, DOMAINS, NUMBERS, NUMBERS)
WISHES = st.builds(ListWish, st.lists(LINES, unique_by=lambda line: line.domain, max_size=4).map(tuple), st.booleans())
TEXTS = st.one_of(LINES.map(str), DOMAINS, st.sampled_from(["", " ", ",", "a, b", "x, 1, 2, 3", "x, 65536", "x,-1", "KMS_E1, 10, 75"]))


def changes(held: list[str], wish: ListWish = BOTH) -> list[tuple[object, ...]]:
    return [
        (change.attribute.removeprefix("DnsDomainPublishList "), change.before, change.after) for change in plan_list(wish, held).changes
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("west.contoso.com", PublishLine("west.contoso.com", 0, 0)),
        (" West.Contoso.com. ,90", PublishLine("west.contoso.com", 90, 0)),
        ("west.contoso.com,90,75", WEST),
        ("west.contoso.com, 090 , 75 ", WEST),
        ("west.contoso.com, 90, 75, 1", None),
        ("west.contoso.com, , 75", None),
        ("west.contoso.com, 65536", None),
        ("west.contoso.com, -1", None),
        ("west.contoso.com, \u0663", None),
        ("west.contoso.com;90;75", None),
        ("west.contoso.com 90 75", None),
        ("west.contoso.com\t90", None),
        ("_vlmcs._tcp.west.contoso.com:1688", None),
        ("-west.contoso.com", None),
        ("west..contoso.com, 90", None),
        (f"{'a' * 64}.contoso.com", None),
        (", 1, 2", None),
        (".", None),
        ("", None),
    ],
)
def test_a_line_is_read_however_it_is_written(text: str, line: PublishLine | None):
    assert parse_line(text) == line


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (RIGHT, []),
        (["EAST.contoso.com.,10,75", " west.contoso.com , 90 , 75"], []),
        ([], [("east.contoso.com", None, "10, 75"), ("west.contoso.com", None, "90, 75")]),
        ([RIGHT[0], "west.contoso.com"], [("west.contoso.com", "0, 0", "90, 75")]),
        ([RIGHT[0]], [("west.contoso.com", None, "90, 75")]),
        ([RIGHT[1]], [("east.contoso.com", None, "10, 75")]),
        (RIGHT[::-1], [(ORDER, ["west.contoso.com", "east.contoso.com"], ["east.contoso.com", "west.contoso.com"])]),
        ([*RIGHT, "west.contoso.com, 1, 2"], [("west.contoso.com", "90, 75; 1, 2", "90, 75")]),
        ([*RIGHT, "other.net, 1"], []),
        (
            ["west.contoso.com;90;75", *RIGHT],
            [(ORDER, ["west.contoso.com;90;75", EAST.domain, WEST.domain], [EAST.domain, WEST.domain, "west.contoso.com;90;75"])],
        ),
        ([RIGHT[0], "west.contoso.com;90;75"], [("west.contoso.com", None, "90, 75")]),
        (["other.net, 1", *RIGHT], [(ORDER, ["other.net", EAST.domain, WEST.domain], [EAST.domain, WEST.domain, "other.net"])]),
        (
            [RIGHT[0], "too, many, 1, 2", RIGHT[1]],
            [(ORDER, [EAST.domain, "too, many, 1, 2", WEST.domain], [EAST.domain, WEST.domain, "too, many, 1, 2"])],
        ),
    ],
)
def test_each_single_difference_is_reported_as_exactly_that(held: list[str], expected: list[tuple[object, ...]]):
    assert changes(held) == expected


def test_exact_removes_what_it_does_not_name():
    held = ["other.net, 1", *RIGHT, "too, many, 1, 2"]
    assert changes(held, ListWish(BOTH.lines, exact=True)) == [("other.net", "1, 0", None), ("too, many, 1, 2", "too, many, 1, 2", None)]
    assert plan_list(BOTH, held).lines == (*RIGHT, "other.net, 1", "too, many, 1, 2")
    assert plan_list(BOTH, held).foreign == ("other.net, 1", "too, many, 1, 2")
    assert plan_list(ListWish((), exact=True), held).lines == ()
    without = ListWish((EAST,), absent=frozenset({WEST.domain}))
    assert changes(held, without) == [
        (WEST.domain, "90, 75", None),
        (ORDER, ["other.net", EAST.domain, "too, many, 1, 2"], [EAST.domain, "other.net", "too, many, 1, 2"]),
    ]
    assert plan_list(without, held).lines == (RIGHT[0], "other.net, 1", "too, many, 1, 2")
    assert plan_list(ListWish(()), held).changes == ()


@given(WISHES, st.lists(TEXTS, max_size=6))
def test_what_was_planned_needs_nothing_more_and_holds_what_was_wanted(wish: ListWish, held: list[str]):
    plan = plan_list(wish, held)
    again = plan_list(wish, plan.lines)
    assert again.changes == ()
    assert again.lines == plan.lines
    assert tuple(map(parse_line, plan.lines[: len(wish.lines)])) == wish.lines
    assert plan.lines[len(wish.lines) :] == plan.foreign
    kept = [text for text in held if text.strip() and text in plan.foreign]
    assert list(plan.foreign) == ([] if wish.exact else kept)
    if not plan.changes:
        assert list(plan.lines) == [text for text in held if text.strip()]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"domain": "two words"}, "'two words' is no name of a DNS domain"),
        ({"domain": "west.contoso.com, 90"}, "is no name of a DNS domain"),
        ({"domain": "."}, r"'\.' is no name of a DNS domain"),
        ({"domain": "a..b"}, "is no name of a DNS domain"),
        ({"domain": "x", "priority": 65536}, "the priority of x is 65536, but has to be from 0 to 65535"),
        ({"domain": "x", "weight": -1}, "the weight of x is -1"),
        ({"domain": "East.contoso.com."}, "names east.contoso.com more than once"),
    ],
)
def test_what_can_t_be_is_refused(entry: dict[str, object], words: str):
    given = [{"domain": "east.contoso.com"}, entry]
    with pytest.raises(ActivationError, match=words):
        checked_lines([{"priority": None, "weight": None, **row} for row in given], "publish_list")
