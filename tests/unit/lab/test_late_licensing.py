# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing a key and activating when Windows answers w:TimedOut and goes on with the work, or loses its answer."""

from __future__ import annotations

import pytest
from unit.lab.in_process import InProcess, session_on
from unit.lab.windows_fakes import FakeDomain, install

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.setup import KmsHostSetup
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.state import KmsHostWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.spp import license_changes
from lab.windows import data
from lab.wsman.request_log import Entry
from lab.wsman.service import Service
from lab.wsman.tampering import Tampering

pytestmark = pytest.mark.tier("test")

KEY = data.key_named("csvlk_2022").key


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes a minute takes two seconds here."""
    monkeypatch.setattr(license_changes, "_AT_WORK_SECONDS", 2.0)
    monkeypatch.setattr(license_changes, "_AT_WORK_PAUSE", 0.1)


def late(method: str, pace: float) -> Service:
    """A service that gives up on a method, which is carried out later."""

    def intercept(entry: Entry) -> Tampering | None:
        return Tampering.of("timed_out", pace=pace) if entry.action == f"Invoke:{method}" else None

    return Service(intercept=intercept)


@pytest.mark.parametrize("method", ["InstallProductKey", "Activate"])
def test_what_windows_is_still_at_is_waited_for_and_not_repeated(domain: FakeDomain, method: str) -> None:
    session = session_on(domain.add("kms-1", "server_2022_standard", role="kms"), late(method, 0.5), "svc-winrm")
    made = KmsHostSetup(session, KmsHostWish(product_key=KEY, activate=True), check_mode=False)
    made.change()
    assert made.state.licensed
    assert isinstance(session.carrier, InProcess)
    assert session.carrier.actions.count(f"Invoke:{method}") == 1


def test_patience_with_an_activation_has_an_end_and_nothing_is_repeated(domain: FakeDomain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(license_changes, "_AT_WORK_SECONDS", 0.3)
    host = domain.add("kms-1", "server_2022_standard", role="kms")
    install(host, KEY)
    session = session_on(host, late("Activate", 5), "svc-winrm")
    with pytest.raises(StepFailed) as caught:
        KmsHostSetup(session, KmsHostWish(activate=True), check_mode=False).change()
    assert "it may still be at work. A second run reads the state" in str(caught.value.__cause__)
    assert isinstance(session.carrier, InProcess)
    assert session.carrier.actions.count("Invoke:Activate") == 1
