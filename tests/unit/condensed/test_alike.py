# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Equal sentences about many hosts are said once."""

from __future__ import annotations

import pytest
from unit.timing import is_linear

from ansible_collections.winops.volume_activation.plugins.plugin_utils._condensed.alike import alike, failure_lines
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.finding import table

pytestmark = pytest.mark.tier("quick")


def silent(host: str, address: str = "") -> str:
    return f"{host}: http://{address or host}:5985/wsman did not take the connection within 10 s."


def test_hosts_that_differ_in_their_names_and_addresses_have_one_line():
    said = [("pc-1", silent("pc-1", "pc-1.contoso.com")), ("pc-2", silent("pc-2", "10.0.0.2")), ("pc-3", silent("pc-3", "[fe80::3]"))]
    assert [*failure_lines(said)] == ["Failed: 3 (pc-1, pc-2, pc-3): http://<host>:5985/wsman did not take the connection within 10 s."]


def test_one_host_keeps_its_sentence():
    assert [*failure_lines([("pc-1", silent("pc-1"))])] == [f"Failed: {silent('pc-1')}"]
    assert [*failure_lines([("pc-1", "It holds no key.")])] == ["Failed: pc-1: It holds no key."]


def test_two_reasons_of_one_host_are_two_lines_and_one_twice_is_one():
    said = [("pc-1", "It holds no key."), ("pc-1", "It holds no key."), ("pc-1", "It is off.")]
    assert [*alike(said)] == [(["pc-1"], "It holds no key."), (["pc-1"], "It is off.")]


def test_another_port_or_another_server_is_another_sentence():
    said = [
        ("pc-1", silent("pc-1")),
        ("pc-2", silent("pc-2").replace("5985", "5986")),
        ("pc-3", "ldap://dc-1 is silent."),
        ("pc-4", "ldap://dc-2 is silent."),
    ]
    assert [names for names, _text in alike(said)] == [["pc-1"], ["pc-2"], ["pc-3"], ["pc-4"]]


def test_findings_that_say_the_same_are_one_row_and_what_blocks_stays_apart():
    found = [{"object": f"pc-{number}", "text": silent(f"pc-{number}"), "blocks": number == 7} for number in range(9)]
    assert table(found) == [
        "STOP  pc-7                             pc-7: http://pc-7:5985/wsman did not take the connection within 10 s.",
        "note  8 (pc-0, pc-1, pc-2 and 5 more)  http://<host>:5985/wsman did not take the connection within 10 s.",
    ]


def test_time_is_linear():
    def work(failed: list[tuple[str, str]]) -> None:
        assert len([*failure_lines(failed)]) == 1

    assert is_linear(work, lambda size: [(f"pc-{number}", silent(f"pc-{number}")) for number in range(size)], 2000)
