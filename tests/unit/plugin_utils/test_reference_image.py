# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role for reference computers finds before, and says in the end."""

from __future__ import annotations

from typing import Any

import error_catalogue
import pytest

from ansible_collections.winops.volume_activation.plugins.filter.product_key_facts import product_key_facts
from ansible_collections.winops.volume_activation.plugins.filter.reference_image import reference_image_findings, reference_image_summary

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


CHECKED = sealing("COMPLETE", "none", 3)


def world(**results: Any) -> dict[str, dict[str, Any]]:
    known = {"license": LICENSE, "sealing_check": CHECKED, "client_check": {}, "client": CLIENT, "sealing": sealing(), **results}
    return {HOST: {f"__reference_image_{name}": result for name, result in known.items()}}


def findings(**results: Any) -> list[tuple[str, bool]]:
    return [(entry["text"], entry["blocks"]) for entry in reference_image_findings(world(**results), [HOST])]


def summary(mak: bool = False, check_mode: bool = False, **results: Any) -> list[str]:
    return reference_image_summary(world(**results), [HOST], mak, check_mode)


SETUP_KEY = "NPPR9-FWDCX-D2C8J-H872K-2YT43"
QUIET = {"sealing_check": {"generalized": False}}
SERVER = {"operating_system": {"caption": "Windows Server 2022", "server": True}}
FOUND: dict[str, tuple[dict[str, Any], bool]] = {
    "a reference computer that was not asked": ({"license": {}}, True),
    "a reference computer that is generalized already": ({"sealing_check": sealing(rearms=2)}, False),
    "a reference computer of which something could not be looked at": ({"sealing_check": {"unreachable": True}}, True),
    "how many rearms there are": ({}, False),
    "a client setup key for the copies": ({"key": product_key_facts(SETUP_KEY, "reference_image_mak", "mak"), **QUIET}, True),
}
SAID: dict[str, tuple[dict[str, Any], int]] = {
    "an image that is sealed": ({}, 1),
    "an image to capture from a computer that runs": ({}, 2),
    "copies that ask a KMS host": ({}, 3),
    "servers that ask a KMS host": ({"license": SERVER}, 3),
    "copies with a MAK": ({"mak": True}, 3),
    "an image to capture from a computer that no longer answers": ({"sealing": sealing(ending="no_longer_answers", rearms=3)}, 2),
    "an image of a computer that no longer answers": ({"sealing": sealing(ending="no_longer_answers", rearms=3), "client": {}}, 1),
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
    (found,) = reference_image_findings({}, [])
    assert (found["text"], found["blocks"]) == (error_catalogue.said(WRITTEN[NOBODY]), True)


def test_what_stands_in_the_way_is_passed_on_with_its_own_words():
    refused = {"error": {"code": ""}, "msg": "ref-1: no rearm is left."}
    assert findings(sealing_check=refused, client_check={"error": {}, "msg": "ref-1: an evaluation."}) == [
        ("ref-1: no rearm is left.", True),
        ("ref-1: an evaluation.", True),
    ]


def test_nothing_is_said_of_copies_where_there_will_be_none():
    assert len(summary(sealing={"failed": True, "msg": "sysprep has ended."})) == 2
    assert "check mode: nothing was changed" in summary(check_mode=True, sealing=CHECKED)[0]
