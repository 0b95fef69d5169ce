# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a MAK run.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

PREFIX = "mak_independent_"
"""What the names of the role's variables begin with."""


@dataclass(frozen=True, slots=True)
class MakSettings:
    """The variables of the role; its argument spec says what each means."""

    activate: bool
    overwrite: bool
    force_install: bool
    count: bool
    as_many_as_remain: bool
    kms_clients_only: bool
    complete_targets: bool
    settle: int

    @classmethod
    def of(cls, options: Mapping[str, Any], prefix: str = "") -> MakSettings:
        """The settings by their names, which may begin with a prefix."""
        return cls(**{field.name: options[prefix + field.name] for field in fields(cls)})

    def as_result(self) -> dict[str, Any]:
        """The settings as variables can hold them."""
        return asdict(self)
