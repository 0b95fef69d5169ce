# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be told of a key before any computer takes it: its shape, and whether it is a client setup key that Microsoft publishes.

Of every other key only Windows can tell what it is, and only once it is installed. Pure.
"""

from __future__ import annotations

from .._core.errors import ActivationError
from .product_keys import normalise
from .setup_keys import by_key

HOST_KEY, MAK = "KMS host key (CSVLK)", "MAK"
"""What a key has to be, as sentences say it."""


def complaint(key: str, option: str, kind: str) -> str:
    """Why a key can't be one of a kind, as a sentence; empty where nothing is known against it.

    Args:
        key: As it was given.
        option: The option or variable that holds it.
        kind: C(HOST_KEY) or C(MAK).
    """
    try:
        known = by_key(normalise(key))
    except ActivationError as refusal:
        return f"{option}: {refusal.message}"
    return f"{option} is the client setup key that Microsoft publishes for {known.name}, and no {kind}." if known else ""


def checked(key: str, option: str, kind: str, instead: str) -> str:
    """The key in its normal form.

    Args:
        key: As it was given.
        option: The option that holds it.
        kind: C(HOST_KEY) or C(MAK).
        instead: What to do about a client setup key, as a sentence.

    Raises:
        ActivationError: It has not the shape of a key, or it is a client setup key.
    """
    plain = normalise(key)
    if said := complaint(plain, option, kind):
        raise ActivationError(f"{said} {instead}", source="options")
    return plain
