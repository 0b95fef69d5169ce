# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many hosts of a job may be out of reach."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._survey.reach import read_limit, too_many

pytestmark = pytest.mark.tier("quick")

NAMES = [f"pc-{number:03}" for number in range(108)]


@pytest.mark.parametrize(
    ("given", "limit"),
    [(None, ""), ("", ""), (0, "0"), ("0", "0"), (5, "5"), (" 5 ", "5"), ("10%", "10%"), ("10 %", "10%"), ("100%", "100%")],
)
def test_a_limit_is_a_count_or_a_share(given: Any, limit: str):
    assert read_limit(given) == limit


@pytest.mark.parametrize("given", ["-1", "1.5", 1.5, "five", "101%", "5%%", True, [5], {"a": 1}, "\u0665", "1e3"])
def test_anything_else_is_refused_with_the_variable(given: Any):
    with pytest.raises(ActivationError, match=r"^volume_activation_max_unreachable is .* Give a number of hosts such as 5"):
        read_limit(given)


@pytest.mark.parametrize(
    ("limit", "silent", "hosts", "is_too_many"),
    [
        ("", 0, 0, False),
        ("", 107, 108, False),
        ("", 108, 108, True),
        ("", 1, 1, True),
        ("0", 0, 108, False),
        ("0", 1, 108, True),
        ("5", 5, 108, False),
        ("5", 6, 108, True),
        # 10.8 is rounded down.
        ("10%", 10, 108, False),
        ("10%", 11, 108, True),
        ("100%", 108, 108, False),
        ("0%", 1, 108, True),
    ],
)
def test_the_limit_counts(limit: str, silent: int, hosts: int, is_too_many: bool):
    assert bool(too_many(limit, NAMES[:silent], hosts)) is is_too_many


def test_the_sentence_names_the_first_hosts_and_the_variable():
    assert too_many("10%", NAMES[:12], 108) == (
        "12 of 108 hosts were not reached: pc-000, pc-001, pc-002, pc-003, pc-004 and 7 more."
        " volume_activation_max_unreachable is 10%, which is 10 of 108."
    )
    assert too_many("", NAMES[:1], 1) == (
        "The only host, pc-000, was not reached. If none has to be reached, set volume_activation_max_unreachable to 100%."
    )


def test_of_hosts_that_were_not_asked_none_is_missing():
    assert too_many("", NAMES[:3], 108, 3).startswith("None of the 3 hosts was reached")
    assert not too_many("", NAMES[:3], 108, 4)
    assert not too_many("3", NAMES[:3], 108, 3)
