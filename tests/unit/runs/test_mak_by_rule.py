# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys of a ring a computer gets by the rules of their entries, and what is said where none or two fit."""

from __future__ import annotations

import json
from typing import Any

import error_catalogue
import pytest
from unit.runs.test_mak_proxy_steps import DARK, PLACES, asked, once
from unit.runs.test_mak_steps import SETTINGS, STATE

from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak import by_rule, steps
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak.assigned import Assigned
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak.by_rule import KEYS, RING, Choice
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak.ends import unassigned
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak.findings import ring_findings
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak.summary import numbers, summary
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak_proxy.steps import STEPS
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.registered import Registered

pytestmark = pytest.mark.tier("quick")

KEY, OTHER = "MMKVP-D7663-2TCFK-B7W8M-7VCKF", "BCDFG-HJKMP-QRTVW-XY234-6789N"
OFFICE_21 = "Office 21, Office21ProPlus2021VL_KMS_Client_AE edition"
VISIO_21 = "Office 21, Office21VisioPro2021VL_KMS_Client_AE edition"
RETAIL = "Office 21, Office21ProPlus2021R_Retail edition"
NOT_FOR, TWO_FOR, WITHOUT_KEY, WITHOUT_OFFICE = (
    "a computer for which no entry of the ring is",
    "a computer for which two entries of the ring are",
    "a computer without a key that would tell its edition",
    "a computer without Office in a ring that is for Office",
)
RULES: dict[str, tuple[dict[str, Any], bool]] = {
    "a rule that is no list of names": ({"for": {"a": 1}}, True),
    "a rule without a name": ({"for": []}, True),
    "a rule that is neither true nor false": ({"office": "perhaps"}, True),
    "a rule for Office and for Windows": ({"office": True, "product": "windows"}, True),
    "a rule for an edition that is misspelt": ({"for": "Profesional"}, False),
}
WRITTEN = error_catalogue.paired("Rules of a key ring", [NOT_FOR, TWO_FOR, WITHOUT_KEY, WITHOUT_OFFICE, *RULES])


def license_of(edition: str, build: int = 19045, caption: str = "Microsoft Windows 10 Pro", office: tuple[str, ...] = ()) -> dict[str, Any]:
    """A result of license_info."""
    windows = {"name": f"Windows(R), {edition} edition", "activation_id": "1"} if edition else None
    products = [{"name": name, "activation_id": "", "application": "office"} for name in office]
    return {"windows": windows, "products": products, "operating_system": {"caption": caption, "build": build}}


def choose(ring: dict[str, Any], license_result: dict[str, Any]) -> Choice:
    return by_rule.choose(by_rule.rules_of({name: {"key": KEY, **entry} for name, entry in ring.items()}), license_result)


CLIENTS = {"pro": {"for": "Professional, ProfessionalN"}, "ent": {"for": ["Enterprise", "Education"]}}
PRO, ENT = license_of("Professional"), license_of("Enterprise")
SERVER = license_of("ServerStandard", 20348, "Microsoft Windows Server 2022 Standard")


@pytest.mark.parametrize(
    ("ring", "seen", "keys"),
    [
        (CLIENTS, PRO, ["pro"]),
        (CLIENTS, ENT, ["ent"]),
        ({"pro": {"for": "professional"}}, PRO, ["pro"]),
        # A name of Microsoft's list tells versions of Windows apart, and so does the caption.
        ({"22": {"for": "Windows Server 2022 Standard"}, "19": {"for": "Windows Server 2019 Standard"}}, SERVER, ["22"]),
        ({"10": {"for": "Windows 10 Pro"}, "11": {"for": "Windows 11 Pro"}}, PRO, ["10"]),
        ({"any": {"for": "ServerStandard"}}, license_of("ServerStandardCor", 20348), ["any"]),
        # Entries without a rule are for those that name them.
        ({**CLIENTS, "by_hand": {}}, PRO, ["pro"]),
        ({**CLIENTS, "office": {"office": True}}, license_of("Enterprise", office=(OFFICE_21,)), ["ent", "office"]),
        ({"office": {"office": True}}, license_of("Core", office=(OFFICE_21,)), ["office"]),
        ({**CLIENTS, "office": {"office": True}}, license_of("Enterprise", office=(RETAIL,)), ["ent"]),
        (
            {
                "visio": {"office": True, "for": "Visio Professional", "product": "8f0bd3a6"},
                "plus": {"product": "office", "for": "Office 2021 Professional Plus"},
            },
            license_of("Core", office=(OFFICE_21, VISIO_21)),
            ["visio", "plus"],
        ),
        # An add-on stands beside the key of Windows, and is for some computers alone.
        ({**CLIENTS, "esu": {"product": "add_on", "for": "Enterprise"}}, ENT, ["ent", "esu"]),
        ({**CLIENTS, "esu": {"product": "add_on", "for": "Enterprise"}}, PRO, ["pro"]),
    ],
)
def test_a_computer_gets_the_one_entry_that_is_for_it(ring: dict[str, Any], seen: dict[str, Any], keys: list[str]):
    assert choose(ring, seen) == Choice(keys)


TWICE = {**CLIENTS, "also": {"for": "Professional"}, "office": {"office": True}}


@pytest.mark.parametrize(
    ("case", "ring", "seen", "kind", "keys"),
    [
        (NOT_FOR, CLIENTS, license_of("Core", caption="Microsoft Windows 10 Home"), "not_applicable", []),
        # Nothing of it is changed, whatever fits beside.
        (TWO_FOR, TWICE, license_of("Professional", office=(OFFICE_21,)), "failed", []),
        (WITHOUT_KEY, CLIENTS, license_of(""), "not_applicable", []),
        (WITHOUT_OFFICE, {"office": {"office": True}}, PRO, "not_applicable", []),
    ],
)
def test_what_is_said_where_none_or_two_fit(case: str, ring: dict[str, Any], seen: dict[str, Any], kind: str, keys: list[str]):
    assert choose(ring, seen) == Choice(keys, kind, error_catalogue.said(WRITTEN[case]))


def test_office_is_given_its_key_where_no_entry_is_for_windows():
    found = choose({**CLIENTS, "office": {"office": True}}, license_of("Core", office=(OFFICE_21,)))
    assert (found.keys, found.kind) == (["office"], "not_applicable")


@pytest.mark.parametrize(
    ("seen", "kind"), [(DARK, "not_reached"), ({"failed": True, "msg": "It does not answer."}, "failed"), ({}, "failed")]
)
def test_a_computer_that_was_not_read_gets_no_key(seen: dict[str, Any], kind: str):
    found = choose(CLIENTS, seen)
    assert (found.keys, found.kind, bool(found.reason)) == ([], kind, True)


@pytest.mark.parametrize("case", RULES)
def test_what_is_said_of_a_rule(case: str):
    entry, blocks = RULES[case]
    ring = {"win": {"key": KEY, **entry}}
    (found,) = ring_findings(ring, {"pc-1": []}, ["pc-1"])
    assert (found.object, found.text, found.blocks) == ("key win", error_catalogue.said(WRITTEN[case]), blocks)
    # To computers that name another key it does not matter.
    assert [finding.blocks for finding in ring_findings({**ring, "b": {"key": KEY}}, {"pc-1": ["b"]})] == [False]


RULED = {"pro": {"key": KEY, "for": "Professional"}, "ent": {"key": OTHER, "for": "Enterprise"}, "hand": {"key": OTHER}}
HOSTS = ["pc-1", "pc-2", "pc-3", "pc-4", "pc-5", "pc-6"]
GIVEN: dict[str, Any] = {"pc-3": "hand", "pc-4": [], "pc-5": " "}
LICENSES = {"pc-1": PRO, "pc-2": ENT, "pc-3": PRO, "pc-4": PRO, "pc-5": PRO, "pc-6": license_of("Core")}


def registered(**results: Any) -> Registered:
    return Registered(HOSTS, {"license": LICENSES, **results}, {KEYS: GIVEN, RING: dict.fromkeys(HOSTS, RULED)})


def test_rules_are_for_those_whose_variable_names_nothing_and_an_assignment_by_hand_wins():
    every = Assigned.of(registered())
    first = steps.assign(every, SETTINGS, STATE)
    assert first["by_rule"] == dict.fromkeys(("pc-1", "pc-2", "pc-5", "pc-6"), "summary")
    assert [finding["object"] for finding in first["findings"]] == ["pc-4"]
    decided = steps.assign_by_rule(every, registered(run=once(first, HOSTS)))
    assert decided["assigned"] == {"pc-1": ["pro"], "pc-2": ["ent"], "pc-3": ["hand"], "pc-4": [], "pc-5": ["pro"], "pc-6": []}
    assert decided["lines"] == ["Key pro (...7VCKF) by rule: 2 (pc-1, pc-5)", "Key ent (...6789N) by rule: 1 (pc-2)"]
    assert [(finding["object"], finding["blocks"]) for finding in decided["findings"]] == [("pc-4", False), ("pc-6", False)]
    assert decided.keys() - first.keys() == {"lines"} and first.keys() <= decided.keys()
    text = json.dumps(decided)
    assert KEY not in text and OTHER not in text
    ends = unassigned(decided["unassigned"])
    assert [(end.host, end.kind) for end in ends] == [("pc-6", "not_applicable")]
    assert numbers(ends, {}, {})["keys"] == {}
    assert [line.partition(":")[0] for line in summary(ends, {}, {}, {}, {}, check_mode=True)[1:]] == ["Not applicable"]


def test_office_needs_all_products_to_be_read_and_a_ring_without_rules_needs_nothing():
    assert by_rule.detail_for({**RULED, "office": {"key": KEY, "office": True}}) == "full"
    assert by_rule.detail_for({"win": {"key": KEY, "office": False}}) == by_rule.detail_for(None) == by_rule.detail_for([]) == ""


def test_in_a_collection_by_proxy_rules_give_keys_to_those_that_were_read():
    results: dict[str, Any] = {"listed": once({"kind": None, "computers": [], "to_read": HOSTS[1:]}, HOSTS), "places": once(PLACES, HOSTS)}

    def step(name: str, **more: Any) -> dict[str, Any]:
        given = asked(HOSTS, {**results, **more}, keys=GIVEN, ring=RULED)
        rings: Any = given.found.variables[RING]
        rings.update(dict.fromkeys(HOSTS, RULED))
        return STEPS[name](given)

    first = step("to_read")
    assert first["by_rule"] == dict.fromkeys(("pc-2", "pc-5", "pc-6"), "summary")
    decided = step("assign_by_rule", chosen=once(first, HOSTS), license=LICENSES)
    assert decided["assigned"] == {"pc-2": ["ent"], "pc-3": ["hand"], "pc-4": [], "pc-5": ["pro"], "pc-6": []}
    assert decided["lines"] == ["Key ent (...6789N) by rule: 1 (pc-2)", "Key pro (...7VCKF) by rule: 1 (pc-5)"]
    # A computer that was not read has what the step before gave.
    chosen = {**once(decided, HOSTS[1:]), "pc-1": first}
    plan = {
        host: {"results": [{"item": key, "applicable": True, "activated": False, "steps": []} for key in keys]}
        for host, keys in decided["assigned"].items()
    }
    found = step("collect_findings", chosen=chosen, license=LICENSES, plan=plan)
    assert (found["stop"], found["due"]) == ("", HOSTS[1:])
    assert [line for line in found["findings"] if "pc-6" in line and "No entry of volume_activation_mak_ring" in line]
    made = {
        host: {"results": [{"item": key, "applicable": False, "reason": "x"} for key in keys]} for host, keys in decided["assigned"].items()
    }
    ended = step("collect_summary", chosen=chosen, license=LICENSES, plan=plan, made=made, saved=once({}, HOSTS), exported={})
    assert ended["numbers"]["mak_proxy_collect"]["not_applicable"] == 5
    assert any("No entry of volume_activation_mak_ring is for" in line for line in ended["summary"])
