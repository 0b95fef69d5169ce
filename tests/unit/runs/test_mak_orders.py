# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which computer is activated with which MAK, and what people are told of it before and after."""

from __future__ import annotations

import itertools
from typing import Any

import error_catalogue
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.given import given_computers
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms import given_back
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak import ends, findings, journal, products, refusals, summary
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak import orders as mak_orders
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak.ends import Ended
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak.orders import Orders
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak.pairs import Pair, PairState
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak.products import Learned

pytestmark = pytest.mark.tier("quick")

WIN, PRO = "288e95ec-20ea-58eb-8698-12be92334a8e", "077cd83b-909f-53da-87ae-a0927363b68e"
PID = "03612-00206-271-344265-03-1033-20348.0000-0012026"
PRODUCTS = {"win": {"host": "pc-2", "extended_pid": PID, "activation_id": WIN, "name": "Windows(R), Enterprise edition"}}
GOOD = "MMKVP-D7663-2TCFK-B7W8M-7VCKF"


def plan_of(*products: str, installed: bool = False, activated: bool = False, **more: Any) -> dict[str, Any]:
    """A result of mak_client in check mode."""
    product = {"extended_pid": PID, "activation_id": products[0] if products else "", "name": "Windows(R), Enterprise edition"}
    installed = installed or activated
    steps = [] if activated else [{"attribute": "license status"}]
    found = {"applicable": True, "reason": "", "installed": installed, "mak_products": list(products), "activated": activated}
    return {**found, "product": product, "steps": steps, **more}


def pair(host: str, plan: dict[str, Any] | None = None, key: str = "win", channel: str = "gvlk", clients_only: bool = False) -> Pair:
    return Pair(host, key, {"windows": {"channel": channel}}, plan_of(WIN) if plan is None else plan, clients_only)


def orders(pairs: list[Pair], remaining: int | None = 50, *, error: str = "", as_many: bool = False, **more: Any) -> Orders:
    known = more.pop("products", PRODUCTS)
    counts = {"win": {"remaining": remaining, "unlimited": remaining is None, "error": error}}
    return mak_orders.make_orders(pairs, known, more.pop("counts", counts), as_many, more.pop("refusals", {}))


def test_a_computer_gets_a_key_for_which_it_has_a_license():
    made = orders(
        [pair("pc-1"), pair("pc-2", plan_of(WIN, installed=True)), pair("pc-3", plan_of(PRO)), pair("pc-4", plan_of(WIN, activated=True))]
    )
    assert made.hosts == {"pc-2": ["win"], "pc-1": ["win"]}
    assert [(other["host"], other["kind"]) for other in made.others] == [("pc-3", "not_applicable")]
    assert made.stops == []


def test_several_keys_of_one_computer_keep_their_order():
    esu = {"esu": {"host": "x", "extended_pid": "9", "activation_id": PRO, "name": "ESU"}}
    made = orders([pair("pc-1"), pair("pc-1", plan_of(PRO), "esu")], products=PRODUCTS | esu)
    assert made.hosts == {"pc-1": ["win", "esu"]}


def test_of_two_keys_for_one_product_a_computer_gets_the_first_or_keeps_the_one_that_it_has():
    second = PRODUCTS | {"spare": {"host": "pc-9", "extended_pid": "4-5-6", "activation_id": WIN, "name": "Windows(R), Enterprise edition"}}
    made = orders([pair("pc-1"), pair("pc-1", key="spare")], products=second)
    assert made.hosts == {"pc-1": ["win"]}
    assert [other["reason"] for other in made.others] == [error_catalogue.said(WRITTEN[SECOND])]
    keeps = orders([pair("pc-1"), pair("pc-1", plan_of(WIN, activated=True), "spare")], products=second)
    assert keeps.hosts == {}
    # Nor is the one that it has replaced to learn what the other is for.
    replacing = plan_of(WIN, steps=[{"kind": "product_key", "before": "GB4PP"}, {"kind": "license"}])
    held = plan_of(WIN, activated=True)
    held["product"] = held["product"] | {"partial_product_key": "GB4PP"}
    pairs = [pair("pc-1", held), pair("pc-1", replacing, "spare")]
    assert products.holders_to_try(pairs, ["win"]) == []
    assert orders(pairs).hosts == {}
    # A year of ESU replaces nothing.
    beside = plan_of(WIN, PRO, steps=[{"kind": "product_key", "before": None}])
    assert len(products.holders_to_try([pairs[0], pair("pc-1", beside, "spare")], ["win"])) == 1


def test_with_too_few_activations_none_or_as_many_as_there_are():
    pairs = [pair(f"pc-{number}", plan_of(WIN, installed=number == 7)) for number in range(10)]
    none = orders(pairs, 3)
    assert len(none.stops) == 1
    some = orders(pairs, 3, as_many=True)
    # Neither the one that holds the key is passed over nor the one on which it was tried.
    assert (list(some.hosts), some.stops) == (["pc-2", "pc-7", "pc-0"], [])
    assert [other["host"] for other in some.others] == ["pc-1", "pc-3", "pc-4", "pc-5", "pc-6", "pc-8", "pc-9"]
    assert {other["kind"] for other in some.others} == {"no_activation_left"}
    assert len(orders(pairs, 10).hosts) == 10


@pytest.mark.parametrize("counts", [{}, {"win": {"remaining": None, "unlimited": True, "error": ""}}])
def test_a_key_without_a_limit_and_one_that_was_not_asked_for_stop_nothing(counts: dict[str, Any]):
    assert list(orders([pair("pc-1"), pair("pc-2")], counts=counts).hosts) == ["pc-2", "pc-1"]


def test_a_count_that_cannot_be_told_matters_only_where_somebody_needs_it():
    assert orders([pair("pc-1", plan_of(WIN, activated=True))], error="Blocked.").stops == []
    assert orders([pair("pc-1")], None, error="The key is blocked.").stops == ["Key win: The key is blocked."]


def test_computers_to_learn_from_are_a_few_of_each_kind():
    pairs = [
        pair("pc-1", plan_of(PRO)),
        pair("pc-2"),
        pair("pc-3"),
        pair("pc-4", {"failed": True, "msg": "no"}),
        pair("pc-5", plan_of(WIN, installed=True), "held"),
    ]
    known = products.known_products(pairs)
    assert known == {"held": {"host": "pc-5", "extended_pid": PID, "activation_id": WIN, "name": "Windows(R), Enterprise edition"}}
    tried = products.holders_to_try([*pairs, pair("pc-6"), pair("pc-7")], known)
    assert [(one["kind"], one["host"]) for one in tried] == [("win 0", "pc-1"), ("win 1", "pc-2"), ("win 1", "pc-3"), ("win 1", "pc-6")]


@pytest.mark.tier("quick")
@pytest.mark.parametrize("told", [{"extended_pid": "x y {{7*7}} ../"}, {"extended_pid": ""}, {"activation_id": "' or ''='"}])
def test_who_holds_a_key_and_does_not_tell_it_in_its_form_is_passed_over(told: dict[str, str]):
    bad = plan_of(WIN, installed=True)
    bad["product"] |= told
    known = products.known_products([pair("pc-1", bad), pair("pc-2", plan_of(WIN, installed=True))])
    assert known["win"]["host"] == "pc-2"
    assert products.known_products([pair("pc-1", bad)]) == {}


@pytest.mark.tier("quick")
@pytest.mark.parametrize(
    "told",
    [{"installation_id": "abc"}, {"extended_pid": "x y {{7*7}} ../"}, {"activation_id": "../"}, {"name": "\ud800"}, {"channel": "\udfff"}],
)
def test_what_is_spent_is_written_down_whatever_the_computer_tells(told: dict[str, str]):
    result = plan_of(WIN, activated=True)
    result["product"] |= told
    made = {("pc-1", "win"): result, ("pc-2", "win"): plan_of(WIN, activated=True)}
    over = journal.over([pair("pc-1"), pair("pc-2")], PRODUCTS, made, "2026-11-27T04:00:00Z", "2026-11-27T04:01:00Z")
    listed = given_computers(over)
    assert {name: computer.products[WIN].activation.outcome for name, computer in listed.items()} == {
        "pc-1": "licensed",
        "pc-2": "licensed",
    }


@pytest.mark.parametrize("error", [{"code": "0xC004C003", "hresult": None}, {"hresult": 0x12345678}, {"hresult": "0xC004C003"}, {}, None])
def test_only_a_number_tells_of_more_than_the_computer(error: dict[str, Any] | None):
    assert refusals.failure_of({"failed": True, "error": error}) == "computer"


def test_what_is_begun_has_no_end_until_it_is_known():
    system = {"computer_name": "PC-1", "caption": "Windows 11"}
    first = Pair("pc-1", "win", {"operating_system": system}, plan_of(WIN))
    (listed,) = journal.begun([first, pair("pc-2", key="unknown")], PRODUCTS, "2026-11-27T04:00:00Z")
    product = {"activation_id": WIN, "name": "Windows(R), Enterprise edition", "channel": "mak", "mak": "win"}
    assert listed == {
        "name": "pc-1",
        "computer_name": "PC-1",
        "operating_system": "Windows 11",
        "products": [{**product, "activation": {"began": "2026-11-27T04:00:00Z"}}],
    }
    made = {("pc-1", "win"): {"unreachable": True}}
    assert journal.over([first], PRODUCTS, made, "2026-11-27T04:00:00Z", "2026-11-27T04:01:00Z") == []
    made = {("pc-1", "win"): plan_of(WIN, activated=True)}
    (over,) = journal.over([first], PRODUCTS, made, "2026-11-27T04:00:00Z", "2026-11-27T04:01:00Z")
    assert over["products"][0]["activation"] == {"began": "2026-11-27T04:00:00Z", "ended": "2026-11-27T04:01:00Z", "outcome": "licensed"}
    shown = [
        {"name": "pc-1", "products": [{"activation": {"began": "2026-11-27T04:00:00Z", "ended": None}}]},
        {"name": "pc-2", "products": [{"activation": {"began": "2026-11-27T04:00:00Z", "ended": "2026-11-27T04:01:00Z"}}]},
        {"name": "pc-3", "products": [{"activation": {"began": None, "ended": None}}]},
    ]
    assert journal.unfinished(shown) == ["pc-1"]


def test_a_computer_with_several_keys_is_one_entry():
    pairs = [pair("pc-1"), pair("pc-2"), pair("pc-1", plan_of(PRO), key="pro")]
    products = {**PRODUCTS, "pro": {**PRODUCTS["win"], "activation_id": PRO}}
    begun = journal.begun(pairs, products, "2026-11-27T04:00:00Z")
    assert {entry["name"]: [product["mak"] for product in entry["products"]] for entry in begun} == {
        "pc-1": ["win", "pro"],
        "pc-2": ["win"],
    }
    assert len(begun) == 2
    made = {(one.host, one.key): plan_of(WIN, activated=True) for one in pairs}
    over = journal.over(pairs, products, made, "2026-11-27T04:00:00Z", "2026-11-27T04:01:00Z")
    assert [(entry["name"], len(entry["products"])) for entry in over] == [("pc-1", 2), ("pc-2", 1)]


def test_what_the_state_proves_of_a_run_that_was_killed_is_written_down():
    open_end = {"activation_id": WIN, "mak": "win", "activation": {"began": "2026-11-27T04:00:00Z", "ended": None, "outcome": ""}}
    shown = [{"name": name, "products": [open_end]} for name in ("pc-1", "pc-2", "pc-3")]
    ended = {"began": "2026-11-27T04:00:00Z", "ended": "2026-11-27T04:01:00Z"}
    shown += [
        {"name": "pc-4", "products": [{**open_end, "activation": {**ended, "outcome": "licensed"}}]},
        {"name": "pc-6", "products": [{**open_end, "activation": {"began": None, "ended": None, "outcome": ""}}]},
    ]
    activated = plan_of(WIN, activated=True)
    pairs = [pair("pc-1", activated), pair("pc-2", plan_of(WIN)), *(pair(name, activated) for name in ("pc-4", "pc-5", "pc-6"))]
    assert journal.proved(pairs, shown, "2026-11-28T09:00:00Z") == [
        {
            "name": "pc-1",
            "read": "",
            "products": [
                {
                    "activation_id": WIN,
                    "mak": "win",
                    "activation": {"began": "2026-11-27T04:00:00Z", "ended": "2026-11-28T09:00:00Z", "outcome": "licensed"},
                }
            ],
        }
    ]
    # A fault behind the activation was written down as its end.
    failed = [{**shown[0], "products": [{**open_end, "activation": {**ended, "outcome": "pc-1: the answer was lost."}}]}]
    assert journal.proved(pairs, failed, "2026-11-28T09:00:00Z") == journal.proved(pairs, shown, "2026-11-28T09:00:00Z")
    # Another key than the one that was begun proves nothing.
    assert journal.proved([pair("pc-1", activated, key="other")], shown, "2026-11-28T09:00:00Z") == []


@pytest.mark.parametrize(
    ("code", "refused"),
    [(0xC004C003, ["win"]), (0xC004C020, ["win"]), (0x80072EE7, []), (0xC004F069, []), (None, [])],
)
def test_a_key_that_microsoft_refuses_is_tried_no_more(code: int | None, refused: list[str]):
    made = [("win", {"failed": True, "error": {"hresult": code}}), ("other", {"activated": True})]
    assert refusals.refused_keys(made) == refused


SENTENCES: dict[str, Pair] = {
    "a computer that keeps its key": pair("pc-1", plan_of(WIN, steps=[])),
    "a computer that is no KMS client": pair("pc-1", channel="oem", clients_only=True),
    "a computer that takes no MAK": pair("pc-1", plan_of(applicable=False, reason="it runs the home edition Core")),
    "a computer that was not reached": pair("pc-1", {"unreachable": True, "msg": "pc-1: no connection."}),
    "a computer on which the look failed": pair("pc-1", {"failed": True, "msg": "pc-1 holds several MAKs of Windows itself."}),
}
RINGS: dict[str, tuple[Any, str, bool]] = {
    "a ring that is none": ([GOOD], "win", True),
    "a key that the ring does not have": ({}, "win", True),
    "a key that is not under key": ({"win": GOOD}, "win", True),
    "a key without the shape of one": ({"win": {"key": "MMKVP"}}, "win", True),
    "a setup key in the ring": ({"win": {"key": "NPPR9-FWDCX-D2C8J-H872K-2YT43"}}, "win", True),
    "a wrong key that nobody gets": ({"win": {"key": GOOD}, "old": {"key": "MMKVP"}}, "win", False),
    "a field of a key that is misspelt": ({"win": {"key": GOOD, "prodct": "office"}}, "win", True),
    "a field that is of no use": ({"win": {"key": GOOD, "cost_centre": 7}}, "win", False),
    "a computer without a key": ({"win": {"key": GOOD}}, "", False),
}
SECOND, TOO_FEW, BLOCKED, OTHER_EDITION, NOBODY, SUMMARY, KMS = (
    "a second key for the same product",
    "too few activations",
    "a count that Microsoft does not tell",
    "a key of another edition than a computer's",
    "a key that no computer takes",
    "the end of a run",
    "the end of a run back to KMS",
)
WRITTEN = error_catalogue.paired("Keys of a ring", [*SENTENCES, *RINGS, SECOND, TOO_FEW, BLOCKED, OTHER_EDITION, NOBODY, SUMMARY, KMS])


@pytest.mark.parametrize(
    ("orders", "sizes"),
    [
        ({}, [50, 50]),
        ({"h01": ["win"], "h02": ["win"]}, [1, 50, 50]),
        ({"h03": ["win"], "h04": ["win"]}, [3, 50, 50]),
        ({"h01": ["win"], "h02": ["win", "esu"], "h03": ["office"], "h04": ["esu"]}, [1, 1, 1, 50, 50]),
        ({"h02": ["win"], "h60": ["office"]}, [2, 50, 8, 50]),
    ],
)
def test_the_first_computer_with_each_key_goes_ahead(orders: dict[str, list[str]], sizes: list[int]):
    hosts = [f"h{number:02}" for number in range(1, 61)]
    found = mak_orders.batches(hosts, mak_orders.first_with_each_key(hosts, orders))
    assert found == sizes
    for key in {key for keys in orders.values() for key in keys}:
        begins = itertools.accumulate(found, initial=0)
        batches = [hosts[begin : begin + size] for begin, size in zip(begins, found, strict=False)]
        with_key = [[host for host in batch if key in orders.get(host, [])] for batch in batches]
        assert len(next(filter(None, with_key))) == 1


@pytest.mark.parametrize("case", SENTENCES)
def test_what_is_said_of_a_computer(case: str):
    (found,) = findings.host_findings([SENTENCES[case]])
    assert (found.text, found.blocks) == (error_catalogue.said(WRITTEN[case]), False)
    assert SENTENCES[case].state is not PairState.OPEN
    assert orders([SENTENCES[case]]).hosts == {}


@pytest.mark.parametrize("case", RINGS)
def test_what_is_said_of_the_ring(case: str):
    ring, name, blocks = RINGS[case]
    (found,) = findings.ring_findings(ring, {"pc-1": [name] if name else []})
    assert (found.text, found.blocks) == (error_catalogue.said(WRITTEN[case]), blocks)
    assert GOOD not in found.text


def test_a_good_ring_needs_no_word():
    assert list(findings.ring_findings({"win": {"key": GOOD.lower().replace("-", "")}}, {"pc-1": ["win"]})) == []


def test_what_is_said_before_the_first_activation():
    pairs = [pair(f"pc-{number}") for number in range(10)]
    assert orders(pairs, 3).stops == [error_catalogue.said(WRITTEN[TOO_FEW])]
    assert orders(pairs, None, error="The key is blocked; use another one.").stops == [error_catalogue.said(WRITTEN[BLOCKED])]
    assert orders([pair("pc-3", plan_of(PRO))]).others[0]["reason"] == error_catalogue.said(WRITTEN[OTHER_EDITION])
    refused = orders(
        pairs[:1], products={}, refusals={"win": {"reason": "0xC004F069: the installed edition takes no such key", "hresult": 0xC004F069}}
    )
    assert (refused.hosts, refused.others[0]["reason"]) == ({}, error_catalogue.said(WRITTEN[NOBODY]))


def test_the_summary_and_its_numbers():
    pairs = [pair(name) for name in ("pc-1", "pc-2", "pc-3", "pc-4", "pc-5", "pc-6")] + [pair("pc-7", plan_of(WIN, activated=True))]
    made: dict[tuple[str, str], dict[str, Any]] = {
        ("pc-1", "win"): plan_of(WIN, activated=True, activation={"attempted": True}),
        ("pc-2", "win"): {"failed": True, "msg": "pc-2 can't be activated over the network.", "error": {"hresult": 0x80072EE7}},
        ("pc-3", "win"): {"failed": True, "msg": "pc-3: the key is blocked.", "error": {"hresult": 0xC004C003}},
        ("pc-4", "win"): {"unreachable": True, "msg": "pc-4: no connection."},
    }
    left = Orders()
    left.leave(pairs[4], "no_activation_left", "no activation is left for it")
    left.leave(pairs[5], "not_applicable", "it runs the home edition Core")
    every = ends.ended(pairs, left.as_result(), made, check_mode=False)
    assert [end.kind for end in every] == [
        "activated",
        "no_way_out",
        "failed",
        "not_reached",
        "no_activation_left",
        "not_applicable",
        "licensed",
    ]
    before, after = {"win": {"remaining": 3, "error": ""}}, {"win": {"remaining": 2, "error": ""}}
    lines = summary.summary(every, {"win": "agreement 1234"}, PRODUCTS, before, after, check_mode=False)
    assert lines == error_catalogue.said(WRITTEN[SUMMARY]).rstrip("\n").split("\n")
    assert GOOD not in str(lines)
    assert summary.numbers(every, before, after) == {
        **dict.fromkeys(("activated", "licensed", "not_applicable", "no_activation_left", "no_way_out", "not_reached", "failed"), 1),
        "installed": 0,
        "planned": 0,
        "keys": {"win": {"remaining_before": 3, "remaining_after": 2}},
        "proxy_candidates": ["pc-2"],
        "without_activation": ["pc-5"],
    }


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        ({}, "not asked"),
        ({"win": {"remaining": None, "unlimited": True, "error": ""}}, "unlimited, or blocked"),
        ({"win": {"remaining": None, "unlimited": True, "error": "Blocked."}}, "not told"),
        ({"win": {"remaining": 0, "unlimited": False, "error": ""}}, "0"),
    ],
)
def test_counts_that_are_no_numbers(count: dict[str, Any], shown: str):
    lines = summary.summary([Ended("pc-1", "win", "installed")], {}, {}, count, count, check_mode=False)
    assert lines[1].endswith(f"1 hold it and were not to be activated; activations left at Microsoft: {shown} -> {shown}")


F050, F069 = ("InstallProductKey failed with 0xC004F050", 0xC004F050), ("InstallProductKey failed with 0xC004F069", 0xC004F069)
NO_MAK = ("pc-1: the key that ends in 6789B is no MAK but of the channel csvlk", None)


@pytest.mark.parametrize(
    ("refusal", "others", "kinds"),
    [
        (F050, {}, ["failed", "failed"]),
        (F069, {}, ["failed", "failed"]),
        (NO_MAK, {}, ["failed", "failed"]),
        # Those that took another key of theirs lack nothing, unless the key is none.
        (F069, {"pc-1": plan_of(PRO, activated=True)}, ["not_applicable", "failed"]),
        (F050, {"pc-1": plan_of(PRO, activated=True)}, ["failed", "failed"]),
    ],
)
def test_a_key_that_no_computer_takes_fails_the_run(refusal: tuple[str, int | None], others: dict[str, dict[str, Any]], kinds: list[str]):
    pairs = [pair("pc-1"), pair("pc-2"), *(pair(host, plan, key="pro") for host, plan in others.items())]
    made = orders(pairs, products={}, refusals={"win": {"reason": refusal[0], "hresult": refusal[1]}})
    assert made.hosts == {}
    every = ends.ended(pairs, made.as_result(), {}, check_mode=False)
    assert [end.kind for end in every[:2]] == kinds
    assert list(ends.failures(every)) == [host for host, kind in zip(("pc-1", "pc-2"), kinds, strict=True) if kind == "failed"]
    lines = summary.summary(every, {}, {}, {}, {}, check_mode=False)
    if kinds == ["failed", "failed"]:
        assert lines[-1] == f"Failed: 2 (pc-1, pc-2): no computer takes the key: {refusal[0]}"


@pytest.mark.parametrize(("known", "kinds"), [((), ["failed", "failed"]), (("win",), ["not_applicable", "not_applicable"])])
def test_a_key_that_is_only_installed_and_that_no_computer_takes(known: tuple[str, ...], kinds: list[str]):
    pairs = [pair("pc-1"), pair("pc-2")]
    refused = {"applicable": False, "reason": F050[0], "reason_hresult": F050[1]}
    every = ends.ended(pairs, Orders().as_result(), {("pc-1", "win"): refused, ("pc-2", "win"): refused}, False, known)
    assert [end.kind for end in every] == kinds
    # One that takes it shows that the key is right.
    taken = {("pc-1", "win"): refused, ("pc-2", "win"): plan_of(WIN, activated=True, activation={"attempted": True})}
    assert [end.kind for end in ends.ended(pairs, Orders().as_result(), taken, False)] == ["not_applicable", "activated"]


def test_a_key_that_turns_out_to_be_no_mak_is_tried_once():
    known = Learned().with_trial(
        {"key": "win", "host": "pc-1", "kind": "win 0"}, {"failed": True, "msg": "x", "error": {"source": "options"}}
    )
    assert known.judged == ("win",)
    known = Learned().with_trial(
        {"key": "win", "host": "pc-1", "kind": "win 0"}, {"failed": True, "msg": "x", "error": {"source": "windows"}}
    )
    assert known.judged == ()


def test_in_check_mode_it_is_said_who_would_be_activated():
    every = ends.ended([pair("pc-1")], Orders().as_result(), {}, check_mode=True)
    lines = summary.summary(every, {}, PRODUCTS, {}, {}, check_mode=True)
    assert lines[0] == "MAK activation (check mode: nothing was changed)"
    assert "1 would be activated" in lines[1]


def test_the_summary_of_computers_that_were_given_back_to_kms():
    states = {"pc-1": "licensed", "pc-2": "counted", "pc-3": "not_attempted"}
    clients: dict[str, dict[str, Any]] = {name: {"client": {"activation": {"state": state}}} for name, state in states.items()}
    clients |= {"pc-4": {"client": {"failed": True, "msg": "pc-4: no KMS host."}}, "pc-5": {"client": {"unreachable": True}}}
    assert given_back.kms_summary(clients, check_mode=False) == error_catalogue.said(WRITTEN[KMS]).rstrip("\n").split("\n")
