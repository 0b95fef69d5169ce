# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run over reference computers finds before, whom it generalizes, and what it says in the end."""

from __future__ import annotations

from typing import Any

import error_catalogue
import pytest
from unit import timing

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.text import visible_lines
from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing import given_keys
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs import image
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.image import ReferenceComputer
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.registered import Registered
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.said import said_of

pytestmark = pytest.mark.tier("quick")

HOST = "ref-1"
LICENSE = {"operating_system": {"caption": "Windows 11 Enterprise", "server": False}}
CLIENT = {"activation": {"state": "licensed", "kms_host": "kms-1.contoso.com", "kms_port": 1688}}


def sealing(state: str = "GENERALIZE_RESEAL_TO_OOBE", ending: str = "quit", rearms: int = 2, **more: Any) -> dict[str, Any]:
    sealed = state.startswith("GENERALIZE")
    found = {
        "image_state": {"state": f"IMAGE_STATE_{state}"},
        "generalized": sealed,
        "ending": ending,
        "rearms": rearms,
        "skip_rearm": False,
    }
    return {**found, "changed": True, **more}


# The computer went down while its state was still that of a run under way.
UNSEEN = {**sealing(ending="no_longer_answers", rearms=3), "image_state": {"state": None}, "generalized": None}
CHECKED = sealing("COMPLETE", "none", 3)


def computer(**results: Any) -> ReferenceComputer:
    known = {"license": LICENSE, "sealing_check": CHECKED, "client_check": {}, "client": CLIENT, "sealing": sealing(), **results}
    found = Registered([HOST], {name: {HOST: result} for name, result in known.items()})
    return image.references(found)[0]


def findings(mak: str = "", **results: Any) -> list[tuple[str, bool]]:
    refusal = given_keys.complaint(mak, "reference_image_mak", given_keys.MAK) if mak else ""
    return [(entry.text, entry.blocks) for entry in image.findings([computer(**results)], {HOST: refusal})]


def summary(mak: bool = False, check_mode: bool = False, **results: Any) -> list[str]:
    return visible_lines(image.summary([computer(**results)], mak, check_mode))


SETUP_KEY = "NPPR9-FWDCX-D2C8J-H872K-2YT43"
QUIET = {"sealing_check": {"generalized": False}}
SERVER = {"operating_system": {"caption": "Windows Server 2022", "server": True}}
FOUND: dict[str, tuple[dict[str, Any], bool]] = {
    "a reference computer that was not asked": ({"license": {}}, True),
    "a reference computer that is generalized already": ({"sealing_check": sealing(rearms=2)}, False),
    "a reference computer of which something could not be checked": ({"sealing_check": {"unreachable": True}}, True),
    "how many rearms there are": ({}, False),
    "a client setup key for the copies": ({"mak": SETUP_KEY, **QUIET}, True),
}
SAID: dict[str, tuple[dict[str, Any], int]] = {
    "an image that is sealed": ({}, 1),
    "an image to capture from a computer that runs": ({}, 2),
    "copies that ask a KMS host": ({}, 3),
    "servers that ask a KMS host": ({"license": SERVER}, 3),
    "copies with a MAK": ({"mak": True}, 3),
    "an image to capture from a computer that no longer answers": ({"sealing": sealing(ending="no_longer_answers", rearms=3)}, 2),
    "an image of a computer that no longer answers": ({"sealing": sealing(ending="no_longer_answers", rearms=3), "client": {}}, 1),
    "an image that was not seen at its end": ({"sealing": UNSEEN}, 1),
    "what copies keep of the client settings": ({}, 4),
    "an image to capture from a computer that should be down": ({"sealing": sealing(ending="still_answers")}, 2),
    "an image that could not be sealed": ({"sealing": {"failed": True, "msg": "sysprep has ended."}}, 1),
    "an image that would be sealed": ({"check_mode": True, "sealing": CHECKED}, 1),
}
NOBODY = "no reference computer in the play"
WRITTEN = error_catalogue.paired("What the role for reference computers finds and sums up", [*FOUND, *SAID, NOBODY])


@pytest.mark.parametrize("case", FOUND)
def test_each_finding_is_worded_as_the_catalogue_has_it(case: str):
    results, blocks = FOUND[case]
    assert findings(**results) == [(error_catalogue.said(WRITTEN[case]), blocks)]


@pytest.mark.parametrize("case", SAID)
def test_each_line_of_the_summary_is_worded_as_the_catalogue_has_it(case: str):
    results, place = SAID[case]
    assert summary(**results)[place] == error_catalogue.said(WRITTEN[case])


def test_a_play_without_computers_is_stopped():
    (found,) = image.findings([], {})
    assert (found.text, found.blocks) == (error_catalogue.said(WRITTEN[NOBODY]), True)
    assert said_of([found], only_blocking=False)["stop"].startswith(
        "Nothing was changed. 1 of 1 findings stand in the way: STOP  inventory  "
    )


def test_what_stands_in_the_way_is_passed_on_with_its_own_words():
    refused = {"error": {"code": ""}, "msg": "ref-1: no rearm is left."}
    assert findings(sealing_check=refused, client_check={"error": {}, "msg": "ref-1: an evaluation."}) == [
        ("ref-1: no rearm is left.", True),
        ("ref-1: an evaluation.", True),
    ]


def test_nothing_is_said_of_copies_where_there_will_be_none():
    assert len(summary(sealing={"failed": True, "msg": "sysprep has ended."})) == 2
    assert "check mode: nothing was changed" in summary(check_mode=True, sealing=CHECKED)[0]


COUNTED = {"activation": {"state": "counted", "message": "0xC004F038"}}
FAILED = {"failed": True, "msg": "ref-1: the key was refused."}
DARK = {"unreachable": True, "msg": "ref-1 does not answer."}


@pytest.mark.parametrize(
    ("results", "require_license", "said"),
    [
        ({}, True, ""),
        ({"client": FAILED}, True, FAILED["msg"]),
        ({"client": DARK}, True, DARK["msg"]),
        ({"client": COUNTED}, True, "ref-1 was counted by the KMS host, but not activated (0xC004F038). Let more"),
        ({"client": COUNTED}, False, ""),
        ({"client": {"activation": {"state": "not_attempted"}}, "key_install": FAILED}, True, FAILED["msg"]),
        ({"client": CLIENT, "key_install": {"skipped": True}}, True, ""),
    ],
)
def test_who_could_not_be_activated_is_not_generalized_and_fails_in_the_end(results: dict[str, Any], require_license: bool, said: str):
    configured = computer(**{**results, "sealing": {}})
    assert image.ready([configured], require_license) == ([] if said else [HOST])
    told = image.failures([configured], require_license)
    assert list(told) == ([HOST] if said else []) and told.get(HOST, "").startswith(said)


@pytest.mark.parametrize("came_of_it", [{"failed": True, "msg": "sysprep has ended."}, DARK])
def test_who_could_not_be_sealed_fails_in_the_end_with_its_own_sentence(came_of_it: dict[str, Any]):
    assert image.failures([computer(sealing=came_of_it)], True) == {HOST: came_of_it["msg"]}


def test_who_is_sealed_already_passes_no_later_task():
    sealed = computer(sealing_check=sealing("GENERALIZE_RESEAL_TO_OOBE", "none", changed=False), client={}, sealing={})
    assert image.due([sealed, computer()]) == [HOST]
    assert (image.due([sealed]), image.ready([sealed], True), image.failures([sealed], True)) == ([], [], {})
    assert image.numbers([sealed, computer(sealing=FAILED)]) == {"sealed": 1, "unseen": 0, "computers": 2}
    assert image.summary([sealed], False, True)[1] == "ref-1 (Windows 11 Enterprise): IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE, rearms 2 -> 2"


def test_an_image_that_nobody_saw_at_its_end_is_neither_counted_as_sealed_nor_as_lost():
    lines = summary(sealing=UNSEEN)
    assert "UNDEPLOYABLE" not in "".join(lines)
    assert lines[3].startswith("Each copy makes a client machine ID")
    assert image.failures([computer(sealing=UNSEEN)], True) == {}
    assert image.numbers([computer(sealing=UNSEEN), computer()]) == {"sealed": 1, "unseen": 1, "computers": 2}


def test_of_copies_that_have_no_host_caching_nothing_is_said_of_it():
    vista = {"operating_system": {"caption": "Windows Vista Enterprise", "server": False, "build": 6002}}
    assert len(summary(license=vista)) == len(summary(mak=True)) == len(summary()) - 1


@pytest.mark.parametrize(
    ("build", "known"),
    [("6003", []), ("7601", ["host_caching"]), ("9200", ["host_caching", "lookup_domain"]), (None, ["host_caching", "lookup_domain"])],
)
def test_older_windows_are_spared_settings_that_they_do_not_have(build: str | None, known: list[str]):
    assert image.settings_of({"operating_system": {"build": build}}) == known


@pytest.mark.tier("test")
def test_growth_is_linear_up_to_ten_thousand():
    def run(hosts: list[str]) -> None:
        known = {"license": LICENSE, "sealing_check": CHECKED, "client": CLIENT, "sealing": FAILED}
        computers = image.references(Registered(hosts, {name: dict.fromkeys(hosts, result) for name, result in known.items()}))
        said_of(image.findings(computers, dict.fromkeys(hosts, "It is no MAK.")), only_blocking=False)
        assert image.ready(computers, True) == []
        assert list(image.failures(computers, True)) == image.due(computers) == hosts
        image.summary(computers, False, False)

    assert timing.is_linear(run, lambda size: [f"ref-{number}" for number in range(size)], 5_000)
