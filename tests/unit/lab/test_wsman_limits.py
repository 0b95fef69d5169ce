# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The limits of a WinRM service: pages, sizes, and how many operations one account may have under way; the collection stays below."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest
from unit.lab.fake_host import FakeHost
from unit.lab.in_process import InProcess, Seeded, seed_of, session_on

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman import envelope
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.cim import CimClass, Method
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session
from lab.wsman import service as lab_service
from lab.wsman.enumeration import EnumerationTable
from lab.wsman.operations import Operations
from lab.wsman.service import Service
from lab.wsman.variants import TOPICS

pytestmark = pytest.mark.tier("test")

OLD = "6.1.7601"
SERVICES = CimClass(
    "Win32_Service", {"Name": "string", "Description": "string", "ProcessId": "uint32"}, {"Slow": Method({"Seconds": "uint32"})}
)
MISTAKEN = CimClass("Win32_Service", {"Name": "uint32"})


class Held(Service):
    """A service whose clock the test moves."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.enumerations = EnumerationTable(lambda: self.now)
        self._operations = Operations(self.enumerations)


def begin(carrier: InProcess) -> bytes:
    """Start an enumeration of several rows, as a client that is killed then."""
    return carrier.send(envelope.enumerate_request(carrier.endpoint, CimClass("Win32_Service"), "select Name from Win32_Service").envelope)


def quota_reached(answer: bytes) -> bool:
    return b"2150859174" in answer


def test_an_old_host_refuses_the_sixteenth_operation_of_an_account() -> None:
    service = Held()
    carrier = InProcess(FakeHost(os_version=OLD), service)
    assert not any(quota_reached(begin(carrier)) for _number in range(15))
    answer = begin(carrier)
    assert quota_reached(answer)
    assert b":QuotaLimit<" in answer
    with pytest.raises(ActivationError, match=r"ERROR_WSMAN_QUOTA_MAX_OPERATIONS.*too many operations") as caught:
        Session(carrier, "kms-1").query(SERVICES, ["Name"])
    assert caught.value.shown_code == "0x803381A6"
    assert not quota_reached(begin(InProcess(FakeHost(os_version=OLD), service, "CONTOSO\\guest")))


def test_what_a_killed_client_left_expires_after_four_minutes() -> None:
    service = Held()
    carrier = InProcess(FakeHost(os_version=OLD), service)
    for _number in range(15):
        begin(carrier)
    service.now = 239
    assert quota_reached(begin(carrier))
    service.now = 240
    assert not quota_reached(begin(carrier))


def test_the_last_operation_allowed_can_be_brought_to_its_end() -> None:
    carrier = InProcess(FakeHost(os_version=OLD), Held())
    for _number in range(14):
        begin(carrier)
    for _number in range(5):
        assert len(Session(carrier, "kms-1").query(SERVICES, ["Name"])) == 3


@pytest.mark.parametrize("name", TOPICS["pages"].variants)
def test_queries_that_fail_leave_nothing_under_way(name: str) -> None:
    for os_version in (OLD, "10.0.20348"):
        service = Held()
        carrier = InProcess(Seeded(FakeHost(os_version=os_version, services=5), seed_of("pages", name)), service)
        for _number in range(20):
            with pytest.raises(ActivationError, match="Name does not fit its type"):
                Session(carrier, "kms-1").query(MISTAKEN, ["Name"])
        assert service.enumerations.count("127.0.0.1", "contoso\\svc") == 0


def test_an_operation_counts_until_its_provider_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client is told that time is over, and the method is still at work."""
    done = threading.Event()

    class Slow(FakeHost):
        def invoke(
            self, namespace: str, class_name: str, selectors: Mapping[str, str] | None, method: str, arguments: Mapping[str, Any]
        ) -> dict[str, Any]:
            done.wait(10)
            return {"ReturnValue": 0}

    service = lab_service.Service(max_timeout=0.05)
    carrier = InProcess(Slow(os_version=OLD), service)
    session = Session(carrier, "kms-1")
    for _number in range(15):
        with pytest.raises(ActivationError, match="longer than the 60 seconds"):
            session.invoke(SERVICES, "Slow", {"Seconds": 1}, {"Name": "svc001"})
    assert quota_reached(begin(carrier))
    done.set()
    for thread in threading.enumerate():
        if thread.name.endswith("Invoke:Slow"):
            thread.join()
    assert not quota_reached(begin(carrier))


@pytest.mark.parametrize(("os_version", "kilobytes"), [(OLD, 150), ("10.0.20348", 500)])
def test_many_pages_keep_to_the_size_that_both_sides_take(os_version: str, kilobytes: int) -> None:
    host = FakeHost(os_version=os_version, services=2500)
    for row in host.services.values():
        row["Description"] = "ä" * 250
    carrier = InProcess(host, Service())
    rows = Session(carrier, "kms-1").query(SERVICES, ["Name", "Description"])
    assert [row["Name"] for row in rows] == list(host.services)
    largest = max(map(len, carrier.answers))
    assert kilobytes * 512 < largest <= kilobytes * 1024
    assert largest <= envelope.MAX_ENVELOPE_SIZE
    assert carrier.actions[0] == "Enumerate"
    assert set(carrier.actions[1:]) == {"Pull"}


def test_a_row_that_no_page_can_hold_is_an_error_and_not_a_loss() -> None:
    host = FakeHost(os_version=OLD, services=3)
    host.services["svc001"]["Description"] = "x" * 200_000
    with pytest.raises(ActivationError, match="0x80338035"):
        session_on(host).query(SERVICES, ["Name", "Description"])
