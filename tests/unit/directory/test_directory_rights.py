# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and masks of rights."""

from __future__ import annotations

import pytest
from descriptor_strategies import words
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.module_options import documented_options
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import rights

pytestmark = pytest.mark.tier("quick")


@pytest.mark.parametrize(("generic", "name"), [(0x10000000, "full_control"), (0x80000000, "read"), (0x40000000, "write"), (0x20000000, "")])
def test_a_generic_right_is_what_ad_stores_for_it(generic: int, name: str) -> None:
    assert rights.mapped(generic) == (rights.RIGHTS[name] if name else 0x20004)


@given(words)
def test_mapping_leaves_no_generic_right_and_takes_nothing(mask: int) -> None:
    mapped = rights.mapped(mask)
    assert not mapped & 0xF0000000
    assert mapped & mask == mask & 0x0FFFFFFF
    assert rights.mapped(mapped) == mapped


@given(words)
def test_names_say_all_of_a_mask(mask: int) -> None:
    names = rights.names_of(mask)
    known = [name for name in names if name in rights.RIGHTS]
    rest = sum(int(name, 16) for name in names if name not in rights.RIGHTS)
    assert rights.mask_of(known) | rest == rights.mapped(mask)


@pytest.mark.parametrize(
    ("mask", "names"),
    [
        (0, []),
        (0x000F01FF, ["full_control"]),
        (0x000300BC, ["delete", "read", "write"]),
        (0x000300D4, ["delete", "delete_tree", "read"]),
        (0x00100020, ["write_property", "0x00100000"]),
    ],
)
def test_the_fewest_names(mask: int, names: list[str]) -> None:
    assert rights.names_of(mask) == names


@given(st.lists(st.sampled_from(sorted(rights.RIGHTS))))
def test_what_is_asked_is_covered_by_its_own_mask(names: list[str]) -> None:
    assert rights.granted_of(names, rights.mask_of(names)) == sorted(set(names))


def test_a_part_of_a_right_is_not_the_right() -> None:
    assert rights.granted_of(["read", "write"], rights.RIGHTS["read"] | 0x20) == ["read"]


def test_the_module_offers_every_right() -> None:
    assert set(documented_options("dns_record_acl")["rights"]["choices"]) == set(rights.RIGHTS)
