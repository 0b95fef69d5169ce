# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the steps of MAK proxy activation decide over a play, from what its tasks registered on each host."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import error_catalogue
import pytest
from unit import timing
from unit.computer_list import lists

from ansible_collections.winops.volume_activation.plugins.action.run_mak_proxy import ActionModule
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.module_options import documented_options
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list import tasks
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.store import ListFile
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.fleet import Fleet
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak.by_rule import KEYS
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak.by_rule import RING as RINGS
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak_proxy.computers import ADDRESS
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak_proxy.steps import STEPS, StepInput
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.registered import Registered

pytestmark = pytest.mark.tier("quick")

KEY = "MMKVP-D7663-2TCFK-B7W8M-7VCKF"
RING = {"clients": {"key": KEY}}
PLACES = {
    "list": "/srv/list.json",
    "export": "/srv/export.json",
    "list_refusal": "",
    "export_refusal": "",
    "export_fault": "",
    "max_unreachable": "",
}
LICENSE = {"operating_system": {"computer_name": "PC", "caption": "Windows"}}
DARK = {"unreachable": True, "msg": "It does not answer."}
FAILED = {"failed": True, "msg": "The key was refused.", "error": {}}
MADE = {
    "applicable": True,
    "reason": "",
    "installed": True,
    "activated": False,
    "activation": {"attempted": False, "outcome": "not_attempted"},
    "product": {"activation_id": lists.WINDOWS_10, "installation_id": lists.iid(1), "extended_pid": lists.EPID, "channel": "mak"},
}
ACTIVATED = {**MADE, "activated": True, "activation": {"attempted": True, "outcome": "licensed"}}


def asked(
    hosts: Sequence[str],
    results: Mapping[str, Mapping[str, Any]],
    keys: Mapping[str, Any] | None = None,
    check_mode: bool = False,
    fleet: Sequence[str] = (),
    **options: Any,
) -> StepInput:
    """A step over hosts, with what each has; what is registered once all have."""
    spec = {name: option.get("default") for name, option in documented_options("run_mak_proxy").items()}
    given: dict[str, Mapping[str, Any]] = {KEYS: dict.fromkeys(hosts, "clients") if keys is None else keys, ADDRESS: {}, RINGS: {}}
    found = Registered(hosts, results, given, names={name: f"__{name}" for name in results})
    return StepInput(Fleet(fleet or hosts, hosts, {}, {}), found, {**spec, **options}, check_mode)


def once(result: Mapping[str, Any], hosts: Sequence[str]) -> dict[str, Any]:
    """What a task that ran once registered."""
    return dict.fromkeys(hosts, result)


def loop(item: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """What a loop over one name registered."""
    return {"results": [{**result, "item": item}]}


HOSTS = ["pc-1", "pc-2", "pc-3", "pc-4"]
KNOWN, TAKEN, GONE, REFUSED = HOSTS


def collected(**more: Any) -> dict[str, Any]:
    """One computer is known, one takes its key, one is dark and one fails."""
    return {
        "places": once(PLACES, HOSTS),
        "listed": once({"kind": None, "computers": [], "to_read": HOSTS[1:]}, HOSTS),
        "license": {TAKEN: LICENSE, GONE: DARK, REFUSED: LICENSE},
        "plan": {TAKEN: loop("clients", MADE), GONE: {"skipped": True}, REFUSED: loop("clients", MADE)},
        "made": {TAKEN: loop("clients", MADE), REFUSED: loop("clients", FAILED)},
        "saved": once({"conflicting": []}, [TAKEN, REFUSED]),
        "exported": once({"leaves": [{"field": "identifier", "tells": "nothing"}], "products": [{}]}, HOSTS),
        **more,
    }


def test_only_those_are_read_that_the_list_does_not_know_and_keys_are_their_names():
    decided = STEPS["to_read"](asked(HOSTS, collected(), keys={TAKEN: "clients, office", GONE: ["clients"]}))
    assert decided == {
        "to_read": HOSTS[1:],
        "assigned": {TAKEN: ["clients", "office"], GONE: ["clients"], REFUSED: []},
        "by_rule": {},
        "unassigned": {},
    }
    # A list that can't be read is a finding; until then nothing is known of any.
    unknown = STEPS["to_read"](asked(HOSTS, {"listed": once(FAILED, HOSTS)}))
    assert unknown["to_read"] == HOSTS


def test_a_dark_computer_has_no_turn_and_stops_nobody():
    decided = STEPS["collect_findings"](asked(HOSTS, collected(), ring=RING))
    assert (decided["stop"], decided["due"]) == ("", [TAKEN, REFUSED])
    assert [line.split("  ")[1:] for line in decided["findings"]] == [[GONE, DARK["msg"]]]


@pytest.mark.parametrize(
    ("more", "ring", "said"),
    [
        ({"listed": once({"error": {}, "msg": "It is no list."}, HOSTS)}, RING, "STOP  computer list  It is no list."),
        ({"places": once({**PLACES, "list_refusal": "It ends."}, HOSTS)}, RING, "STOP  state directory  It ends."),
        ({}, {}, "STOP  key clients  volume_activation_mak_ring has no key of this name"),
    ],
)
def test_what_stands_in_the_way_is_said_and_stops_the_run(more: dict[str, Any], ring: Any, said: str):
    results = collected(**more)
    results["license"] = dict.fromkeys(HOSTS, LICENSE)
    results["plan"] = dict.fromkeys(HOSTS, loop("clients", MADE))
    assert (
        f"Nothing was changed. 1 of 1 findings stand in the way: {said}"
        in STEPS["collect_findings"](asked(HOSTS, results, ring=ring))["stop"]
    )


def test_a_batch_adds_what_was_read_in_it_and_says_how_far_the_run_is():
    results = {name: {host: collected()[name][host] for host in (TAKEN,)} for name in ("license", "made")}
    decided = STEPS["read"](asked([TAKEN], results, fleet=[TAKEN, REFUSED]))
    assert decided["progress"] == "1 of 2 computers were processed"
    [entry] = decided["computers"]
    assert (entry["name"], entry["products"][0]["mak"]) == (TAKEN, "clients")


def test_the_end_of_a_collection():
    ended = STEPS["collect_summary"](asked(HOSTS, collected(), ring=RING))
    assert ended["summary"] == [
        "MAK proxy activation, collected",
        "Computers: 1 with an installation ID, 1 read not long ago, 1 not reached, 1 failed",
        f"Not reached: {GONE}",
        f"Failed: {REFUSED}: {FAILED['msg']}",
        "Next: run winops.volume_activation.mak_proxy_acquire on /srv/export.json where Microsoft can be reached",
    ]
    assert ended["failures"] == {REFUSED: FAILED["msg"]}
    assert ended["leaves"] == ["What leaves with /srv/export.json, 1 products:", "identifier: nothing"]
    numbers = ended["numbers"]["mak_proxy_collect"]
    assert {name: number for name, number in numbers.items() if number} == {"collected": 1, "known": 1, "not_reached": 1, "failed": 1}


def listed(hosts: Sequence[str], tmp_path: Path, confirmed: int) -> dict[str, Any]:
    """The result of computer_list for a list that has so many confirmation IDs."""
    full = lists.isolated(len(hosts))
    full.computers = dict(zip(hosts, full.computers.values(), strict=True))
    for number, product in enumerate(list(full.entries())[:confirmed], start=1):
        product.confirmation_id = lists.cid(number)
    file = ListFile(str(tmp_path / "list.json"))
    with file.locked():
        file.save(full)
    return once({"conflicting": [], **tasks.inspect(file, hosts, False).result}, hosts)


def test_confirmation_ids_are_ordered_by_name_and_no_step_returns_one(tmp_path: Path):
    results = {"listed": listed(HOSTS, tmp_path, 3), "places": once(PLACES, HOSTS)}
    decided = [
        STEPS["orders"](asked(HOSTS, results, reapply=True)),
        STEPS["reapply_findings"](asked(HOSTS, results, ring={"clients": {"key": KEY}})),
    ]
    due = HOSTS[:3]
    assert decided[0] == {"orders": {host: {lists.WINDOWS_10: "clients"} for host in due}, "due": due, "reapply": True}
    assert decided[1]["stop"] == ""
    made = {due[0]: loop(lists.WINDOWS_10, ACTIVATED), due[1]: loop(lists.WINDOWS_10, DARK), due[2]: loop(lists.WINDOWS_10, FAILED)}
    batch = {name: {host: found[host] for host in due} for name, found in results.items()} | {"made": made}
    decided.append(STEPS["applied"](asked(due, batch, began="2026-11-27T03:42:07Z", ended="2026-11-27T03:42:09Z")))
    assert [entry["name"] for entry in decided[2]["computers"]] == [due[0], due[2]]
    saved = once({"conflicting": []}, due)
    decided.append(STEPS["apply_summary"](asked(HOSTS, {**results, "made": made, "saved": saved})))
    assert decided[3]["summary"][:2] == [
        "MAK proxy activation, applied",
        "Computers: 1 activated, 1 without a confirmation ID, 1 not reached, 1 failed",
    ]
    assert (decided[3]["failures"], list(decided[3]["numbers"])) == ({due[2]: FAILED["msg"]}, ["mak_proxy_apply"])
    again = STEPS["apply_summary"](asked(HOSTS, {**results, "made": made, "saved": saved}, reapply=True))
    assert (again["summary"][0], list(again["numbers"])) == ("MAK proxy activation, applied again", ["mak_proxy_reapply"])
    text = json.dumps(decided)
    assert KEY not in text
    assert not any(lists.cid(number) in text for number in range(5))


@pytest.mark.parametrize("name", ["made", "saved", "license", "plan"])
def test_a_result_by_another_name_is_an_error_where_somebody_had_a_turn(name: str):
    results = collected(**{name: {}})
    with pytest.raises(ActivationError, match=f"No host has the result __{name}, which this task reads as {name}\\."):
        STEPS["collect_summary"](asked(HOSTS, results))
    nobody = collected(listed=once({"to_read": []}, HOSTS), made={}, saved={}, license={}, plan={})
    assert STEPS["collect_summary"](asked(HOSTS, nobody))["summary"][1] == "Computers: 4 read not long ago"


def test_a_list_that_is_not_there_has_nothing_to_apply_again():
    results = {"places": once(PLACES, HOSTS), "listed": once({"kind": None, "computers": []}, HOSTS)}
    stop = STEPS["reapply_findings"](asked(HOSTS, results, ring=RING))["stop"]
    assert stop.endswith("STOP  computer list  There is no list /srv/list.json; the one of before is needed here.")


def test_the_end_on_the_control_node():
    here = ["localhost"]
    known = once({"products": [{"confirmation_id": None}, {"confirmation_id": "1"}]}, here)
    answer = {"obtained": 1, "kept": 1, "missing": [{"identifier": "5f0c", "reason": "0x7F"}], "unknown": []}
    missing = STEPS["acquire_summary"](asked(here, {"listed": known, "answer": once(answer, here)}))
    assert missing["failure"].startswith(
        "1 without CID. MAK proxy activation: 2 confirmation IDs, 1 of them obtained by this run | Without a confirmation ID: 1"
    )
    assert missing["numbers"] == {"mak_proxy_acquire": {"obtained": 1, "kept": 1, "missing": 1, "unknown": 0}}
    whole = STEPS["acquire_summary"](asked(here, {"listed": known, "answer": once({**answer, "missing": []}, here)}))
    assert whole["failure"] == ""
    refused = STEPS["acquire_summary"](asked(here, {"listed": known, "answer": once({"failed": True, "msg": "No way."}, here)}))
    assert refused["failure"] == "1 without CID. No way."
    assert STEPS["acquire_findings"](asked(here, {"places": once(PLACES, here), "listed": known}))["stop"] == ""
    shown = once({"kind": "full", "computers": [], "counts": {"pending": 0}}, here)
    typed = once({"new": ["pc-1"], "conflicting": [{"reason": "It is another one."}]}, here)
    told = STEPS["phone_summary"](asked(here, {"known": shown, "merged": typed}))
    assert (told["summary"], told["failure"]) == (["Every product has its confirmation ID."], "It is another one.")
    assert told["numbers"] == {"mak_proxy_phone": {"taken": 1, "missing": 0, "conflicting": 1}}
    assert STEPS["phone_findings"](asked(here, {"places": once(PLACES, here), "listed": once(FAILED, here)}))["stop"] != ""


def test_where_the_files_are_and_what_of_them_would_be_lost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("AWX_ISOLATED_DATA_DIR", raising=False)
    state, here = tmp_path / "state", ["pc-1"]
    decided = STEPS["options"](asked(here, {}, state_directory=str(state), replace_hardware="pc-1, pc-2"))
    assert decided == {
        "list": str(state / "computer_list.json"),
        "export": str(state / "mak_proxy_export.json"),
        "answered": False,
        "state_directory": str(state),
        "list_refusal": "",
        "export_refusal": "",
        "export_fault": "",
        "replace_hardware": ["pc-1", "pc-2"],
        "max_unreachable": "",
    }
    state.mkdir()
    (state / "mak_proxy_export.json").touch()
    assert STEPS["options"](asked(here, {}, state_directory=str(state)))["answered"]
    given = {"list": "/srv/list.json", "export": "~/export.json", "state_directory": str(state)}
    named = STEPS["options"](asked(here, {}, **given))
    assert (named["list"], named["export"], named["answered"], named["state_directory"]) == ("/srv/list.json", "~/export.json", True, "")
    # Without a state directory, a run of ansible-runner stops for the file that it was not told of.
    monkeypatch.setenv("AWX_ISOLATED_DATA_DIR", "/runner/artifacts/1")
    lost = STEPS["options"](asked(here, {}, list="/runner/project/list.json"))
    assert lost["list_refusal"].endswith("Set mak_proxy_list to a file in a folder that outlasts it.")
    assert "no state directory is set" in lost["export_refusal"] and lost["export_fault"] == ""
    two = STEPS["options"](asked(here, {}, state_directory="/srv/a", state_directory_alias="/srv/b"))
    assert two["export_fault"].startswith("volume_activation_state_directory is /srv/a, but its alias")


def test_every_step_is_documented_and_the_other_way_round():
    documented = documented_options("run_mak_proxy")["step"]["choices"]
    assert documented == list(STEPS)
    assert ActionModule.IN_BATCHES.issubset(STEPS)


def test_the_keys_of_the_ring_are_masked_whatever_form_they_have():
    action = ActionModule.__new__(ActionModule)
    secrets = action._secrets({"ring": {"clients": {"key": "no key at all", "description": "Windows"}, "other": "x"}})
    assert secrets.mask("no key at all of clients, Windows") == "******** of clients, Windows"


def test_a_wrong_option_is_one_sentence():
    result = error_catalogue.result_of({"module": "run_mak_proxy", "options": {"step": "options", "max_age": "soon"}})
    assert result["msg"].startswith("winops.volume_activation.run_mak_proxy: ") and "max_age" in result["msg"]


@pytest.mark.parametrize("given", ["{'1': [", "123456-123456", "- '1'"])
def test_typed_confirmation_ids_that_are_no_dictionary_are_refused_by_the_name_of_their_variable(given: str):
    with pytest.raises(ActivationError, match=r"^mak_proxy_confirmation_ids can't be read as a dictionary\. Give one such as "):
        ActionModule.__new__(ActionModule).decide("options", Fleet([], [], {}, {}, {}), Registered([]), {"confirmation_ids": given}, False)


@pytest.mark.parametrize("size", [pytest.param(600, marks=pytest.mark.tier("test")), pytest.param(10_000, marks=pytest.mark.tier("soak"))])
def test_growth_is_linear_up_to_ten_thousand(tmp_path: Path, size: int):
    everyone = [f"pc-{number:05}" for number in range(2 * size)]
    whole = listed(everyone, tmp_path, 2 * size)[everyone[0]]

    def made(size: int) -> tuple[list[str], dict[str, Any]]:
        hosts = everyone[:size]
        results = {name: once(result[TAKEN], hosts) for name, result in collected().items()}
        results["listed"] = once({**whole, "computers": whole["computers"][:size], "to_read": hosts}, hosts)
        # One in a hundred is dark, and one fails.
        results["license"] |= dict.fromkeys(hosts[::100], DARK)
        results["made"] |= dict.fromkeys(hosts[1::100], loop("clients", FAILED))
        return hosts, results

    def collect(given: tuple[list[str], dict[str, Any]]) -> None:
        hosts, results = given
        STEPS["to_read"](asked(hosts, results))
        STEPS["collect_findings"](asked(hosts, results, ring=RING))
        assert len(STEPS["collect_summary"](asked(hosts, results, ring=RING))["failures"]) == len(range(1, len(hosts), 100))

    def apply(given: tuple[list[str], dict[str, Any]]) -> None:
        hosts, results = given
        results = {**results, "made": once(loop(lists.WINDOWS_10, ACTIVATED), hosts)}
        assert len(STEPS["orders"](asked(hosts, results))["due"]) == len(hosts)
        STEPS["reapply_findings"](asked(hosts, results, ring=RING))
        STEPS["apply_summary"](asked(hosts, results))

    assert timing.is_linear(collect, made, size)
    assert timing.is_linear(apply, made, size)
    assert timing.once(collect, made(size)) < 10
