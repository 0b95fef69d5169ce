# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and IDs as they come out of mails, spreadsheets and portals: with characters that nobody sees, and with many sorts of dashes. Pure."""

from __future__ import annotations

import re
import unicodedata

from .._core.text import is_ignorable

# Formats (the marks of a direction among them), controls, spaces and separators.
_UNSEEN = frozenset({"Cf", "Cc", "Zs", "Zl", "Zp"})
# To Unicode the minus, the hyphen bullet, the modifier letter and the soft hyphen are no dashes.
_LIKE_DASHES = "\u2212\u2043\u02d7\u00ad"
# A spreadsheet puts an apostrophe in front of what is to stay text, and a CSV file and a mail put quotes around it.
_QUOTES = frozenset("\"'`\u00b4\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb")
# Letters and digits as wide as those of Chinese and Japanese, which have their ASCII counterparts in the same order.
_WIDE, _FROM_WIDE = range(0xFF01, 0xFF5F), 0xFF01 - ord("!")


def compact(text: str) -> str:
    """The text without blanks, quotes and what shows nothing, with a hyphen for every dash, and wide characters as ASCII has them."""
    return "".join(_plain(character) for character in text)


def joined(text: str) -> str:
    """The same without dashes, which part groups."""
    return compact(text).replace("-", "")


def without_labels(text: str, labels: str) -> str:
    """Groups that each have a label in front, such as C(A: 123456 B: 123456) or C((A) 123456), without the labels.

    Args:
        text: What C(joined) gives.
        labels: The labels in their order, one character each. Anything else stays as it is.
    """
    pattern = rf"[(\[]?([{labels}])[])=:.]" if labels.isdigit() else rf"[(\[]?([{labels}])[])=:.]?(?=[0-9])"
    found = re.findall(pattern, text, re.IGNORECASE)
    return re.sub(pattern, "", text, flags=re.IGNORECASE) if "".join(found).upper() == labels else text


def without_separators(text: str) -> str:
    """Groups of digits as a list has them, such as C(123456, 123456), without what is between them."""
    return re.sub(r"(?<=[0-9])[,;|/](?=[0-9])", "", text)


def _plain(character: str) -> str:
    character = chr(ord(character) - _FROM_WIDE) if ord(character) in _WIDE else character
    category = unicodedata.category(character)
    if category == "Pd" or character in _LIKE_DASHES:
        return "-"
    return "" if category in _UNSEEN or character in _QUOTES or is_ignorable(character) else character
