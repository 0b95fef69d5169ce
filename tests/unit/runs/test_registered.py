# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tasks of a role registered, and who may decide over it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from unit import timing

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.given import names_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._fleet.variables import HostVariables
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.collect import WantedVariables, collect
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.fleet import fleet_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.registered import Ran, Registered

pytestmark = pytest.mark.tier("quick")


class Hostvars:
    """The magic variable, which counts how often a host is read."""

    def __init__(self, variables: dict[str, dict[str, Any]]) -> None:
        self._variables = variables
        self.reads = 0

    def raw_get(self, host: str) -> dict[str, Any]:
        self.reads += 1
        return self._variables[host]


def reader(variables: dict[str, dict[str, Any]]) -> tuple[HostVariables, Hostvars]:
    hostvars = Hostvars(variables)
    templar = SimpleNamespace(available_variables={}, template=lambda value: f"made of {value}")
    return HostVariables(hostvars, templar), hostvars


def test_each_host_is_read_once_whatever_is_wanted():
    variables, hostvars = reader({f"pc-{number}": {"__a": {"x": number}, "__b": {}, "site": "{{ s }}"} for number in range(100)})
    found = collect(variables, [f"pc-{number}" for number in range(100)], {"a": "__a", "b": "__b"}, wanted=WantedVariables(["site"]))
    assert hostvars.reads == 100
    assert found.of("a", "pc-7") == {"x": 7}
    assert found.variables["site"]["pc-7"] == "made of {{ s }}"


def counting_reader(variables: dict[str, dict[str, Any]]) -> tuple[HostVariables, list[Any]]:
    """A reader, and what it has templated."""
    templated: list[Any] = []
    templar = SimpleNamespace(available_variables={}, template=lambda value: templated.append(value) or value)
    return HostVariables(Hostvars(variables), templar), templated


def test_what_many_hosts_share_is_templated_once_whether_it_is_one_object_or_equals_another():
    names = [f"pc-{number}" for number in range(100)]
    one, wanted = {"key": "{{ one }}"}, WantedVariables(["ring"], frozenset(["ring"]))
    variables, templated = counting_reader({host: {"ring": one if int(host[3:]) % 2 else {"key": "{{ two }}"}} for host in names})
    found = collect(variables, names, {}, wanted=wanted)
    assert templated == [{"key": "{{ two }}"}, {"key": "{{ one }}"}]
    assert len({id(ring) for ring in found.variables["ring"].values()}) == 2
    # Too many for comparisons: those that are one object are known all the same.
    rings = [{"key": f"{{{{ ring_{number} }}}}"} for number in range(20)]
    variables, templated = counting_reader({host: {"ring": rings[int(host[3:]) % 20]} for host in names})
    assert collect(variables, names, {}, wanted=wanted).variables["ring"]["pc-99"] == rings[19]
    assert len(templated) == 20


@pytest.mark.tier("test")
def test_ten_thousand_hosts_with_a_ring_each_take_ten_times_as_long_as_a_thousand():
    def work(inventory: dict[str, dict[str, Any]]) -> None:
        variables, templated = counting_reader(inventory)
        collect(variables, list(inventory), {}, wanted=WantedVariables(["ring"], frozenset(["ring"])))
        assert len(templated) == len(inventory)

    def made(number: int) -> dict[str, dict[str, Any]]:
        return {f"pc-{place}": {"ring": {"key": {"key": f"{{{{ key_{place} }}}}"}}} for place in range(number)}

    assert timing.is_linear(work, made, 5_000)
    assert timing.seconds(work, made(10_000)) < 5


def test_what_is_there_on_no_host_is_an_error_that_names_it():
    variables, _hostvars = reader({"a": {"__license": {}}, "b": {}})
    with pytest.raises(ActivationError, match=r"No host has the result __licence, which this task reads as license\."):
        collect(variables, ["a", "b"], {"license": "__licence"})
    assert collect(variables, ["a", "b"], {"license": "__licence"}, optional=["license"]).all_of("license") == {}
    assert collect(variables, [], {"license": "__licence"}).all_of("license") == {}


@pytest.mark.parametrize("value", ["text", ["list"], 7, True])
def test_what_is_no_result_is_an_error_that_names_host_and_variable(value: Any):
    variables, _hostvars = reader({"a": {"__license": value}})
    with pytest.raises(ActivationError, match="__license of a is no task result but "):
        collect(variables, ["a"], {"license": "__license"})


def test_skipped_and_never_run_are_told_apart():
    found = Registered(["a", "b", "c"], {"plan": {"a": {"changed": False}, "b": {"skipped": True, "changed": False}}})
    assert [found.ran("plan", host) for host in "abc"] == [Ran.YES, Ran.SKIPPED, Ran.NEVER]
    assert [found.of("plan", host) for host in "abc"] == [{"changed": False}, {}, {}]
    assert found.all_of("plan") == {"a": {"changed": False}}
    with pytest.raises(KeyError):
        found.of("plans", "a")


def test_loops_are_without_what_was_skipped():
    loop = {"results": [{"item": "x", "n": 1}, {"item": "y", "skipped": True}, {"item": "z", "n": 3}]}
    found = Registered(["a", "b"], {"made": {"b": loop}, "records": {"b": loop}, "none": {"a": {"skipped": True}}})
    assert found.items("made", "b") == {"x": loop["results"][0], "z": loop["results"][2]}
    assert found.items("made", "a") == {}
    assert found.loop("records") == [loop["results"][0], loop["results"][2]]
    assert found.once("none") == {}


def test_groups_that_a_limit_has_cut_are_told():
    groups = {"kms_hosts": ["k1", "k2"], "kms_clients": ["a", "b", "c"], "other": ["z"]}
    fleet = fleet_of(["k1", "k2", "a"], ["k1"], groups, ("kms_hosts", "kms_clients", "none"))
    assert fleet.groups == {"kms_hosts": ["k1", "k2"], "kms_clients": ["a"], "none": []}
    assert fleet.cut == {"kms_clients": 2}


def test_a_result_that_is_optional_can_be_demanded_of_those_that_had_to_have_it():
    variables, _hostvars = reader({"a": {}, "b": {"__made": {"skipped": True}}})
    found = collect(variables, ["a", "b"], {"made": "__made", "sealed": "__seeled"}, optional=["made", "sealed"])
    found.demand("made", ["a", "b"])
    found.demand("sealed", [])
    with pytest.raises(ActivationError, match=r"No host has the result __seeled, which this task reads as sealed\."):
        found.demand("sealed", ["b"])


@pytest.mark.parametrize(
    ("given", "names"),
    [("", []), (None, []), ("a", ["a"]), (" a, b,", ["a", "b"]), ('["a", "b"]', ["a", "b"]), (["a", ""], ["a"]), ([], []), ([7], ["7"])],
)
def test_names_come_in_the_forms_of_surveys(given: Any, names: list[str]):
    assert names_of(given, "volume_activation_mak") == names


@pytest.mark.parametrize("given", [{"a": 1}, 7, "[a", [["a"]]])
def test_what_is_no_list_of_names_is_an_error_that_names_the_variable(given: Any):
    with pytest.raises(ActivationError, match=r"^volume_activation_mak "):
        names_of(given, "volume_activation_mak")
