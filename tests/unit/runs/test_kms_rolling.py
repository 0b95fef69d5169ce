# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order KMS hosts are changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from unit import timing

from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms.rolling import (
    KmsHosts,
    rollout,
    rollout_findings,
    threshold_of,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._topology.derived import derived
from ansible_collections.winops.volume_activation.plugins.plugin_utils._topology.sites import read_sites

pytestmark = pytest.mark.tier("quick")

NEW, OLD = "C7TRQ", "7MYT2"
SITES = {
    "north": {
        "domain": "north.example",
        "domain_controllers": ["dc.north.example"],
        "kms_hosts": [
            {"name": "n1.north.example", "weight": 75, "inventory_hostname": "n1"},
            {"name": "n2.north.example", "weight": 25, "inventory_hostname": "n2"},
            {"name": "n3.north.example", "weight": 25, "inventory_hostname": "n3"},
        ],
    },
    "south": {
        "domain": "south.example",
        "domain_controllers": ["dc.south.example"],
        "kms_hosts": [{"name": "s1.south.example", "inventory_hostname": "s1"}],
    },
}
TOPOLOGY = derived(read_sites(SITES, {}))
NAMES = ("n1", "n2", "n3", "s1")
FRESH: dict[str, Any] = {"windows": {"channel": "gvlk", "status": "licensed", "partial_key": "VMK7H"}, "service": {"current_count": None}}


def held(key: str, count: int = 40, status: str = "licensed") -> dict[str, Any]:
    return {"windows": {"channel": "csvlk", "status": status, "partial_key": key}, "service": {"current_count": count}}


def hosts(given: Mapping[str, dict[str, Any]], key: str = NEW, silent: tuple[str, ...] = ()) -> KmsHosts:
    return KmsHosts(list(given), given, {name: {"last_five": key} for name in given}, silent)


@pytest.mark.parametrize(
    ("given", "first", "replaced", "left", "rounds"),
    [
        # Nobody serves yet: the key is tried on one, and then on all others at once.
        ([FRESH, FRESH, FRESH, FRESH], ["n1"], {}, {}, [["n2", "n3", "s1"]]),
        ([held(NEW), FRESH, FRESH, held(NEW)], [], {}, {}, [["n2", "n3"], ["n1"], ["s1"]]),
        ([FRESH, held(NEW), held(NEW), held(NEW)], [], {}, {}, [["n1"], ["n2"], ["n3"], ["s1"]]),
        # Another key: the one with the smallest share goes first, of two by name, and in this run alone.
        (
            [held(OLD)] * 4,
            ["n2"],
            {"n2": OLD},
            {"n1": ["n2"], "n3": ["n2"], "s1": ["n2"]},
            [["n1"], ["n3"], ["s1"]],
        ),
        # The next one waits until that one has counted as many clients as it needs.
        (
            [held(OLD), held(NEW, 24), held(OLD), held(OLD)],
            [],
            {},
            {"n1": ["n2"], "n3": ["n2"], "s1": ["n2"]},
            [["n1"], ["n2"], ["n3"], ["s1"]],
        ),
        ([held(OLD), held(NEW, 25), held(OLD), held(OLD)], ["n3"], {"n3": OLD}, {"n1": ["n3"], "s1": ["n3"]}, [["n1"], ["n2"], ["s1"]]),
        ([held(NEW), held(NEW), held(NEW), held(OLD)], ["s1"], {"s1": OLD}, {}, [["n1"], ["n2"], ["n3"]]),
        # A host that is new takes the risk for those that serve.
        ([held(OLD), held(OLD), FRESH, held(OLD)], [], {}, {"n1": ["n3"], "n2": ["n3"], "s1": ["n3"]}, [["n3"], ["n1"], ["n2"], ["s1"]]),
        # Who is not licensed serves nobody, whatever key it holds.
        ([held(OLD, status="notification")] * 4, ["n1"], {}, {}, [["n2", "n3", "s1"]]),
        ([held(NEW)] * 4, [], {}, {}, [["n1"], ["n2"], ["n3"], ["s1"]]),
    ],
)
def test_who_comes_first(
    given: list[dict[str, Any]], first: list[str], replaced: dict[str, str], left: dict[str, list[str]], rounds: list[list[str]]
):
    found = rollout(TOPOLOGY, hosts(dict(zip(NAMES, given, strict=True))))
    assert (found.first, found.replaced, found.left, found.rounds) == (first, replaced, left, rounds)


def test_of_two_keys_one_host_in_all_is_replaced():
    given = dict(zip(NAMES, [held(OLD)] * 4, strict=True))
    keys = {"n1": {"last_five": NEW}, "n2": {"last_five": NEW}, "n3": {"last_five": "VMK7H"}, "s1": {"last_five": "VMK7H"}}
    found = rollout(TOPOLOGY, KmsHosts(NAMES, given, keys))
    assert (found.replaced, found.left) == ({"n2": OLD}, {"n1": ["n2"], "n3": ["n2"], "s1": ["n2"]})


def test_where_windows_may_be_restarted_nobody_is_changed_beside_another():
    found = rollout(TOPOLOGY, hosts(dict.fromkeys(NAMES, FRESH)), one_at_a_time=True)
    assert (found.first, found.rounds) == (["n1"], [["n2"], ["n3"], ["s1"]])


def test_a_host_that_does_not_answer_does_not_serve():
    given = dict(zip(NAMES, [held(OLD), held(NEW), held(OLD), held(OLD)], strict=True))
    assert rollout(TOPOLOGY, hosts(given, silent=("n2",))).replaced == {}
    assert rollout(TOPOLOGY, hosts(given)).replaced == {"n3": OLD}


def test_without_a_given_key_nothing_is_replaced():
    given = dict(zip(NAMES, [held(OLD), held(NEW), FRESH, held(OLD)], strict=True))
    found = rollout(TOPOLOGY, hosts(given, key=""))
    assert (found.first, found.replaced, found.left) == ([], {}, {})


def blocking(given: list[dict[str, Any]], allow: str = "kms_multi_site_allow_outage") -> list[str]:
    known = hosts(dict(zip(NAMES, given, strict=True)))
    return [found.object for found in rollout_findings(TOPOLOGY, known, rollout(TOPOLOGY, known), allow) if found.blocks]


def test_no_record_is_left_without_a_host_that_serves():
    cold = held(OLD, 3)
    records = ["_vlmcs._tcp.north.example", "_vlmcs._tcp.south.example"]
    assert blocking([held(OLD)] * 4) == []
    assert blocking([cold, held(OLD), cold, cold]) == [f"n2 in {record}" for record in records]
    assert blocking([cold, held(OLD), cold, cold], allow="") == []
    # It serves nobody itself.
    assert blocking([cold, cold, cold, cold]) == []
    assert blocking([cold, held(OLD), cold, held(OLD)]) == []


def test_fewer_clients_are_enough_where_all_are_servers():
    server, client = {"operating_system": {"server": True}}, {"operating_system": {"server": False}}
    assert [threshold_of(dict(enumerate(given))) for given in ([server, server], [server, client], [{}], [])] == [5, 25, 25, 25]


def test_growth_is_linear():
    def work(size: int) -> None:
        names = [f"h{number}" for number in range(size)]
        site = {
            "domain": "north.example",
            "domain_controllers": ["dc"],
            "kms_hosts": [{"name": f"{name}.north.example", "inventory_hostname": name} for name in names],
        }
        topology = derived(read_sites({"north": site}, {"csvlk_hosts": 60000}))
        rollout(topology, hosts({name: held(NEW) for name in names}))

    assert timing.is_linear(work, lambda size: size, 1_000)
