# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Something that nobody knows is like nothing but itself: not in orders for MAKs, and not in findings."""

from __future__ import annotations

from typing import Any

import pytest
from unit.runs.test_kms_report import OLD_KEY, findings, system_of
from unit.runs.test_mak_orders import WIN, orders, pair, plan_of

from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak.pairs import Pair, PairState

pytestmark = pytest.mark.tier("quick")


def test_keys_of_which_nobody_knows_the_product_are_not_for_the_same_one():
    nobody = {key: {"host": "pc-9", "extended_pid": "", "activation_id": "", "name": ""} for key in ("win", "spare")}
    made = orders([pair("pc-1", plan_of("", installed=True)), pair("pc-1", plan_of(""), "spare")], products=nobody)
    assert made.hosts == {"pc-1": ["win", "spare"]}


@pytest.mark.parametrize(
    ("license_result", "converted"),
    [
        ({"windows": {"channel": "gvlk"}}, True),
        ({"windows": {"channel": "mak"}}, True),
        # Windows holds no key.
        ({"windows": None}, True),
        ({"windows": {"channel": "unknown"}}, False),
        ({"windows": {"channel": "oem"}}, False),
        # It could not be read.
        ({"failed": True, "msg": "pc-1: no answer."}, False),
    ],
)
def test_only_what_is_known_to_be_a_kms_client_is_converted(license_result: dict[str, Any], converted: bool):
    found = Pair("pc-1", "win", license_result, plan_of(WIN), clients_only=True)
    assert (found.state is PairState.OPEN) is converted


def test_computers_whose_windows_has_no_name_are_not_of_one_kind():
    nameless = system_of("", 20348, "ServerStandard", server=True)
    found = findings({"kms-1": OLD_KEY, "pc-1": nameless, "pc-2": nameless})
    assert [(entry.object, "No KMS host serves the Windows of" in entry.text) for entry in found] == [("pc-1", True), ("pc-2", True)]
