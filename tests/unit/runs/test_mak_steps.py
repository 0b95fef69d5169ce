# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a MAK run decides, step by step, from what tasks have registered."""

from __future__ import annotations

import time
from typing import Any

import pytest
from unit.runs.test_mak_orders import GOOD, PID, PRO, WIN, plan_of

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.given import names_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms import given_back
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak import steps
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak.assigned import Assigned
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak.by_rule import KEYS, RING
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak.settings import MakSettings
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.registered import Registered
from ansible_collections.winops.volume_activation.plugins.plugin_utils._state.directory import StateDirectory

pytestmark = pytest.mark.tier("quick")

MOMENT = "2026-11-27T04:00:00Z"
STATE = StateDirectory("/state", "", "")
SETTINGS = MakSettings(
    activate=True,
    overwrite=True,
    force_install=False,
    count=True,
    as_many_as_remain=False,
    kms_clients_only=False,
    complete_targets=False,
    settle=30,
)
PRODUCT = {"host": "pc-1", "extended_pid": PID, "activation_id": WIN, "name": "Windows(R), Enterprise edition"}
COUNTS = {"counts": [{"name": "win", "remaining": 50, "unlimited_or_blocked": False, "error": ""}]}


class Play:
    """A run over some computers, each of which has results of its own."""

    def __init__(self, plans: dict[str, dict[str, Any]], keys: dict[str, list[str]] | None = None, **settings: Any) -> None:
        self.hosts = list(plans)
        self.keys = keys or {host: ["win"] for host in plans}
        run = {
            "settings": {**SETTINGS.as_result(), **settings},
            "assigned": self.keys,
            "descriptions": {},
            "findings": [],
            "max_unreachable": "",
            "unassigned": {},
        }
        self.results: dict[str, dict[str, Any]] = {"made": {}}
        self.once(run=run, learned={"products": {"win": PRODUCT}}, before=COUNTS, known={}, after={})
        self.results["license"] = {host: {"windows": {"channel": "gvlk"}} for host in plans}
        self.results["plan"] = {host: {"results": [{"item": key, **plan} for key in self.keys[host]]} for host, plan in plans.items()}

    def once(self, **results: Any) -> None:
        """What a task that runs once registers for all."""
        for name, result in results.items():
            self.results[name] = dict.fromkeys(self.hosts, result)

    def seen(self, hosts: list[str] | None = None) -> steps.MakSeen:
        return steps.MakSeen.of(Registered(hosts or self.hosts, self.results))

    def order(self) -> dict[str, Any]:
        self.once(orders=steps.orders(self.seen(), "2026-11-27T04:00:00Z"))
        return self.results["orders"][self.hosts[0]]  # type: ignore[no-any-return]

    def batch(self, hosts: list[str], made: dict[str, dict[str, Any]], progress: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """What begins and what comes of it."""
        begin = steps.begin(self.seen(hosts), progress, MOMENT, check_mode=False)
        self.results["begin"] = dict.fromkeys(hosts, begin)
        for host in hosts:
            tried = [{"item": key, **made[host]} for key in begin["hosts"][host]]
            self.results["made"][host] = {"results": tried} if tried else {"skipped": True}
        return begin, steps.outcome(self.seen(hosts), progress, MOMENT)


def failed(code: str) -> dict[str, Any]:
    return {"failed": True, "msg": f"It failed with {code}.", "error": {"code": code, "hresult": int(code, 16)}}


ACTIVATED = plan_of(WIN, activated=True, activation={"attempted": True})


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("enterprise", ["enterprise"]),
        ("enterprise, esu ,", ["enterprise", "esu"]),
        ('["enterprise", "esu"]', ["enterprise", "esu"]),
        (["enterprise", "esu"], ["enterprise", "esu"]),
        ("", []),
        ([], []),
        (None, []),
    ],
)
def test_a_computer_gets_one_key_or_several_in_a_list_or_in_one_text(value: Any, names: list[str]):
    assert names_of(value, "x") == names


def test_what_names_no_keys_is_an_error_that_names_the_computer():
    with pytest.raises(ActivationError, match=r"^volume_activation_mak of pc-1 has to be a name, a list of names, or"):
        Assigned.of(Registered(["pc-1"], variables={KEYS: {"pc-1": {"key": GOOD}}, RING: {}}))


def test_computers_with_the_same_fault_are_named_together():
    wrong = {**{f"pc-{number}": {"key": GOOD} for number in range(1, 10)}, "pc-10": "['win'", "pc-11": "win"}
    with pytest.raises(ActivationError) as caught:
        Assigned.of(Registered([*wrong, "pc-12"], variables={KEYS: wrong, RING: {}}))
    assert caught.value.message.split("\n") == [
        (
            "volume_activation_mak of pc-1, pc-2, pc-3, pc-4, pc-5 and 4 more has to be a name, a list of names, or names with commas"
            " between them."
        ),
        "volume_activation_mak of pc-10 can't be read as a list. Give a name, a list of names, or names with commas between them.",
    ]


def assigned(rings: dict[str, Any], of_play: bool = False) -> Assigned:
    found = {RING: rings, KEYS: {"pc-1": "win", "pc-2": "win", "pc-3": "esu"}}
    return Assigned.of(Registered(["pc-1", "pc-2", "pc-3"], {}, found, frozenset({RING} if of_play else ())))


def test_each_computer_is_judged_by_the_ring_that_it_sees():
    ours, theirs = {"win": {"key": GOOD, "description": "ours"}}, {"esu": {"key": GOOD, "description": "theirs"}}
    good = assigned({"pc-1": ours, "pc-2": ours, "pc-3": theirs})
    assert list(good.findings()) == []
    assert good.descriptions() == {"win": "ours", "esu": "theirs"}
    assert list(good.secrets()) == [GOOD, GOOD]
    (found,) = assigned({"pc-1": ours, "pc-2": ours, "pc-3": ours}).findings()
    assert (found.object, found.blocks) == ("key esu", True)
    # One without a ring.
    assert [found.object for found in assigned({"pc-1": ours, "pc-3": theirs}).findings()] == ["key win"]


def test_no_key_is_in_what_is_decided_first():
    ring = {"win": {"key": GOOD, "description": "agreement 1234"}, "esu": {"key": GOOD}}
    decided = steps.assign(assigned(dict.fromkeys(("pc-1", "pc-2", "pc-3"), ring), of_play=True), SETTINGS, STATE)
    assert decided == {
        "settings": SETTINGS.as_result(),
        "assigned": {"pc-1": ["win"], "pc-2": ["win"], "pc-3": ["esu"]},
        "descriptions": {"win": "agreement 1234"},
        "findings": [],
        "state_directory": "/state",
        "list": "/state/computer_list.json",
        "ring_of_play": True,
        "max_unreachable": "",
        "by_rule": {},
        "unassigned": {},
    }
    assert GOOD not in str(decided)


@pytest.mark.parametrize(("activate", "number"), [(True, 1), (False, 0)])
def test_a_folder_that_may_hold_nothing_stands_in_the_way_of_activations_alone(activate: bool, number: int):
    settings = MakSettings.of({**SETTINGS.as_result(), "activate": activate})
    decided = steps.assign(Assigned({}, []), settings, StateDirectory("/runner", "", "It ends with the run."))
    assert decided["findings"] == [{"object": "state directory", "text": "It ends with the run.", "blocks": True}] * number


def need(met: bool | None) -> dict[str, Any]:
    return {"name": "winrm_service", "met": met, "said": "the service WinRM does not start with Windows."}


def test_of_what_keeps_a_computer_within_reach_only_what_is_known_to_be_missing_is_a_finding():
    play = Play({"pc-1": plan_of(WIN), "pc-2": plan_of(WIN, activated=True), "pc-3": plan_of(WIN)})
    play.results["license"]["pc-1"]["requirements"] = [need(False), need(None), need(True)]
    play.results["license"]["pc-3"] = {"unreachable": True, "msg": "pc-3: no connection."}
    found = steps.findings(play.seen())
    assert [line.split("  ") for line in found["lines"]] == [
        ["note", "pc-1", "The service WinRM does not start with Windows."],
        ["note", "pc-3", "pc-3: no connection."],
    ]
    assert (found["stop"], found["incomplete"]) == ("", ["pc-1"])


@pytest.mark.parametrize(
    "target", [{}, {"unreachable": True, "msg": "WinRM"}, {"failed": True, "msg": "WinRM", "error": {}}, {"skipped": True}]
)
def test_a_computer_that_could_not_be_looked_at_lacks_nothing(target: dict[str, Any]):
    play = Play({"pc-1": plan_of(WIN)})
    play.results["license"]["pc-1"] = target
    found = steps.findings(play.seen())
    assert found["incomplete"] == []
    assert not any("does not start" in line for line in found["lines"])


def test_findings_that_stand_in_the_way_are_counted_among_all():
    play = Play({"pc-1": plan_of(applicable=False, reason="it runs the home edition Core")})
    play.results["run"]["pc-1"]["findings"] = [{"object": "key win", "text": "It is none.", "blocks": True}]
    found = steps.findings(play.seen())
    assert found["stop"] == "Nothing was changed. 1 of 2 findings stand in the way: STOP  key win  It is none."
    assert len(found["lines"]) == 2


def test_a_key_is_tried_until_a_computer_tells_what_it_is_for():
    plans = {"pc-1": plan_of(PRO), "pc-2": plan_of(WIN), "pc-3": plan_of(WIN)}
    play = Play(plans)
    state = steps.holders(play.seen(), check_mode=False)
    assert [(trial["host"], trial["kind"]) for trial in state["trials"]] == [("pc-1", "win 0"), ("pc-2", "win 1"), ("pc-3", "win 1")]
    assert steps.holders(play.seen(), check_mode=True)["trials"] == []
    assert steps.holders(Play(plans, activate=False).seen(), check_mode=False)["trials"] == []
    told = plan_of(WIN, installed=True)["product"]
    answers = [
        {"applicable": False, "reason": "another edition"},
        {"unreachable": True, "msg": "pc-2: no connection."},
        {"applicable": True, "installed": True, "product": told},
    ]
    for trial, held in zip(state["trials"], answers, strict=True):
        play.once(learned=state, held=held)
        state = steps.learned(play.seen().found, trial)
    assert state == {
        "products": {"win": {**PRODUCT, "host": "pc-3"}},
        "refusals": {"win": {"reason": "pc-2: no connection.", "hresult": None}},
        "judged": ["win 0"],
        "extended_pids": [{"name": "win", "extended_pid": PID}],
    }
    # One that was passed over.
    play.once(learned=state, held={"skipped": True})
    assert steps.learned(play.seen().found, {"key": "win", "host": "pc-1", "kind": "win 0"}) == state


def test_orders_are_in_the_order_of_the_play_and_wait_for_what_has_no_known_end():
    play = Play({f"pc-{number}": plan_of(WIN, activated=number == 2, installed=number == 3) for number in (1, 2, 3)})
    open_end = {"products": [{"activation": {"began": MOMENT, "ended": None, "outcome": ""}}]}
    # Who holds the key comes first where activations are given away, but not in the play.
    play.once(known={"computers": [{"name": "pc-3", **open_end}, {"name": "pc-2", **open_end}]})
    play.once(learned={"products": {"win": {**PRODUCT, "host": "pc-3"}}})
    ordered = play.order()
    assert list(ordered["hosts"].items()) == [("pc-3", ["win"]), ("pc-1", ["win"])]
    assert (ordered["due"], ordered["ahead"], ordered["batches"], ordered["settle"]) == (["pc-1", "pc-3"], ["pc-1"], [1, 50], {"pc-3": 30})
    assert (ordered["stop"], ordered["counted"]) == ("", True)


def test_where_microsoft_can_not_be_asked_or_has_too_few_nothing_is_activated():
    play = Play({"pc-1": plan_of(WIN), "pc-2": plan_of(WIN)})
    play.once(before={"failed": False, "msg": "Microsoft is out of reach.", "error": {"code": ""}})
    assert play.order()["stop"].startswith(
        "Nothing was activated, because Microsoft could not be asked for the activations that are left: Microsoft is out of reach. With"
        " mak_independent_count: false"
    )
    play.once(before={"counts": [{**COUNTS["counts"][0], "remaining": 1}]})
    assert play.order()["stop"].startswith("Nothing was activated. Key win: Microsoft has 1 activations left, and 2 computers are to be")
    play.once(before={"skipped": True})
    assert (play.order()["stop"], play.order()["counted"]) == ("", False)
    # Nobody needs it.
    licensed = Play({"pc-1": plan_of(WIN, activated=True)})
    licensed.once(before={"msg": "Microsoft is out of reach.", "error": {}})
    assert licensed.order()["stop"] == ""


def test_a_key_that_microsoft_refuses_in_one_batch_is_left_out_of_the_next():
    play = Play({f"pc-{number}": plan_of(WIN) for number in (1, 2, 3)})
    play.order()
    begin, outcome = play.batch(["pc-1"], {"pc-1": failed("0xC004C003")}, {})
    assert (begin["hosts"], begin["began"], [entry["name"] for entry in begin["computers"]]) == ({"pc-1": ["win"]}, MOMENT, ["pc-1"])
    assert outcome["progress"] == {"seen": 1, "refused": ["win"]}
    assert outcome["line"] == "1 of 3 computers were processed"
    assert outcome["computers"][0]["products"][0]["activation"]["outcome"] == "It failed with 0xC004C003."
    begin, outcome = play.batch(["pc-2", "pc-3"], {}, outcome["progress"])
    assert begin == {"hosts": {"pc-2": [], "pc-3": []}, "settle": {}, "computers": [], "began": ""}
    assert (outcome["progress"], outcome["computers"]) == ({"seen": 3, "refused": ["win"]}, [])
    ends = steps.ends(play.seen(), check_mode=False)
    assert ends["failures"] == {
        "pc-1": "It failed with 0xC004C003.",
        **dict.fromkeys(("pc-2", "pc-3"), "it was not tried, because the run stopped before it or the key was refused"),
    }
    assert (ends["failing"], ends["numbers"]["failed"]) == (["pc-1", "pc-2", "pc-3"], 3)


def test_a_play_without_batches_has_those_that_go_ahead_and_then_the_others():
    play = Play({f"pc-{number}": plan_of(WIN, activated=number == 4) for number in (1, 2, 3, 4)})
    play.order()
    begin = steps.begin(play.seen(), {}, MOMENT, check_mode=False, ahead=True)
    assert (begin["hosts"], [entry["name"] for entry in begin["computers"]]) == ({"pc-1": ["win"]}, ["pc-1"])
    play.once(begin=begin)
    play.results["made"] = {"pc-1": {"results": [{"item": "win", **ACTIVATED}]}}
    outcome = steps.outcome(play.seen(), {}, MOMENT)
    assert (outcome["line"], outcome["progress"]["seen"]) == ("1 of 3 computers were processed", 1)
    begin = steps.begin(play.seen(), outcome["progress"], MOMENT, check_mode=False, ahead=False)
    assert begin["hosts"] == {"pc-2": ["win"], "pc-3": ["win"]}
    play.once(begin=begin)
    play.results["made"] |= {host: {"results": [{"item": "win", **failed("0xC004C003")}]} for host in ("pc-2", "pc-3")}
    outcome = steps.outcome(play.seen(), outcome["progress"], "2026-11-27T05:00:00Z")
    # What came of the first one is written down already.
    assert [entry["name"] for entry in outcome["computers"]] == ["pc-2", "pc-3"]
    assert (outcome["line"], outcome["progress"]) == ("3 of 3 computers were processed", {"seen": 3, "refused": ["win"]})


@pytest.mark.parametrize(("activate", "check_mode"), [(False, False), (True, True)])
def test_nothing_is_written_down_where_nothing_is_spent(activate: bool, check_mode: bool):
    play = Play({"pc-1": plan_of(WIN)}, activate=activate)
    play.order()
    begin = steps.begin(play.seen(), {}, MOMENT, check_mode)
    assert (begin["hosts"], begin["computers"], begin["began"]) == ({"pc-1": ["win"]}, [], "")


def test_a_computer_that_fails_with_two_keys_says_both():
    play = Play({"pc-1": plan_of(WIN, PRO)}, {"pc-1": ["win", "esu"]})
    play.once(orders={"hosts": {"pc-1": ["win", "esu"]}, "others": [], "settle": {}})
    play.batch(["pc-1"], {"pc-1": failed("0x80041001")}, {})
    assert steps.ends(play.seen(), check_mode=False)["failures"] == {"pc-1": "It failed with 0x80041001. It failed with 0x80041001."}


@pytest.mark.parametrize(
    ("after", "left"), [({"skipped": True}, 50), (None, None), ({"counts": [{**COUNTS["counts"][0], "remaining": 49}]}, 49)]
)
def test_what_is_left_is_what_microsoft_said_last(after: dict[str, Any] | None, left: int | None):
    play = Play({"pc-1": plan_of(WIN, activated=True)})
    play.order()
    # One that has failed says nothing.
    play.once(after={"msg": "Microsoft is out of reach.", "error": {}} if after is None else after)
    numbers = steps.ends(play.seen(), check_mode=False)["numbers"]
    assert numbers["keys"] == {"win": {"remaining_before": 50, "remaining_after": left}}


def test_those_ask_a_kms_host_once_more_that_were_only_counted():
    clients = {"pc-1": {"activation": {"state": "counted"}}, "pc-2": {"activation": {"state": "licensed"}}, "pc-3": failed("0x1")}
    clients["pc-4"] = {"unreachable": True, "msg": "pc-4: no connection."}
    given = {host: {"max_unreachable": ""} for host in clients}
    found = Registered(list(clients), {"run": given, "client": clients, "again": {"pc-1": {"activation": {"state": "licensed"}}}})
    assert given_back.counted(found) == {"counted": ["pc-1"]}
    back = given_back.given_back(found, check_mode=False)
    assert (back["failing"], back["failures"]) == (["pc-3"], {"pc-3": "It failed with 0x1."})
    assert back["numbers"] == {"licensed": 2, "counted": 0, "failed": 1, "not_reached": 1, "planned": 0}
    assert back["lines"][1] == "Computers: 2 of 4 licensed"
    given["pc-1"]["max_unreachable"] = "0"
    assert given_back.given_back(found, check_mode=False)["failures"]["pc-4"].startswith("1 of 4 hosts were not reached: pc-4.")


def test_so_many_computers_out_of_reach_stop_the_run_before_its_first_change_and_fail_it_at_the_end():
    play = Play({"pc-1": {}, "pc-2": {}, "pc-3": plan_of(WIN, activated=True)})
    play.results["license"] |= {host: {"unreachable": True, "msg": "It is dark."} for host in ("pc-1", "pc-2")}
    assert steps.findings(play.seen())["stop"] == ""
    play.order()
    assert steps.ends(play.seen(), check_mode=False)["failing"] == []
    for limit, said in (
        ("1", "volume_activation_max_unreachable is 1."),
        ("60%", "volume_activation_max_unreachable is 60%, which is 1 of 3."),
    ):
        play.results["run"]["pc-1"]["max_unreachable"] = limit
        assert said in steps.findings(play.seen())["stop"]
        assert said in steps.ends(play.seen(), check_mode=False)["failures"]["pc-1"]
    play.results["run"]["pc-1"]["max_unreachable"] = ""
    play.results["license"]["pc-3"] = {"unreachable": True, "msg": "It is dark."}
    assert "None of the 3 hosts was reached: pc-1, pc-2, pc-3." in steps.findings(play.seen())["stop"]


def seconds(number: int) -> float:
    """How long a run over so many computers decides, of which one in a hundred is dark and one in a hundred fails."""
    keys = [f"key-{key}" for key in range(8)]
    hosts = {f"pc-{place:05}": plan_of(WIN, activated=place % 3 == 0) for place in range(number)}
    play = Play(hosts, {host: [keys[place % 8], keys[(place + 1) % 8]] for place, host in enumerate(hosts)})
    play.results["license"].update({host: {"unreachable": True, "msg": "no connection"} for host in play.hosts[::100]})
    known = {key: {**PRODUCT, "activation_id": f"{key}-of-{WIN}"} for key in keys}
    for host in play.hosts:
        for plan in play.results["plan"][host]["results"]:
            plan["mak_products"] = [product["activation_id"] for product in known.values()]
    begun = time.process_time()
    steps.findings(play.seen())
    steps.holders(play.seen(), check_mode=False)
    play.once(learned={"products": known}, before={})
    ordered = play.order()
    progress: dict[str, Any] = {}
    for first in range(0, len(ordered["due"]), 50):
        batch = ordered["due"][first : first + 50]
        made = {host: failed("0x80041001") if host.endswith("01") else ACTIVATED for host in batch}
        progress = play.batch(batch, made, progress)[1]["progress"]
    ends = steps.ends(play.seen(), check_mode=False)
    assert progress["seen"] == len(ordered["due"]) > number / 2
    assert len(ends["failing"]) > number / 200
    return time.process_time() - begun


@pytest.mark.parametrize(
    "size", [pytest.param(2_000, marks=pytest.mark.tier("test")), pytest.param(10_000, marks=pytest.mark.tier("soak"))]
)
def test_ten_thousand_computers_take_seconds_and_each_as_long_as_one_of_a_thousand(size: int):
    few = min(seconds(size // 10) for _attempt in range(3))
    many = seconds(size)
    assert many < 20
    # With the square it would be a hundred times as long.
    assert many < 10 * few * 2.5
