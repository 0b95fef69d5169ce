# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many hosts of a job may be out of reach. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .._core.errors import ActivationError
from .._core.text import some, visible

VARIABLE = "volume_activation_max_unreachable"

_COUNT = re.compile(r"([0-9]{1,9})( ?%)?", re.ASCII)
_UNSET = ("", None)


def read_limit(given: Any) -> str:
    """The limit in one form: a count such as C(5), a share such as C(10%), or empty text where none is given.

    Args:
        given: A number, or a text as surveys give it.

    Raises:
        ActivationError: It is none.
    """
    if given in _UNSET:
        return ""
    found = _COUNT.fullmatch(str(given).strip()) if isinstance(given, (int, str)) and not isinstance(given, bool) else None
    if not found or (found[2] and int(found[1]) > 100):
        raise ActivationError(
            f"{VARIABLE} is {visible(str(given))}. Give a number of hosts such as 5, or a share of them such as 10%.", source="options"
        )
    return f"{int(found[1])}{'%' if found[2] else ''}"


def too_many(limit: str, silent: Sequence[str], hosts: int, asked: int | None = None) -> str:
    """Why a job is none with so many hosts out of reach, as sentences; empty text where they are few enough.

    Args:
        limit: What C(read_limit) gave. Without one it is enough to have reached one host of those that were asked.
        silent: The hosts that were not reached, or that rejected the password.
        hosts: How many the job has.
        asked: How many of them were asked; C(None) for all.
    """
    if not silent:
        return ""
    if not limit:
        if len(silent) < (hosts if asked is None else asked):
            return ""
        return f"{_whole(silent)} If none has to be reached, set {VARIABLE} to 100%."
    most = hosts * int(limit[:-1]) // 100 if limit.endswith("%") else int(limit)
    if len(silent) <= most:
        return ""
    share = f"{limit}, which is {most} of {hosts}" if limit.endswith("%") else limit
    return f"{len(silent)} of {hosts} hosts were not reached: {some(silent)}. {VARIABLE} is {share}."


def _whole(silent: Sequence[str]) -> str:
    if len(silent) == 1:
        return f"The only host, {some(silent)}, was not reached."
    return f"None of the {len(silent)} hosts was reached: {some(silent)}."
