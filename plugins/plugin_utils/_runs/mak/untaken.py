# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that no computer takes: mistyped ones, KMS host keys, and keys of a product that no computer of the run has.

Pure.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..._licensing.mak import is_of_another_edition

NO_COMPUTER = "no computer takes the key: "
"""What the reason of such a computer begins with."""


@dataclass(frozen=True, slots=True)
class Takers:
    """Who took what.

    Attributes:
        keys: The keys that some computer took.
        hosts: The computers that took one of their keys.
    """

    keys: Collection[str]
    hosts: Collection[str]

    def fails(self, host: str, key: str, hresult: int | None) -> bool:
        """Whether a computer fails because Windows there refused a key.

        A run for some of the computers may well bring keys for the others. So a valid key of another edition is not applicable where the
        computer took another one.

        Args:
            host: The computer.
            key: The name of the key.
            hresult: The HRESULT by which Windows refused it.
        """
        return key not in self.keys and not (host in self.hosts and is_of_another_edition(hresult))
