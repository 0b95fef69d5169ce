# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of RFC 2782, and what several servers hold."""

from __future__ import annotations

import random
from collections import defaultdict
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns import compare, report
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.srv import Server, SrvAnswer
from ansible_collections.winops.volume_activation.plugins.plugin_utils._srv.order import groups, selection_order
from ansible_collections.winops.volume_activation.plugins.plugin_utils._srv.value import SrvValue

pytestmark = pytest.mark.tier("quick")

values = st.builds(
    SrvValue,
    priority=st.integers(0, 3),
    weight=st.one_of(st.just(0), st.integers(0, 65535)),
    port=st.just(1688),
    target=st.sampled_from([f"kms-{number}.contoso.com" for number in range(8)]),
)
rrsets = st.sets(values, max_size=12)


@given(rrsets, st.randoms(use_true_random=False))
def test_every_value_comes_once_and_lower_priorities_come_first(rrset: set[SrvValue], rng: random.Random) -> None:
    order = selection_order(rrset, lambda top: rng.randint(0, top))
    assert sorted(order) == sorted(rrset)
    assert [value.priority for value in order] == sorted(value.priority for value in rrset)


@given(rrsets, st.randoms(use_true_random=False))
def test_draws_stay_between_zero_and_what_is_left(rrset: set[SrvValue], rng: random.Random) -> None:
    tops: list[int] = []

    def draw(top: int) -> int:
        tops.append(top)
        return rng.choice([0, top])

    selection_order(rrset, draw)
    assert all(0 <= top <= sum(value.weight for value in rrset) + len(rrset) for top in tops)


def chances(rrset: list[SrvValue]) -> dict[str, Fraction]:
    """The exact chance of each value to be first: every number that can be drawn is drawn once."""
    found: defaultdict[str, Fraction] = defaultdict(Fraction)
    total = sum(value.weight for value in rrset)
    light = sum(value.weight == 0 for value in rrset)
    for first in range(total + 1):
        seconds = range(light) if first == 0 and light else range(1)
        for second in seconds:
            script = iter([first, second])
            order = selection_order(rrset, lambda _top, script=script: next(script, 0))
            found[order[0].target] += Fraction(1, (total + 1) * len(seconds))
    return found


@given(st.lists(st.integers(0, 9), min_size=1, max_size=5))
def test_the_chance_to_be_first_follows_the_weight(weights: list[int]) -> None:
    rrset = [SrvValue(0, weight, 1688, f"kms-{place}") for place, weight in enumerate(weights)]
    total, light = sum(weights), weights.count(0)
    found = chances(rrset)
    for value in rrset:
        chance = found.get(value.target, Fraction(0))
        if value.weight == 0:
            assert chance == Fraction(1, (total + 1) * light)
        else:
            # The draw 0 belongs to one of the others where there is no weight 0, which RFC 2782 takes into the bargain.
            assert Fraction(value.weight, total + 1) <= chance <= Fraction(value.weight + 1, total + 1)
    assert sum(found.values()) == 1


@given(rrsets)
def test_shares_of_a_group_make_a_hundred(rrset: set[SrvValue]) -> None:
    for group in groups(rrset):
        assert sum(share for _value, share in group.shares) == pytest.approx(100, abs=0.1 * len(group.shares))
        total = sum(value.weight for value, _share in group.shares)
        for value, share in group.shares:
            wanted = 100 * value.weight / total if total else 100 / len(group.shares)
            assert share == pytest.approx(wanted, abs=0.051)


def test_a_target_that_says_there_is_no_service_is_never_tried() -> None:
    assert groups([SrvValue(0, 0, 0, ".")]) == []
    assert selection_order([SrvValue(0, 0, 0, ".")], lambda _top: 0) == []


def test_a_draw_beyond_the_sum_is_noticed() -> None:
    with pytest.raises(ValueError, match="greater than the sum"):
        selection_order([SrvValue(0, 5, 1688, "kms-1")], lambda top: top + 1)


DC1, DC2, DC3 = (Server(f"dc{number}", f"192.0.2.{number}") for number in (1, 2, 3))
E1, E2, W1 = SrvValue(10, 75, 1688, "kms-e1"), SrvValue(10, 25, 1688, "kms-e2"), SrvValue(90, 75, 1688, "kms-w1")


def answer(server: Server, held: tuple[SrvValue, ...], ttl: int = 600, addresses: dict[str, tuple[str, ...]] | None = None) -> SrvAnswer:
    return SrvAnswer(server, "_vlmcs._tcp.contoso.com", held, ttl if held else None, True, bool(held), addresses or {})


def test_a_server_that_lacks_a_value_and_one_that_failed_are_named() -> None:
    answers = [
        answer(DC1, (E1, E2), 1200, {"kms-e1": ("192.0.2.11",)}),
        answer(DC2, (E1, W1), 900, {"kms-e1": ("192.0.2.12",)}),
        ActivationError("DC3 is silent.", source="dns"),
    ]
    found = compare.compare([DC1, DC2, DC3], answers)
    assert found.values == {E2: 1200, E1: 1200, W1: 900}
    assert found.lacking == {DC1: (W1,), DC2: (E2,)}
    assert list(found.failed) == [DC3]
    assert found.addresses == {"kms-e1": ("192.0.2.11", "192.0.2.12")}
    assert [row["target"] for row in report.records(found)] == ["kms-e1", "kms-e2", "kms-w1"]
    assert report.differences(found) == [
        "The DNS server dc1 (192.0.2.1) lacks 90 75 1688 kms-w1, which another server holds.",
        "The DNS server dc2 (192.0.2.2) lacks 10 25 1688 kms-e2, which another server holds.",
        "DC3 is silent.",
    ]
    rows = report.servers([DC1, DC2, DC3], answers, found)
    assert rows[0] == {
        "server": "dc1",
        "address": "192.0.2.1",
        "authoritative": True,
        "holds": ["10 75 1688 kms-e1", "10 25 1688 kms-e2"],
        "lacks": ["90 75 1688 kms-w1"],
        "error": "",
    }
    assert (rows[2]["error"], rows[2]["holds"], rows[2]["authoritative"]) == ("DC3 is silent.", [], False)


@given(st.lists(st.sets(values, max_size=5), min_size=1, max_size=3))
def test_holding_and_lacking_make_the_whole_on_every_server(held: list[set[SrvValue]]) -> None:
    servers = [DC1, DC2, DC3][: len(held)]
    answers = [answer(server, tuple(sorted(own))) for server, own in zip(servers, held, strict=True)]
    found = compare.compare(servers, answers)
    for server, own in zip(servers, held, strict=True):
        lacking = set(found.lacking.get(server, ()))
        assert own | lacking == set(found.values)
        assert not own & lacking


def test_expected_hosts_are_missing_unless_every_answering_server_names_them() -> None:
    answers = [answer(DC1, (E1, E2)), answer(DC2, (E1,)), ActivationError("silent")]
    assert compare.missing_hosts(["KMS-E1.", "kms-e2", "kms-w1"], answers) == ["kms-e2", "kms-w1"]
    assert compare.unexpected_hosts(["kms-E1"], [E1, E2, W1]) == ["kms-e2", "kms-w1"]


def test_order_rows_show_table_5_of_the_scenarios() -> None:
    rows = report.order([W1, E2, E1])
    assert [row["priority"] for row in rows] == [10, 90]
    assert [(target["target"], target["share"]) for target in rows[0]["targets"]] == [("kms-e1", 75.0), ("kms-e2", 25.0)]
    assert rows[1]["targets"] == [{"target": "kms-w1", "port": 1688, "weight": 75, "share": 100.0}]
