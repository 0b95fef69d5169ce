# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why something failed, apart from what to do about it. Pure."""

from __future__ import annotations

import typing as t


class Reason(t.NamedTuple):
    """Why something failed.

    Attributes:
        clause: What is the matter, without a full stop.
        remedy: What to do, as an imperative clause; empty where nothing is known.
    """

    clause: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.clause}; {self.remedy}" if self.remedy else self.clause
