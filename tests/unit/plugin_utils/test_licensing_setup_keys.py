# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The published client setup keys and which one belongs to an installation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing import setup_keys
from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing.product_keys import normalise
from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing.setup_keys import (
    OFFICE_KEYS,
    WINDOWS_KEYS,
    SetupKey,
    find,
)

pytestmark = pytest.mark.tier("quick")

ALL = (*WINDOWS_KEYS, *OFFICE_KEYS)
EDITION_IDS = sorted({edition_id for row in WINDOWS_KEYS for edition_id in row.edition_ids})


def test_every_key_has_the_shape_and_stands_once() -> None:
    assert len(WINDOWS_KEYS) == 82
    assert len(OFFICE_KEYS) == 73
    assert all(normalise(row.key) == row.key for row in ALL)
    assert len({row.key for row in ALL}) == len(ALL)
    assert len({row.name for row in ALL}) == len(ALL)


def test_keys_since_windows_8_hold_the_letter_n_once() -> None:
    old = ("Windows Vista", "Windows 7", "Windows Server 2008", "Office 2010")
    for row in ALL:
        assert row.key.count("N") == (0 if row.version.startswith(old) else 1), row.name


def test_no_installation_has_two_keys() -> None:
    for row in WINDOWS_KEYS:
        for other in WINDOWS_KEYS:
            if row is not other and set(row.edition_ids) & set(other.edition_ids):
                for first, last in row.builds:
                    assert not other.has_build(first), (row.name, other.name)
                    assert last is None or not other.has_build(last), (row.name, other.name)


@pytest.mark.parametrize(
    ("edition_id", "build", "product_type", "last_five"),
    [
        ("ServerStandard", 26100, 3, "MY832"),
        ("ServerDatacenterCor", 26100, 2, "YP6DF"),
        ("ServerTurbine", 20348, 3, "KHMXV"),
        ("ServerStandard", 20348, None, "VMK7H"),
        ("ServerStandard", 17763, 3, "J464C"),
        ("ServerStandardACor", 17134, 3, "9W4KR"),
        ("ServerDatacenterACor", 19042, 3, "CWH2D"),
        ("ServerSolution", 9600, 3, "M4FWM"),
        ("ServerEnterprise", 7601, 3, "CPX3Y"),
        ("ServerStandardV", 6002, 3, "6FFFJ"),
        ("Enterprise", 22631, 1, "2YT43"),
        ("Enterprise", 28000, 1, "2YT43"),
        ("enterprise ", 7601, 1, "HVTHH"),
        ("Professional", 9200, 1, "8CK4"),
        ("EnterpriseS", 10240, 1, "76DF9"),
        ("EnterpriseS", 14393, 1, "QJ4BJ"),
        ("EnterpriseS", 17763, 1, "J462D"),
        ("EnterpriseS", 19044, 1, "J462D"),
        ("EnterpriseSN", 26100, 1, "7CG2H"),
        ("IoTEnterpriseS", 19044, 1, "PDQGT"),
        ("Business", 6002, 1, "2V3X8"),
    ],
)
def test_the_key_of_an_installation(edition_id: str, build: int, product_type: int | None, last_five: str) -> None:
    found = find(edition_id, build, product_type)
    assert found is not None
    assert found.last_five.endswith(last_five)
    assert found.verified


@pytest.mark.parametrize(
    ("edition_id", "build", "product_type"),
    [
        ("ServerStandard", 20349, None),
        ("ServerStandard", 20348, 1),
        ("Enterprise", 22631, 3),
        ("EnterpriseS", 18363, None),
        ("IoTEnterpriseS", 17763, None),
        ("ServerStandardEval", 20348, None),
        ("Core", 22631, None),
        ("", 22631, None),
    ],
)
def test_an_installation_without_a_key_gets_none(edition_id: str, build: int, product_type: int | None) -> None:
    assert find(edition_id, build, product_type) is None


@given(st.sampled_from(EDITION_IDS), st.integers(6000, 30000), st.sampled_from([None, 1, 2, 3]))
def test_a_key_is_of_the_edition_the_build_and_the_kind(edition_id: str, build: int, product_type: int | None) -> None:
    found = find(edition_id, build, product_type)
    if found is not None:
        assert edition_id in found.edition_ids
        assert found.has_build(build)
        assert found.for_server == edition_id.startswith("Server")
        assert product_type is None or found.for_server == (product_type != 1)


def test_a_key_is_not_in_what_python_prints() -> None:
    for row in ALL:
        assert row.key not in repr(row)
        assert isinstance(setup_keys.by_key(row.key), SetupKey)
    assert setup_keys.by_key("BBBBB-BBBBB-BBBBB-BBBBB-BBBBB") is None


@pytest.mark.parametrize(
    ("edition_id", "evaluation"),
    [
        ("EnterpriseEval", True),
        ("ServerStandardEval", True),
        ("ServerStandardEvalCor", True),
        ("ServerStandard", False),
        ("Enterprise", False),
    ],
)
def test_evaluations(edition_id: str, evaluation: bool) -> None:
    assert setup_keys.is_evaluation(edition_id) is evaluation


def test_office_is_found_by_name_and_rows_of_third_parties_say_so() -> None:
    found = setup_keys.find_office("2021", "professional plus")
    assert found is not None
    assert (found.name, found.verified) == ("Office LTSC 2021 Professional Plus", True)
    for version, verified in (("Office LTSC 2024", False), ("2019", True), ("Office 2016", True), ("2013", False), ("2010", False)):
        row = setup_keys.find_office(version, "Standard")
        assert row is not None
        assert row.verified is verified
    assert setup_keys.find_office("2007", "Standard") is None
