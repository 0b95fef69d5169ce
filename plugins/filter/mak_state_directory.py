# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters about where what costs activations is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..plugin_utils._computer_list.state_directory import judge_here


def mak_state_directory(directory: str | None) -> dict[str, str]:
    """See C(mak_state_directory.yml)."""
    found = judge_here(str(directory or ""))
    return {"path": found.path, "refusal": found.refusal}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"mak_state_directory": mak_state_directory}
