# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and IDs as they come out of mails, spreadsheets and portals: with characters that nobody sees, and with many sorts of dashes. Pure."""

from __future__ import annotations

import re
import unicodedata

from .._text import is_ignorable

# Formats (the marks of a direction among them), controls, spaces and separators.
_UNSEEN = frozenset({"Cf", "Cc", "Zs", "Zl", "Zp"})
# To Unicode the minus, the hyphen bullet, the modifier letter and the soft hyphen are no dashes.
_LIKE_DASHES = "\u2212\u2043\u02d7\u00ad"


def compact(text: str) -> str:
    """The text without blanks and without what shows nothing, and with a hyphen in place of every dash."""
    return "".join(_plain(character) for character in text)


def joined(text: str) -> str:
    """The same without dashes, which part groups."""
    return compact(text).replace("-", "")


def without_labels(text: str, labels: str) -> str:
    """Groups that each have a label in front, such as C(A: 123456 B: 123456), without the labels.

    Args:
        text: What C(joined) gives.
        labels: The labels in their order, one character each. Anything else stays as it is.
    """
    pattern = rf"([{labels}])[:.)=]" if labels.isdigit() else rf"([{labels}])[:.)=]?(?=[0-9])"
    found = re.findall(pattern, text, re.IGNORECASE)
    return re.sub(pattern, "", text, flags=re.IGNORECASE) if "".join(found).upper() == labels else text


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Pd" or character in _LIKE_DASHES:
        return "-"
    return "" if category in _UNSEEN or is_ignorable(character) else character
