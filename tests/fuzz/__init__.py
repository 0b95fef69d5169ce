# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fuzzers of everything that the collection parses and somebody else has written."""

from __future__ import annotations

from pathlib import Path

FOUND = "found-"
"""How the files of inputs begin that once were findings."""


def corpus(name: str) -> Path:
    """The folder with the seeds of a parser."""
    return Path(__file__).parent / "corpus" / name
