# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An error is made of facts, and becomes a sentence in one place."""

from __future__ import annotations

import errno

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.codes.code import (
    Code,
    CodeKind,
    hresult,
    http,
    of_windows,
    plain,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError, Refusals

pytestmark = pytest.mark.tier("quick")


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        (hresult(0xC004F038), "0xC004F038"),
        (hresult(-1073418184), "0xC004F038"),
        (of_windows(5), "5"),
        (of_windows(0x80041001), "0x80041001"),
        (plain(-1765328378), "-1765328378"),
        (http(401), "HTTP 401"),
        (Code(CodeKind.SERVICE, 0x7F), "0x7F"),
        (Code(CodeKind.ERRNO, errno.ENOSPC), "ENOSPC"),
        (Code(CodeKind.ERRNO, 0), ""),
        (Code(CodeKind.OTHER, 0, "MI RESULT 25"), "MI RESULT 25"),
    ],
)
def test_a_code_is_shown_as_its_source_prints_it(code: Code, shown: str):
    assert ActivationError("x", code=code).shown_code == str(code) == shown


def test_a_code_equals_no_code_of_another_kind():
    codes = [hresult(401), http(401), plain(401), Code(CodeKind.SERVICE, 401), Code(CodeKind.ERRNO, 401), Code(CodeKind.OTHER, 401)]
    assert len(set(codes)) == len(codes)
    assert [ActivationError("x", code=code).hresult for code in codes] == [401, None, None, None, None, None]
    assert (ActivationError("x").code, ActivationError("x").hresult, ActivationError("x").shown_code) == (None, None, "")


@pytest.mark.parametrize(
    ("parts", "message", "said"),
    [
        ({"clause": "It failed."}, "It failed.", "It failed."),
        ({"clause": "it failed.", "subject": "kms-1"}, "kms-1: it failed.", "it failed."),
        ({"clause": "it failed", "remedy": "try again."}, "it failed; try again.", "it failed; try again."),
        ({"clause": "it failed.", "remedy": "Try again."}, "it failed. Try again.", "it failed. Try again."),
        ({"clause": "it failed", "remedy": "Try again."}, "it failed. Try again.", "it failed. Try again."),
        ({"clause": "is it one?", "remedy": "Try again.", "subject": "a"}, "a: is it one? Try again.", "is it one? Try again."),
        ({"clause": "a\nb", "subject": "c\u202e"}, "c\\u202e: a\\x0ab", "a\\x0ab"),
    ],
)
def test_the_parts_become_one_visible_sentence(parts: dict[str, str], message: str, said: str):
    error = ActivationError(**parts)
    assert (error.message, str(error), error.said) == (message, message, said)


def test_more_sentences_leave_the_facts_as_they_are():
    error = ActivationError("it failed", subject="a", remedy="try again.", code=http(503), name="N", source="s", unreachable=True)
    more = error.followed_by("Or leave it.")
    assert more.message == "a: it failed; try again. Or leave it."
    assert (more.code, more.name, more.source, more.unreachable) == (error.code, "N", "s", True)
    assert ActivationError("It failed.").followed_by("Leave it.").message == "It failed. Leave it."


def test_refusals_are_lines():
    assert Refusals(["a\tb", "c"]).message == "a\\x09b\nc"
