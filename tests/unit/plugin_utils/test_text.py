# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests what becomes of a text from outside before a person sees it."""

from __future__ import annotations

import sys
import time
import tracemalloc
import unicodedata

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.text import one_line, visible

pytestmark = pytest.mark.tier("quick")

KEY = "VDYBN-27WPP-V4HQT-9VMD4-VMK7H"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("kms-1.contoso.com", "kms-1.contoso.com"),
        (r"CONTOSO\svc", r"CONTOSO\svc"),
        ("one\nok: [pc-001]", r"one\x0aok: [pc-001]"),
        ("one\r\ntwo", r"one\x0d\x0atwo"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x9b31mred", r"\x9b31mred"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
        ("\ud800 alone", r"\ud800 alone"),
        ("\ue000 private", r"\ue000 private"),
        ("\uffff no character", r"\uffff no character"),
        ("\U000e0041 tag", r"\U000e0041 tag"),
        ("filler \u3164.", r"filler \u3164."),
        ("selector \ufe0f", r"selector \ufe0f"),
    ],
)
def test_what_a_terminal_obeys_or_nobody_sees_is_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "L\u2019accès\u00a0: refusé",
        "Zażółć gęślą jaźń",
        "Доступ запрещён",
        "アクセスが　拒否されました",
        "الوصول مرفوض",
        "गोपनीय",
        "🔑",
        "e\u0301",
    ],
)
def test_letters_of_all_languages_stay(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize("codes", [range(0x3200), range(0xD700, 0x10000), range(0xE0000, 0xE0200), range(0x10FF00, sys.maxunicode + 1)])
def test_of_unicode_nothing_is_left_that_nobody_sees(codes: range) -> None:
    for code in codes:
        character = chr(code)
        seen = visible(character)
        assert seen == character or (seen.isascii() and seen.isprintable())
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            assert seen != character


@pytest.mark.parametrize("limit", [3, 10, 80, 400])
@pytest.mark.parametrize("text", ["word " * 1000, "x" * 1000, "\x9b" * 1000, "\U000e0041" * 1000, f"{KEY} " * 100, f"x{KEY}" * 100])
def test_a_long_text_is_cut_at_the_limit(text: str, limit: int) -> None:
    shown = visible(text, limit)
    assert len(shown) <= limit
    assert shown.endswith("...")
    assert visible(shown, limit) == shown


def test_neither_a_word_nor_an_escape_is_cut_in_two() -> None:
    assert visible("one two three", 10) == "one two..."
    assert visible("\x9b\x9b\x9b\x9b", 10) == r"\x9b..."


@pytest.mark.parametrize("before", range(60))
def test_no_half_of_a_key_is_left_where_a_text_is_cut(before: int) -> None:
    for gap in ("x" * before + ":", "x " * (before // 2)):
        shown = visible(f"{gap}{KEY} was given", 60)
        assert "VDYBN" not in shown
        assert "27WPP" not in shown


def test_a_text_with_lines_of_its_own_is_one() -> None:
    assert one_line("  Access is denied.\r\n\r\n  Try\tagain.\u2028") == "Access is denied. Try again."
    assert one_line("\x9b31m\nred") == r"\x9b31m red"


def test_time_and_memory_are_those_of_what_is_kept() -> None:
    long, lines = "0 " * 50_000_000, "x\n" * 2_000_000
    began = time.process_time()
    assert len(visible(long)) <= 400
    assert one_line(" " * 50_000_000) == ""
    assert time.process_time() - began < 1
    tracemalloc.start()
    assert len(one_line(lines)) <= 400
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000
