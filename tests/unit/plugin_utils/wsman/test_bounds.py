# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A query of a host that has no end: each bound is kept, the host is told, and what is read takes linear time."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable
from typing import Any

import error_catalogue
import pytest
from unit.timing import is_linear

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman import bounds
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman import namespaces as ns
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.cim import CimClass
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session

pytestmark = pytest.mark.tier("quick")

THING = CimClass("Win32_Thing", properties={"Name": "string", "Names": "string[]"})
ROW = "<w:XmlFragment><Name>{}</Name></w:XmlFragment>"


class Endless:
    """A carrier that gives a page to each request, in which there is always one more; C(page) makes it from its number."""

    endpoint = "http://kms-1:5985/wsman"

    def __init__(self, page: Callable[[int], str], last: int = 10**9, context: str = "uuid:1") -> None:
        self.page = page
        self.last = last
        self.context = context
        self.sent: list[str] = []

    def send(self, message: bytes) -> bytes:
        request = message.decode()
        self.sent.append(re.search("<a:Action[^>]*>([^<]*)", request)[1].rpartition("/")[2])
        name, items = ("Enumerate", "w") if self.sent[-1] == "Enumerate" else ("Pull", "n")
        number = len(self.sent)
        end = f"<{items}:EndOfSequence/>" if number >= self.last else ""
        return (
            f'<s:Envelope xmlns:s="{ns.SOAP}" xmlns:a="{ns.ADDRESSING}" xmlns:w="{ns.WSMAN}" xmlns:n="{ns.ENUMERATION}"><s:Header>'
            f"<a:RelatesTo>{re.search('<a:MessageID>(.*?)</a:MessageID>', request)[1]}</a:RelatesTo></s:Header><s:Body><n:{name}Response>"
            f"<n:EnumerationContext>{self.context}</n:EnumerationContext><{items}:Items>{self.page(number)}</{items}:Items>{end}"
            f"</n:{name}Response></s:Body></s:Envelope>"
        ).encode()

    def reconnect(self) -> None:
        pass

    def close(self) -> None:
        pass


def rows(count: int, text: str = "x") -> Callable[[int], str]:
    page = ROW.format(text) * count
    return lambda _number: page


BOUNDS: dict[str, tuple[Any, int]] = {
    "a query with too many rows": (Endless(rows(2000)), 13),
    "a query with too many pages": (Endless(rows(1)), bounds.MAX_PAGES + 1),
    "a query with empty pages for ever": (Endless(rows(0)), bounds.MAX_EMPTY_PAGES + 1),
    "a query with too many bytes": (Endless(rows(16, "x" * 60_000)), 35),
    "a query with a property that is too long": (Endless(rows(1, "x" * (bounds.MAX_TEXT + 1))), 1),
    "a query with a context that is too long": (Endless(rows(1), context="x" * 2000), 1),
}
WRITTEN = error_catalogue.paired("Queries without end", [*BOUNDS, "a query that takes too long"])


@pytest.mark.tier("test")
@pytest.mark.parametrize("case", BOUNDS)
def test_each_bound_of_a_query_ends_it_in_a_sentence_and_the_host_is_told(case: str):
    host, pages = BOUNDS[case]
    with pytest.raises(ActivationError) as caught:
        Session(host, "kms-1").query(THING, ["Name", "Names"])
    assert error_catalogue.shown(caught.value) == error_catalogue.expected(WRITTEN[case], caught.value)
    # Where the context itself is refused there is nothing to release.
    release = ["Release"] if host.context == "uuid:1" else []
    assert host.sent == ["Enumerate", *["Pull"] * (pages - 1), *release]


@pytest.mark.tier("test")
def test_a_query_without_end_does_not_take_the_memory():
    tracemalloc.start()
    try:
        with pytest.raises(ActivationError, match="bytes"):
            Session(Endless(rows(16, "x" * 60_000)), "kms-1").query(THING, ["Name", "Names"])
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * bounds.MAX_QUERY_BYTES


def test_a_query_that_takes_too_long(monkeypatch: pytest.MonkeyPatch):
    now = 0.0

    def page(_number: int) -> str:
        nonlocal now
        now += 61
        return ROW.format("x")

    host = Endless(page)
    monkeypatch.setattr(bounds.QueryTally.__init__, "__defaults__", (lambda: now,))
    with pytest.raises(ActivationError) as caught:
        Session(host, "kms-1").query(THING, ["Name"])
    assert error_catalogue.shown(caught.value) == error_catalogue.expected(WRITTEN["a query that takes too long"], caught.value)
    assert host.sent == ["Enumerate", *["Pull"] * 9, "Release"]


def test_a_query_within_the_bounds_brings_every_row():
    host = Endless(rows(100), last=200)
    assert len(Session(host, "kms-1").query(THING, ["Name"])) == 20_000
    # Empty pages between others are none in a row.
    host = Endless(lambda number: ROW.format("x") if number % 10 == 0 else "", last=100)
    assert len(Session(host, "kms-1").query(THING, ["Name"])) == 10


def test_a_query_takes_linear_time():
    def ask(pages: int) -> None:
        assert len(Session(Endless(rows(250, "x" * 100), last=pages), "kms-1").query(THING, ["Name", "Names"])) == 250 * pages

    assert is_linear(ask, lambda pages: pages, 20)
