# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of MAK runs: it sees the variables that each host sees, returns no key, and reads no more than a step needs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from handmade import task_of

from ansible_collections.winops.volume_activation.plugins.action.run_mak import ActionModule
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions import base as _action

pytestmark = pytest.mark.tier("quick")

GOOD, OTHER = "MMKVP-D7663-2TCFK-B7W8M-7VCKF", "BCDFG-HJKMP-QRTVW-XY234-6789B"
KEYS, RING = "volume_activation_mak", "volume_activation_mak_ring"


class Job:
    """A task over some hosts.

    Args:
        inventory: The variables of the hosts, without those of the play.
        play: The variables of the play, which come before those of the inventory.
    """

    def __init__(self, inventory: dict[str, dict[str, Any]], play: dict[str, Any] | None = None) -> None:
        self.inventory, self.play = inventory, play or {}
        self.reads: list[str] = []

    def raw_get(self, host: str) -> dict[str, Any]:
        """As the magic variable has it."""
        self.reads.append(host)
        return {"inventory_hostname": host, **self.inventory[host]}

    def run(self, batch: list[str] | None = None, play: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        hosts = list(self.inventory)
        batch = batch or hosts
        task = task_of(options, run_once=True, get_play=lambda: SimpleNamespace(get_vars=lambda: dict(self.play)))
        magic = {"ansible_play_hosts_all": hosts, "ansible_play_hosts": hosts, "ansible_play_batch": batch, "groups": {}, "hostvars": self}
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="x"))
        variables = {**self.inventory[batch[0]], "inventory_hostname": batch[0], **self.play, **magic, **(play or {})}
        action = ActionModule(task, connection, None, None, Templar(DataLoader(), variables), None)
        return action.run(task_vars=variables)

    def assign(self, **options: Any) -> dict[str, Any]:
        state = {"volume_activation_state_directory": "/state"}
        return self.run(step="assign", settings={"mak_independent_activate": "no"}, state=state, **options)


def ring(**keys: str) -> dict[str, Any]:
    return {name: {"key": key} for name, key in keys.items()}


def test_each_host_gets_what_the_inventory_gives_it():
    template = trust_as_template("{{ site }}, esu")
    ours = ring(win=GOOD, esu=OTHER)
    job = Job({"pc-1": {KEYS: "win", RING: ours}, "pc-2": {KEYS: template, "site": "win", RING: ours}, "pc-3": {RING: ours}})
    found = job.assign()
    assert found["assigned"] == {"pc-1": ["win"], "pc-2": ["win", "esu"], "pc-3": []}
    assert [finding["object"] for finding in found["findings"]] == ["pc-3"]
    assert found["ring_of_play"] is False


@pytest.mark.parametrize("first", [{}, {KEYS: "other"}, {KEYS: "win"}])
def test_what_the_play_gives_takes_the_place_of_the_inventory_for_all(first: dict[str, str]):
    job = Job({"pc-1": first, "pc-2": {KEYS: "other"}}, {KEYS: "win", RING: ring(win=GOOD)})
    found = job.assign()
    assert found["assigned"] == {"pc-1": ["win"], "pc-2": ["win"]}
    assert (found["findings"], found["ring_of_play"]) == ([], True)


@pytest.mark.parametrize("nothing", ["", None, [], {}])
def test_the_empty_default_of_a_role_stands_behind_the_inventory_of_every_host(nothing: Any):
    job = Job({"pc-1": {}, "pc-2": {KEYS: "win", RING: ring(win=GOOD)}})
    assert job.run(step="assign", settings={}, state={}, play={KEYS: nothing})["assigned"] == {"pc-1": [], "pc-2": ["win"]}


def test_a_template_of_the_play_sees_the_variables_of_each_host():
    template = trust_as_template("{{ prefix ~ (site | default('nowhere')) }}")
    job = Job({"pc-1": {"site": "east"}, "pc-2": {"site": "west"}, "pc-3": {}}, {KEYS: template, "prefix": "win-"})
    assert job.assign()["assigned"] == {"pc-1": ["win-east"], "pc-2": ["win-west"], "pc-3": ["win-nowhere"]}


def test_an_extra_variable_is_seen_by_all():
    job = Job({host: {KEYS: "esu", RING: ring(esu=GOOD)} for host in ("pc-1", "pc-2")})
    assert job.assign()["assigned"] == {"pc-1": ["esu"], "pc-2": ["esu"]}


def test_a_ring_that_many_see_is_templated_once(monkeypatch: pytest.MonkeyPatch):
    templated: list[Any] = []
    template = Templar.template
    monkeypatch.setattr(Templar, "template", lambda self, value, **named: templated.append(value) or template(self, value, **named))
    job = Job({f"pc-{number}": {KEYS: "win", RING: ring(win=trust_as_template("{{ vaulted }}")), "vaulted": GOOD} for number in range(50)})
    assert job.assign()["findings"] == []
    assert len([value for value in templated if isinstance(value, dict)]) == 1


def test_no_key_comes_back_whatever_a_ring_calls_it():
    entry = {"key": GOOD, "description": f"This is {GOOD}, {GOOD.replace('-', '').lower()}"}
    odd = {"key": "in no form", "description": "This is in no form."}
    found = Job({"pc-1": {KEYS: "win,odd", RING: {"win": entry, "odd": odd}}}).assign()
    assert "in no form" not in str(found)
    assert GOOD not in str(found) and GOOD.replace("-", "").lower() not in str(found)
    assert found["_ansible_no_log"] is True


def test_an_empty_text_is_a_setting_left_out_and_another_one_is_named():
    settings = {"mak_independent_activate": "", "mak_independent_settle": "", "mak_independent_count": "no"}
    job = Job({"pc-1": {}})
    found = job.run(step="assign", settings=settings)
    assert (found["settings"]["activate"], found["settings"]["settle"], found["settings"]["count"]) == (True, 30, False)
    assert job.run(step="assign", settings={})["settings"]["overwrite"] is True
    refused = job.run(step="assign", settings={"mak_independent_settle": "soon"})
    assert refused["failed"]
    assert "mak_independent_settle" in refused["msg"]


@pytest.mark.parametrize("step", ["assign", "give_back"])
@pytest.mark.parametrize("where", ["host", "play"])
def test_a_misspelt_variable_stops_the_run_before_it_begins(where: str, step: str):
    misspelt = {"mak_independent_setle": 5}
    job = Job({"pc-1": {}, "pc-2": misspelt if where == "host" else {}}, misspelt if where == "play" else {})
    found = job.run(step=step)
    assert found["failed"]
    of = " of pc-2" if where == "host" else ""
    assert found["msg"].startswith(f"mak_independent_setle{of} is no variable of this collection. Did you mean mak_independent_settle?")


def test_a_variable_that_nobody_knows_is_told_of_once(monkeypatch: pytest.MonkeyPatch):
    said: list[str] = []
    monkeypatch.setattr(_action.display, "warning", said.append)
    job = Job({host: {"mak_independent_colour": "red"} for host in ("pc-1", "pc-2")})
    assert not job.assign()["failed"]
    assert said == ["mak_independent_colour is no variable of this collection, and does nothing."]
    # Each host was read once for it.
    assert job.reads[1:] == ["pc-1", "pc-2"]


def test_a_step_reads_no_more_hosts_than_it_needs():
    learned = {"products": {}}
    job = Job({host: {"__learned": learned, "__held": {"skipped": True}} for host in ("pc-1", "pc-2", "pc-3")})
    job.run(step="learned", results={"learned": "__learned", "held": "__held"}, trial={"key": "win"})
    assert job.reads == ["pc-1"]
    run = {"settings": {**job.run(step="assign")["settings"]}, "assigned": {host: [] for host in job.inventory}, "max_unreachable": ""}
    results = {"__run": run, "__plan": {}, "__orders": {"hosts": {}, "settle": {}}}
    job = Job({host: {**variables, **results} for host, variables in job.inventory.items()})
    names = {"run": "__run", "license": "__plan", "plan": "__plan", "learned": "__learned", "orders": "__orders"}
    begin = job.run(["pc-2"], step="begin", results=names)
    assert (job.reads, begin["hosts"]) == (["pc-2"], {"pc-2": []})
    refused = job.run(["pc-2"], step="ends", results=names)
    assert refused["msg"].startswith("run_mak decides over all hosts of the play at once. Take serial out of the play")


def test_a_result_that_no_host_has_is_an_error_that_names_it():
    found = Job({"pc-1": {"__client": {}}}).run(step="counted", results={"client": "__clients"})
    assert found["failed"]
    assert found["msg"].startswith("No host has the result __clients, which this task reads as client.")


def test_who_failed_does_not_make_the_decision_fail():
    job = Job(
        {
            "pc-1": {"__run": {"max_unreachable": ""}, "__client": {"failed": True, "msg": "pc-1: no KMS host."}},
            "pc-2": {"__client": {"activation": {"state": "licensed"}}},
        }
    )
    back = job.run(step="given_back", results={"run": "__run", "client": "__client", "again": "__again"}, optional=["again"])
    assert (back["failed"], back["failing"], back["failures"]) == (False, ["pc-1"], {"pc-1": "pc-1: no KMS host."})
