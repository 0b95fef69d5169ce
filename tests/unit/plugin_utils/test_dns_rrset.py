# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which values change by which wish, and which wishes can't be."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.rrset import (
    DEFAULT_TTL,
    RrsetChange,
    RrsetWish,
    changed,
    changes,
    checked_wish,
    doubtful_targets,
    outstanding,
    owner_name,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._srv.value import SrvValue

pytestmark = pytest.mark.tier("quick")

# Few of each, so that values meet.
VALUES = st.builds(SrvValue, st.integers(0, 1), st.integers(0, 1), st.sampled_from([1688, 1689]), st.sampled_from(["a.b", "c.d", "e.f"]))
HELD = st.dictionaries(VALUES, st.sampled_from([300, 900]), max_size=8)
WISHES = st.builds(
    RrsetWish,
    st.lists(VALUES, unique=True, max_size=5).map(tuple),
    st.sampled_from(["present", "absent", "exact"]),
    st.sampled_from([None, 300, 1200]),
    st.booleans(),
)


@given(WISHES, HELD)
def test_what_was_done_need_not_be_done_again(wish: RrsetWish, held: dict[SrvValue, int]) -> None:
    after = changed(held, changes(wish, held))
    assert changes(wish, after) == []
    assert outstanding(changes(wish, held), after) == []


@given(WISHES, HELD)
def test_nothing_is_missing_and_nobody_elses_value_is_touched(wish: RrsetWish, held: dict[SrvValue, int]) -> None:
    after = changed(held, changes(wish, held))
    wanted, targets = set(wish.values), {value.target for value in wish.values}
    if wish.state == "absent":
        assert not wanted & set(after)
    else:
        assert wanted <= set(after)
        assert wish.ttl is None or all(after[value] == wish.ttl for value in wanted)
    if wish.state == "exact":
        assert set(after) == wanted
    elif wish.by_target:
        assert {value for value in after if value.target in targets} == (set() if wish.state == "absent" else wanted)
    others = {value for value in held if value not in wanted and not (wish.by_target and value.target in targets)}
    if wish.state != "exact":
        assert {value: after[value] for value in others} == {value: held[value] for value in others}


@given(WISHES, HELD)
def test_a_client_finds_a_host_at_any_time(wish: RrsetWish, held: dict[SrvValue, int]) -> None:
    kinds = [change.after is None for change in changes(wish, held)]
    assert kinds == sorted(kinds)


def test_a_new_value_gets_the_time_to_live_of_its_neighbours() -> None:
    new, old = SrvValue(0, 0, 1688, "a.b"), SrvValue(0, 0, 1688, "c.d")
    assert changes(RrsetWish((new,)), {old: 700}) == [RrsetChange(new, None, 700)]
    assert changes(RrsetWish((new,)), {}) == [RrsetChange(new, None, DEFAULT_TTL)]
    assert changes(RrsetWish((new,), ttl=60), {old: 700}) == [RrsetChange(new, None, 60)]


def test_a_new_value_with_the_time_to_live_of_the_whole_record_is_there() -> None:
    value = SrvValue(0, 0, 1688, "a.b")
    assert outstanding([RrsetChange(value, None, 60)], {value: 900}) == []
    assert outstanding([RrsetChange(value, 300, 60)], {value: 300}) != []
    assert outstanding([RrsetChange(value, 300, None)], {value: 300}) != []


def one(**changed: t.Any) -> dict[str, t.Any]:
    return {"target": "kms-1.contoso.com", "port": 1688, "priority": 0, "weight": 0, **changed}


@pytest.mark.parametrize(
    ("values", "more", "sentence"),
    [
        ([], {}, "values is empty"),
        ([], {"state": "absent"}, "values is empty"),
        ([one(target="kms-1")], {}, "no full name of a host"),
        ([one(target="kms 1.contoso.com")], {}, "no full name of a host"),
        ([one(target="-kms.contoso.com")], {}, "no full name of a host"),
        ([one(target="a" * 64 + ".contoso.com")], {}, "no full name of a host"),
        ([one(target="192.0.2.1")], {}, "is an address"),
        ([one(target="2001:db8::1")], {}, "is an address"),
        ([one(port=0)], {}, "The port of kms-1.contoso.com is 0"),
        ([one(port=65536)], {}, "a number from 1 to 65535"),
        ([one(priority=-1)], {}, "The priority of kms-1.contoso.com is -1"),
        ([one(weight=65536)], {}, "The weight of kms-1.contoso.com is 65536"),
        ([one(), one(target="KMS-1.contoso.com.")], {}, "more than once"),
        ([one()], {"ttl": -1}, "ttl is -1"),
        ([one()], {"ttl": 2**31}, "ttl is 2147483648"),
        ([one()], {"ttl": 5, "state": "absent"}, "ttl has no meaning"),
    ],
)
def test_a_wish_that_cannot_be(values: list[dict[str, t.Any]], more: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(ActivationError, match=sentence) as failed:
        checked_wish(values, **{"state": "present", "ttl": None, "by_target": False, **more})
    assert failed.value.source == "options"


def test_a_wish_that_can_be() -> None:
    wish = checked_wish([one(target="KMS_1.Contoso.com."), one(target=".", port=0)], "present", 0, False)
    assert wish.values == (SrvValue(0, 0, 1688, "kms_1.contoso.com"), SrvValue(0, 0, 0, "."))
    assert doubtful_targets(wish) == ["kms_1.contoso.com"]
    assert doubtful_targets(RrsetWish(wish.values, "absent")) == []
    assert checked_wish([], "exact", None, False).values == ()


@pytest.mark.parametrize(
    ("zone", "record", "name"),
    [
        ("contoso.com", "_vlmcs._tcp", "_vlmcs._tcp.contoso.com"),
        ("Contoso.com.", "_VLMCS._tcp", "_vlmcs._tcp.contoso.com"),
        ("contoso.com", "_vlmcs._tcp.contoso.com", "_vlmcs._tcp.contoso.com"),
        ("contoso.com", "_vlmcs._tcp.contoso.com.", "_vlmcs._tcp.contoso.com"),
        ("contoso.com", "_vlmcs._tcp.east", "_vlmcs._tcp.east.contoso.com"),
        ("contoso.com", "@", "contoso.com"),
        ("contoso.com", "contoso.com", "contoso.com"),
    ],
)
def test_the_whole_name(zone: str, record: str, name: str) -> None:
    assert owner_name(zone, record) == name


@pytest.mark.parametrize(
    ("zone", "record", "sentence"),
    [
        ("contoso.com", "_vlmcs._tcp.fabrikam.com.", "does not lie in the zone contoso.com"),
        ("contoso.com", "_vlmcs._tcp.notcontoso.com.", "does not lie in the zone"),
        ("contoso com", "_vlmcs._tcp", "is no name of a DNS zone"),
        ("contoso.com", "_vl mcs", "is no DNS name"),
        ("contoso.com", "a..b", "is no DNS name"),
    ],
)
def test_a_name_that_cannot_be(zone: str, record: str, sentence: str) -> None:
    with pytest.raises(ActivationError, match=sentence):
        owner_name(zone, record)
