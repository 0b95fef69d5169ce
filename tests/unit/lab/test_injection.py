# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults by rule: which requests are hit."""

from __future__ import annotations

from typing import Any

import pytest

from lab.injection import Injector
from lab.wsman.request_log import Entry

pytestmark = pytest.mark.tier("test")

ACTIVATE = Entry(host="kms-1.contoso.com", action="Invoke:Activate", resource="SoftwareLicensingProduct")
QUERY = Entry(host="pc-001.contoso.com", action="Enumerate", resource="*", query="select ID from SoftwareLicensingProduct")


def hits(entry: Entry, requests: int = 6, **rule: Any) -> list[bool]:
    injector = Injector()
    injector.add({"fault": "http_400", **rule})
    found = [injector(entry) is not None for _number in range(requests)]
    assert injector.hits() == [sum(found)]
    return found


def test_the_nth_request_by_host_class_method_and_query():
    assert hits(ACTIVATE, skip=2) == [False, False, True, False, False, False]
    assert hits(ACTIVATE, skip=1, times=2, host="KMS-1.*", action="invoke:*", resource="*Product") == [
        False,
        True,
        True,
        False,
        False,
        False,
    ]
    assert hits(ACTIVATE, host="kms-2*") == hits(QUERY, query="from SoftwareLicensingService") == [False] * 6
    assert hits(QUERY, query="FROM softwarelicensingproduct")[0]


def test_a_probability_is_diced_by_its_seed():
    first = hits(ACTIVATE, 50, times=0, probability=0.3, seed=7)
    assert first == hits(ACTIVATE, 50, times=0, probability=0.3, seed=7)
    assert first != hits(ACTIVATE, 50, times=0, probability=0.3, seed=8)
    assert 5 <= sum(first) <= 25


@pytest.mark.parametrize(("fault", "done"), [("reset", False), ("http_500", False), ("quota", False), ("half", True), ("timed_out", True)])
def test_whether_the_work_is_done_goes_with_the_fault_unless_said_otherwise(fault: str, done: bool):
    for said in (None, True, False):
        injector = Injector()
        injector.add({"fault": fault, "done": said})
        assert injector(ACTIVATE).done is (done if said is None else said)


def test_a_fault_that_is_none_is_refused():
    with pytest.raises(ValueError, match="no fault flood; there are reset"):
        Injector().add({"fault": "flood"})


def test_refused_hosts_are_named_by_pattern_and_hit_no_request():
    injector = Injector()
    injector.add({"fault": "refused", "host": "kms-*"})
    assert injector.refused({"kms-1.contoso.com": "127.0.1.1", "pc-001.contoso.com": "127.0.2.1"}) == ["127.0.1.1"]
    assert injector(ACTIVATE) is None
