# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A variable that is named as if it were of this collection, and is none, is told of; one that is misspelt stops a run."""

from __future__ import annotations

import itertools
import time

import error_catalogue
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.known_variables import known_variables
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.strange import Strange, distance

pytestmark = pytest.mark.tier("quick")

NEAR, NEAR_OF_HOSTS, FAR = "a variable that is misspelt", "a misspelt variable of some hosts", "a variable that nobody knows"
WRITTEN = error_catalogue.paired("Variables", [NEAR, NEAR_OF_HOSTS, FAR])


def strange(*hosts: set[str], play: tuple[str, ...] = ()) -> Strange:
    found = Strange(*known_variables())
    for number, names in enumerate(hosts, 1):
        found.see(f"pc-{number}", {"inventory_hostname", "ansible_host", "volume_activation_mak", *names})
    found.see_play(play)
    return found


def test_a_misspelt_variable_is_refused_with_the_name_that_is_meant():
    found = strange({"kms_single_site_tickt"}, {"kms_single_site_tickt"})
    assert (found.refusals(), found.notes()) == ([error_catalogue.said(WRITTEN[NEAR])], [])
    assert strange(set(), play=("kms_single_site_tickt",)).refusals() == [error_catalogue.said(WRITTEN[NEAR])]
    some = strange({"volume_activation_mark"}, set(), {"volume_activation_mark"})
    assert (some.refusals(), some.notes()) == ([error_catalogue.said(WRITTEN[NEAR_OF_HOSTS])], [])


def test_a_variable_that_nobody_knows_is_a_note():
    found = strange({"mak_proxy_colour"}, {"mak_proxy_colour"})
    assert (found.refusals(), found.notes()) == ([], [error_catalogue.said(WRITTEN[FAR])])


def test_what_is_known_or_somebody_elses_is_neither():
    known = known_variables()
    found = strange({*known.names, "kms_single_sit_ticket", "mak_of_mine", "__kms_single_site_x"}, play=("kms_single_site", "hosts"))
    assert (found.refusals(), found.notes()) == ([], [])


def test_each_known_variable_begins_like_those_of_the_collection():
    known = known_variables()
    assert {
        "kms_single_site_",
        "kms_multi_site_",
        "mak_independent_",
        "mak_proxy_",
        "reference_image_",
        "kms_audit_",
        "volume_activation_",
    } <= {*known.prefixes}
    assert all(name.startswith(known.prefixes) for name in known.names)
    assert {"kms_single_site_ticket", "volume_activation_mak_ring", "kms_single_site_products"} <= known.names


def test_no_two_known_variables_could_be_meant_by_one_that_is_known():
    """Those of a role that were named after each other would make a correct name look wrong."""
    known = known_variables()
    assert strange(set(known.names)).refusals() == []


@given(st.text("ab_", max_size=8), st.text("ab_", max_size=8))
def test_the_distance_is_that_of_edits(one: str, other: str):
    wanted = _slow(one, other)
    assert distance(one, other) == wanted if wanted <= 2 else distance(one, other) > 2


def _slow(one: str, other: str) -> int:
    if not one or not other:
        return len(one) + len(other)
    return min(_rest(one, other, drop) for drop in itertools.product((0, 1), repeat=2) if any(drop))


def _rest(one: str, other: str, drop: tuple[int, int]) -> int:
    cost = 0 if drop == (1, 1) and one[0] == other[0] else 1
    return cost + _slow(one[drop[0] :], other[drop[1] :])


def test_ten_thousand_hosts_with_variables_of_their_own_take_a_second():
    found = Strange(*known_variables())
    common = {f"variable_{number}" for number in range(100)}
    began = time.monotonic()
    for number in range(10_000):
        found.see(f"pc-{number}", {*common, f"mak_proxy_own_{number}"})
    assert len(found.notes()) == 50
    assert time.monotonic() - began < 5
