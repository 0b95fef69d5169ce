# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings and summaries say what people need."""

from __future__ import annotations

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils import _report


def license_of(status: str = "licensed", channel: str = "csvlk", count: int | None = None, offset: float = 0.0):
    return {
        "windows": {"status": status, "channel": channel},
        "service": {"current_count": count},
        "operating_system": {"caption": "Windows Server 2022 Datacenter", "clock_offset": offset},
    }


def findings(licenses, kms_hosts=("kms-1",), checks=None):
    return _report.single_site_findings(licenses, kms_hosts, checks or {})


def test_nothing_to_find():
    assert findings({"kms-1": license_of(), "pc-1": license_of(channel="gvlk")}, checks={"DNS": {"records": []}}) == []


@pytest.mark.parametrize(("host", "blocks"), [("kms-1", True), ("pc-1", False)])
def test_only_a_kms_host_that_is_not_reached_stops_the_play(host: str, blocks: bool):
    found = findings({host: {"unreachable": True, "msg": "no connection"}})
    assert [(finding.object, finding.text, finding.blocks) for finding in found] == [(host, "no connection", blocks)]


@pytest.mark.parametrize(
    ("host", "offset", "found"), [("kms-1", 301, 1), ("kms-1", -301, 1), ("kms-1", 299, 0), ("pc-1", 301, 0), ("pc-1", 14401, 1)]
)
def test_clocks(host: str, offset: float, found: int):
    assert len(findings({host: license_of(channel="gvlk", offset=offset)})) == found


def test_an_evaluation_can_be_no_kms_host():
    assert [finding.blocks for finding in findings({"kms-1": license_of(channel="timebased")})] == [True]


def test_a_failed_check_stops_the_play_and_the_table_lists_it_first():
    found = findings({"pc-1": {"unreachable": True, "msg": "off"}}, checks={"DNS": {"error": {}, "msg": "no answer"}})
    lines = _report.table([finding.as_result() for finding in found])
    assert lines == ["STOP  DNS   no answer", "note  pc-1  off"]


def test_no_kms_host_at_all():
    assert [finding.object for finding in findings({}, kms_hosts=())] == ["inventory"]


CLIENTS = {
    "pc-1": {"license": license_of(), "client": {"activation": {"state": "licensed"}}},
    "pc-2": {"license": license_of(), "client": {"activation": {"state": "counted", "required_count": 25}}},
    "pc-3": {"license": {"unreachable": True, "msg": "off"}, "client": {}},
    "pc-4": {"license": license_of(), "client": {"failed": True, "msg": "0xC004F074"}},
}
HOSTS = {"kms-1": {"before": license_of(count=None), "after": license_of(count=12)}}
ENDPOINTS = {
    "records": [{"target": "kms-1", "port": 1688, "priority": 0, "weight": 0}],
    "endpoints": [{"host": "kms-1", "port": 1688, "state": "answering"}],
}


def test_the_summary_names_who_waits_for_what_and_who_failed():
    text = "\n".join(_report.single_site_summary("contoso.com", HOSTS, CLIENTS, ENDPOINTS, "KMS_Hosts", False))
    assert "KMS host kms-1: licensed, answering, clients counted 0 -> 12" in text
    assert "kms-1:1688 (0 0)" in text
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
    text = "\n".join(_report.single_site_summary("contoso.com", HOSTS, clients, ENDPOINTS, "KMS_Hosts", True))
    assert "and 4 more" in text
    assert "check mode: nothing was changed" in text
