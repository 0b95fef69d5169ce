# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The choice among wire forms that no source proves: by the host's seed, one independent choice per topic."""

from __future__ import annotations

import zlib


def variant(seed: int, topic: str, count: int) -> int:
    """A number from 0 to count - 1, the same for the same seed and topic."""
    return zlib.crc32(f"{seed}:{topic}".encode()) % count


def build_number(os_version: str) -> tuple[int, int, int]:
    """``major.minor.build`` as numbers; what is missing counts as 0."""
    parts = [int(part) for part in os_version.split(".")[:3]] + [0, 0, 0]
    return parts[0], parts[1], parts[2]


def is_before_windows8(os_version: str) -> bool:
    """Whether the WinRM service is older than that of Windows 8 / Server 2012 (6.2): other limits and habits."""
    return build_number(os_version)[:2] < (6, 2)
