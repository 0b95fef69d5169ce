# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret is found however it is written, and what is no secret stays."""

from __future__ import annotations

import base64
import json
import re
import string
import sys
import urllib.parse
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core import masking
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.masking import MASK, Secrets, without_keys
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.secret_forms import clues, folded

pytestmark = pytest.mark.tier("quick")

KEY = "BCDFG-HJKMP-QRTVW-XY234-6789B"
MASKED = "XXXXX-XXXXX-XXXXX-XXXXX-6789B"
# Long enough that it stands in no text by chance.
SECRETS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs"]), min_size=12, max_size=30)


def written(secret: str) -> dict[str, str]:
    """The ways in which libraries have been seen to show a value."""
    return {
        "plain": secret,
        "upper": secret.upper() if secret.upper().lower() == secret.lower() else secret,
        "repr": repr({"password": secret}),
        "bytes": repr(secret.encode()),
        "utf-16": repr(secret.encode("utf-16-le")),
        "utf-16 as latin-1": secret.encode("utf-16-le").decode("latin-1"),
        "json": json.dumps([secret]),
        "xml": f"<p>{escape(secret)}</p>",
        "repr of repr": repr([repr({"password": secret})]),
        "repr of json": repr([json.dumps([secret])]),
        "json of json of repr": json.dumps(json.dumps(repr(secret))),
        "xml of xml": escape(escape(secret)),
        "url": f"https://user:{urllib.parse.quote(secret, safe='')}@host",
    }


@given(SECRETS)
def test_of_a_secret_nothing_is_left_however_it_is_written(secret: str):
    secrets = Secrets([secret])
    for form, text in written(secret).items():
        assert MASK in secrets.mask(text), form
        assert secret not in secrets.mask(text), form
        assert secret not in repr(secrets.mask([{"deep": (text, {text: text})}])), form


@given(st.text(st.sampled_from(string.ascii_letters + string.digits + "-_\\\"'&< \u00e4\u0131\u212a\u0436"), min_size=4, max_size=40))
def test_each_way_to_write_a_secret_has_one_of_its_clues(secret: str):
    known = list(clues(secret))
    for form, text in {**written(secret), "base64": base64.b64encode(secret.encode("utf-16-le") * 2).decode()}.items():
        if re.search("|".join(masking.patterns(secret)), text, re.IGNORECASE):
            assert any(clue in folded(text) for clue in known), form


def test_what_is_like_a_letter_without_regard_to_case_is_that_letter():
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    for character in string.ascii_lowercase + string.digits:
        assert set(folded("".join(re.findall(character, everything, re.IGNORECASE)))) == {character}


def test_a_text_without_a_clue_costs_no_pattern(monkeypatch: pytest.MonkeyPatch):
    secrets = Secrets(["correct horse", KEY, 20261124])
    monkeypatch.setattr(masking, "patterns", lambda _secret: pytest.fail("a pattern was made"))
    assert secrets.mask({"status": "licensed", "count": 1688}) == {"status": "licensed", "count": 1688}


@given(SECRETS, st.binary(max_size=8), st.binary(max_size=8), st.sampled_from(["utf-8", "utf-16-le"]))
def test_inside_of_base64_as_well(secret: str, before: bytes, behind: bytes, encoding: str):
    text = base64.b64encode(before + secret.encode(encoding) + behind).decode()
    masked = Secrets([secret]).mask(text)
    # What is left around the mask are the neighbours, and what shares a character with them.
    left = masked.replace(MASK, "").rstrip("=")
    assert len(left) <= (len(before) + len(behind)) * 4 // 3 + 6


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"Installed product key {KEY} successfully.", f"Installed product key {MASKED} successfully."),
        (KEY.lower(), "XXXXX-XXXXX-XXXXX-XXXXX-6789b"),
        (KEY.replace("-", "\u2013"), MASKED),
        (KEY.replace("-", ""), MASKED),
        (KEY.replace("-", " "), MASKED),
        (f"\u200e{KEY.replace('-', chr(0x200E) + '-' + chr(0x200B))}\u202c", f"\u200e{MASKED}\u202c"),
        (f"{KEY},{KEY}", f"{MASKED},{MASKED}"),
        # Not even five characters of another key stand beside the last five.
        (f"{KEY} {KEY.replace('-', ' ')}", f"{MASKED} {MASKED}"),
        # An extended PID, a client machine ID, numbers, and words are no keys.
        ("03612-00206-471-452343-03-1033-17763.0000-0422020", None),
        ("11111111-2222-3333-4444-555555555555", None),
        ("22222 33333 44444 55555 66666", None),
        ("There were seven hosts whose names begin with", None),
        ("SW_DVD9_Win_Server_STD_CORE_2022_2108.15_64Bit_English", None),
    ],
)
def test_the_shape_of_a_key_is_enough(text: str, masked: str | None):
    assert without_keys(text) == (masked or text)


def test_the_key_in_the_firmware_is_masked_whatever_its_shape():
    secrets = Secrets()
    assert secrets.mask({"OA3xOriginalProductKey": "odd"}) == {"OA3xOriginalProductKey": MASK}
    assert secrets.mask({"OA3xOriginalProductKey": None}) == {"OA3xOriginalProductKey": None}
    assert "odd" not in secrets.mask('<p:OA3xOriginalProductKey xsi:type="x">odd</p:OA3xOriginalProductKey>')
    assert "odd" not in secrets.mask("OA3xOriginalProductKey = odd")


def test_a_key_that_was_given_keeps_its_last_five_and_another_secret_keeps_nothing():
    secrets = Secrets([KEY.replace("-", ""), "AEIOU-AEIOU-AEIOU-AEIOU-AEIOU"])
    assert secrets.mask(f"{KEY} AEIOUAEIOUAEIOUAEIOUAEIOU") == f"{MASKED} {MASK}"


def test_a_confirmation_id_with_letters_before_its_groups_is_masked_as_it_is_sent():
    groups = [str(number) * 6 for number in range(1, 9)]
    secrets = Secrets([" ".join(f"{letter}: {group}" for letter, group in zip("ABCDEFGH", groups, strict=True))])
    assert secrets.mask(f"{''.join(groups)} {'-'.join(groups)}") == f"{MASK} {MASK}"
    wide = Secrets(["".join(chr(ord(digit) + 0xFEE0) for digit in "".join(groups))])
    assert wide.mask("".join(groups)) == MASK


def test_numbers_and_flags():
    secrets = Secrets([20261124, True, None])
    assert secrets.mask([20261124, 1688, True, None]) == [MASK, 1688, True, None]


def test_very_short_ones_are_not_looked_for():
    assert Secrets(["abc", ""]).mask("abcd") == "abcd"


def test_whether_something_holds_a_secret():
    secrets = Secrets(["correct horse"])
    assert secrets.in_value([{"key": ["correct horse"]}])
    assert secrets.in_value({KEY: 1})
    assert not secrets.in_value([{"key": ["battery"]}, 3, None])
