# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings and summaries say what people need."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils import _report


def license_of(status: str = "licensed", channel: str = "csvlk", count: int | None = None, offset: float = 0.0):
    return {
        "windows": {"status": status, "channel": channel},
        "service": {"current_count": count},
        "operating_system": {"caption": "Windows Server 2022 Datacenter", "clock_offset": offset},
    }


def findings(licenses, kms_hosts=("kms-1",), clients=("pc-1",), *, key_given=True, checks=None):
    # The KMS host of the play is there and well, unless a test says otherwise.
    return _report.single_site_findings({"kms-1": license_of(), **licenses}, kms_hosts, clients, key_given, checks or {})


def test_nothing_to_find():
    assert findings({"kms-1": license_of(), "pc-1": license_of(channel="gvlk")}, checks={"DNS": {"records": []}}) == []


@pytest.mark.parametrize(("host", "blocks"), [("kms-1", True), ("pc-1", False)])
def test_only_a_kms_host_that_is_not_reached_stops_the_play(host: str, blocks: bool):
    found = findings({host: {"unreachable": True, "msg": "no connection"}})
    assert [(finding.object, finding.text, finding.blocks) for finding in found] == [(host, "no connection", blocks)]


@pytest.mark.parametrize(
    ("host", "offset", "blocks"),
    [("kms-1", 301, [True]), ("kms-1", -301, [True]), ("kms-1", 299, []), ("pc-1", 301, []), ("pc-1", 14401, [False])],
)
def test_clocks(host: str, offset: float, blocks: list[bool]):
    channel = "csvlk" if host == "kms-1" else "gvlk"
    assert [finding.blocks for finding in findings({host: license_of(channel=channel, offset=offset)})] == blocks


def test_a_host_can_be_kms_host_or_client_and_not_both():
    assert [finding.blocks for finding in findings({}, clients=("kms-1",))] == [True]


@pytest.mark.parametrize(("channel", "key_given", "blocks"), [("gvlk", False, [True]), ("gvlk", True, []), ("csvlk", False, [])])
def test_a_kms_host_needs_a_key_of_its_own_or_a_given_one(channel: str, key_given: bool, blocks: list[bool]):
    assert [finding.blocks for finding in findings({"kms-1": license_of(channel=channel)}, key_given=key_given)] == blocks


@pytest.mark.parametrize(("channel", "found"), [("gvlk", 0), ("mak", 1), ("retail", 1), ("csvlk", 1)])
def test_what_will_become_of_a_clients_key_is_said_and_stops_nothing(channel: str, found: int):
    assert [finding.blocks for finding in findings({"pc-1": license_of(channel=channel)})] == [False] * found


@pytest.mark.parametrize(("steps", "may_write", "found"), [([{}], False, 1), ([{}], True, 0), ([], False, 0)])
def test_an_account_that_may_not_change_the_group_stands_in_the_way(steps: list[dict[str, Any]], may_write: bool, found: int):
    seen = findings({}, checks={"group": {"steps": steps, "may_write": may_write, "warnings": ["It lacks CREATE_CHILD."]}})
    assert [(item.text, item.blocks) for item in seen if item.object == "group"] == [("It lacks CREATE_CHILD.", True)] * found


@pytest.mark.parametrize(("missing", "may_write", "found"), [(["write"], False, 1), (["write"], True, 0), ([], False, 0)])
def test_an_account_that_may_not_give_the_rights_is_told(missing: list[str], may_write: bool, found: int):
    seen = findings({}, checks={"record": {"missing": missing, "may_write": may_write}})
    assert [finding.blocks for finding in seen] == [False] * found


def test_foreign_values_and_the_owner_of_the_record_are_said():
    records = [{"target": "kms-1", "port": 1688}, {"target": "old.contoso.com", "port": 1688}]
    texts = [finding.text for finding in findings({}, checks={"DNS": {"records": records}, "record": {"owner": "OLD$"}})]
    assert ["old.contoso.com:1688" in texts[0], "OLD$" in texts[1], len(texts)] == [True, True, 2]


def test_an_evaluation_can_be_no_kms_host():
    assert [finding.blocks for finding in findings({"kms-1": license_of(channel="timebased")})] == [True]


def test_a_failed_check_stops_the_play_and_the_table_lists_it_first():
    found = findings({"pc-1": {"unreachable": True, "msg": "off"}}, checks={"DNS": {"error": {}, "msg": "no answer"}})
    lines = _report.table([finding.as_result() for finding in found])
    assert lines == ["STOP  DNS   no answer", "note  pc-1  off"]


def test_no_kms_host_at_all():
    found = findings({}, kms_hosts=("kms-9",))
    assert [finding.object for finding in found if finding.blocks] == ["inventory"]


CLIENTS = {
    "pc-1": {"license": license_of(), "client": {"activation": {"state": "licensed"}}},
    "pc-2": {"license": license_of(), "client": {"activation": {"state": "counted", "required_count": 25}}},
    "pc-3": {"license": {"unreachable": True, "msg": "off"}, "client": {}},
    "pc-4": {"license": license_of(), "client": {"failed": True, "msg": "0xC004F074"}},
}
HOSTS = {"kms-1": _report.KmsHostResults(license_of(count=None), license_of(count=12), "kms-1.contoso.com")}
ENDPOINTS = {
    "records": [{"target": "kms-1.contoso.com", "port": 1688, "priority": 0, "weight": 0}],
    "endpoints": [{"host": "kms-1.contoso.com", "port": 1688, "state": "answering"}],
}


def test_the_summary_names_who_waits_for_what_and_who_failed():
    text = "\n".join(_report.single_site_summary("contoso.com", HOSTS, CLIENTS, ENDPOINTS, "KMS_Hosts has read on it", False))
    assert "KMS host kms-1: licensed, answering, clients counted 0 -> 12" in text
    assert "kms-1.contoso.com:1688 (0 0); KMS_Hosts has read on it" in text
    assert "Clients: 1 of 4 licensed" in text
    for part in ("1 (pc-2)", "25 clients", "kms-1 12", "every two hours"):
        assert part in text
    assert "Not reached: 1 (pc-3)" in text
    assert "Failed: pc-4: 0xC004F074" in text
    assert "check mode" not in text


def test_the_counts_are_of_each_state():
    assert _report.single_site_counts(CLIENTS) == {"licensed": 1, "counted": 1, "failed": 1, "not_reached": 1, "planned": 0}


def test_many_names_are_cut():
    clients = {f"pc-{number}": CLIENTS["pc-2"] for number in range(9)}
    text = "\n".join(_report.single_site_summary("contoso.com", HOSTS, clients, ENDPOINTS, "KMS_Hosts has read on it", True))
    assert "and 4 more" in text
    assert "check mode: nothing was changed" in text
