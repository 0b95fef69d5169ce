# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences about many hosts, of which equal ones are said once. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .._core.text import failure_line, some
from .texts import HOST, sentence

_MOST_NAMES = 20
# Whose the endpoint is follows from whom the sentence is about.
_ENDPOINT = re.compile(r"(?<=://)(?:\[[^\]\s]*\]|[^\s/:\[\]]+)(?=(?::[0-9]+)?/wsman\b)")


def alike(said: Iterable[tuple[str, str]]) -> Iterator[tuple[list[str], str]]:
    """Names, and what is said of them, in the order of the first of each.

    Args:
        said: Names and sentences.

    Returns:
        The sentence as it is where it is about one, else with :data:`HOST` where each has its own name or address.
    """
    equal: dict[str, dict[str, None]] = {}
    for name, text in said:
        equal.setdefault(text, {})[name] = None
    found: dict[str, tuple[dict[str, None], str]] = {}
    for text, names in equal.items():
        # What is said of several in the same words names none of them as itself.
        common = text if len(names) > 1 else _ENDPOINT.sub(HOST, sentence(text, list(names)))
        found.setdefault(common, ({}, text))[0].update(names)
    for common, (names, first) in found.items():
        yield list(names), common if len(names) > 1 else first


def failure_lines(failed: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Lines of a summary about hosts that failed, equal reasons once.

    Args:
        failed: Names and reasons.
    """
    for names, reason in alike(failed):
        yield failure_line(names[0], reason) if len(names) == 1 else f"Failed: {len(names)} ({some(names, _MOST_NAMES)}): {reason}"
