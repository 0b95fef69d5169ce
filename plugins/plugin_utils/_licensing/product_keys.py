# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of a product key. A key never stands in an error, not even in part.

Pure.
"""

from __future__ import annotations

import re

from .._core.errors import ActivationError
from .copied import joined

# The 24 characters of all keys, and N, which keys since Windows 8 hold exactly once.
ALPHABET = "BCDFGHJKMPQRTVWXY2346789N"
_SHAPE = re.compile(rf"[{ALPHABET}]{{5}}(?:-[{ALPHABET}]{{5}}){{4}}")


def normalise(key: str) -> str:
    """A key in the form C(XXXXX-XXXXX-XXXXX-XXXXX-XXXXX), whatever dashes, blanks, quotes, invisible characters and case it was given with,
    and without a heading such as C(Product key:).

    Raises:
        ActivationError: It has not the shape of a product key.
    """
    characters = joined(key).upper().rpartition(":")[2]
    grouped = "-".join(characters[start : start + 5] for start in range(0, len(characters), 5))
    if _SHAPE.fullmatch(grouped) is None:
        raise ActivationError(f"The product key does not have the shape of one: {_complaint(characters)}.", source="options")
    return grouped


def last_five(key: str) -> str:
    """What Windows shows of an installed key as PartialProductKey.

    Raises:
        ActivationError: It has not the shape of a product key.
    """
    return normalise(key)[-5:]


def _complaint(characters: str) -> str:
    if characters and not characters.isalnum():
        return "it holds other characters than letters, digits and dashes"
    if len(characters) != 25:
        return f"it has {len(characters)} letters and digits instead of 25"
    places = [str(place) for place, character in enumerate(characters, start=1) if character not in ALPHABET]
    if len(places) == 1:
        return f"the character at place {places[0]} of 25 is used in no product key"
    return f"the characters at places {', '.join(places)} of 25 are used in no product key"
