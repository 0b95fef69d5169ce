# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose trouble it is that an activation failed.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..._licensing.mak import Trouble, trouble_of
from .pairs import Result


def refused_keys(made: Iterable[tuple[str, Result]]) -> list[str]:
    """Keys that Microsoft does not activate any computer with, from the results of C(mak_client) with the keys' names."""
    return list(dict.fromkeys(key for key, result in made if result.get("failed") and failure_of(result) is Trouble.KEY))


def failure_of(result: Result) -> Trouble:
    """Whose trouble a failed task is."""
    return trouble_of((result.get("error") or {}).get("hresult"))
