# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module sysprep on simulated machines: what it starts, and what it makes of what the registry says."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from unit.lab.sysprep_run import GENERALIZED, PACKAGE, changes, computer, seal, sealing, set_state, state
from unit.lab.windows_fakes import FakeDomain, registry, service_row

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.codes.code import http
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform.versions import (
    WINDOWS_7,
    WINDOWS_8,
    WindowsVersion,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.sysprep.refusals import SysprepRefusals, SysprepWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.carrier import HttpError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import UnknownOutcome
from lab.windows import power, sysprep
from lab.windows.sysprep import APPX_STORE
from lab.wsman.request_log import Entry

pytestmark = pytest.mark.tier("test")


@pytest.fixture
def domain(domain_in_real_time: FakeDomain) -> FakeDomain:
    """Machines whose time really passes."""
    return domain_in_real_time


@pytest.mark.parametrize("profile", ["windows_11_enterprise", "windows_7_enterprise", "server_2022_standard"])
def test_an_image_is_generalized_once(domain: FakeDomain, profile: str):
    host = computer(domain, profile=profile, sysprep=0.1)
    planned = seal(host, check_mode=True)
    assert host.snapshot_state()["processes"] == []
    done = seal(host)
    assert host.processes.instances() == []
    assert changes(done) == changes(planned) == [("image state", "IMAGE_STATE_COMPLETE", GENERALIZED)]
    assert host.snapshot_state()["processes"] == [r"C:\Windows\System32\Sysprep\sysprep.exe /generalize /oobe /quit /quiet"]
    assert state(host) == GENERALIZED
    result = done.result
    assert (result["ending"], result["generalized"], result["answers"], result["rearms"]) == ("quit", True, True, 2)
    assert planned.result["rearms"] == 3
    assert result["image_state"] == {"state": GENERALIZED, "generalization_state": 7, "cleanup_state": 2}
    assert result["client_machine_id"] == service_row(host)["ClientMachineID"]
    assert result["product"]["status"]
    (product,) = result["product_rearms"]
    assert product["rearms"] == (None if profile == "windows_7_enterprise" else 3)
    again, carrier = sealing(host)
    again.change()
    assert (again.steps, again.warnings, again.result["ending"]) == ([], [], "none")
    assert not carrier.asked("Invoke:Create")


def test_the_command_line_has_what_was_wished(domain: FakeDomain):
    host = computer(domain, profile="server_2022_standard")
    registry(host, "SetStringValue", r"SOFTWARE\Microsoft\Windows NT\CurrentVersion", "SystemRoot", sValue="D:\\Windows\\")
    task = seal(host, check_mode=True, target="audit", finish="shutdown", mode_vm=True, unattend=r"C:\My Files\a.xml")
    assert task.command == (
        r'D:\Windows\System32\Sysprep\sysprep.exe /generalize /audit /shutdown /quiet /mode:vm /unattend:"C:\My Files\a.xml"'
    )
    assert seal(host, check_mode=True, unattend=r"C:\a.xml").command.endswith(r" /unattend:C:\a.xml")


@pytest.mark.parametrize(("windows", "known"), [(WINDOWS_7, False), (WINDOWS_8, True), (WindowsVersion(6, 3), True)])
def test_the_first_windows_that_knows_mode_vm_is_windows_8(windows: WindowsVersion, known: bool):
    image = SimpleNamespace(state="IMAGE_STATE_COMPLETE", generalization_state=None)
    machine = SimpleNamespace(system=SimpleNamespace(windows=windows), image=image, running=())
    look = SysprepRefusals(SimpleNamespace(host="pc-1"), machine, SysprepWish(mode_vm=True, generalize=False), False, "").look
    if known:
        assert look()
        return
    with pytest.raises(ActivationError, match="mode_vm came with Windows 8"):
        look()


def test_a_computer_in_audit_mode_is_generalized_too(domain: FakeDomain):
    host = computer(domain)
    seal(host, generalize=False, target="audit")
    assert seal(host, generalize=False, target="audit").steps == []
    host.reboot()
    assert state(host) == "IMAGE_STATE_SPECIALIZE_RESEAL_TO_AUDIT"
    seal(host)
    assert state(host) == GENERALIZED


def test_a_member_leaves_its_domain_and_says_so_before(domain: FakeDomain):
    host = computer(domain, domain="contoso.com")
    planned = seal(host, check_mode=True, allow_domain_member=True)
    done = seal(host, allow_domain_member=True)
    assert changes(done) == changes(planned)
    assert ("domain", "contoso.com", None) in changes(done)
    assert host.snapshot_state()["member"] is False


class HeldTimer:
    """Stands for threading.Timer: it goes off when a test says so."""

    def __init__(self, _seconds: float, function: Callable[[], None]) -> None:
        self.function = function
        self.alive = False

    def start(self) -> None:
        self.alive = True

    def cancel(self) -> None:
        self.alive = False

    def is_alive(self) -> bool:
        return self.alive


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> list[HeldTimer]:
    """What the machine will do by itself, in the order in which it was begun."""
    begun: list[HeldTimer] = []

    def begin(seconds: float, function: Callable[[], None]) -> HeldTimer:
        begun.append(HeldTimer(seconds, function))
        return begun[-1]

    for module in (sysprep, power):
        monkeypatch.setattr(module, "threading", SimpleNamespace(Timer=begin))
    return begun


def go_off(timers: list[HeldTimer]) -> None:
    """The next one, if it was begun."""
    while timers:
        timer = timers.pop(0)
        if timer.alive:
            timer.alive = False
            timer.function()
            return


@pytest.mark.parametrize(("finish", "ending"), [("shutdown", "no_longer_answers"), ("reboot", "no_longer_answers")])
def test_a_computer_that_goes_down_no_longer_answers(domain: FakeDomain, timers: list[HeldTimer], finish: str, ending: str):
    host = computer(domain, sysprep=1)
    task, carrier = sealing(host, finish=finish)

    def intercept(entry: Entry) -> None:
        if entry.action == "Invoke:GetStringValue" and carrier.asked("Invoke:Create"):
            # It writes its state before one look, and is down at the next.
            go_off(timers)

    carrier.intercept = intercept
    task.change()
    assert (task.result["ending"], task.result["answers"], task.result["image_state"]["state"]) == (ending, False, GENERALIZED)
    assert task.warnings == []


def test_a_computer_that_goes_down_between_two_looks_is_not_said_to_be_what_it_was_before(domain: FakeDomain, timers: list[HeldTimer]):
    host = computer(domain, sysprep=1)
    task, carrier = sealing(host, finish="shutdown")
    looks = []

    def intercept(entry: Entry) -> None:
        if entry.action == "Invoke:GetStringValue" and carrier.asked("Invoke:Create"):
            looks.append(entry)
            if len(looks) == 2:
                # It writes its state and goes down at once.
                go_off(timers)
                go_off(timers)

    carrier.intercept = intercept
    task.change()
    assert state(host) == GENERALIZED
    assert task.result["ending"] == "no_longer_answers"
    assert (task.result["image_state"]["state"], task.result["generalized"]) == (None, None)
    (warning,) = task.warnings
    assert "last seen as IMAGE_STATE_UNDEPLOYABLE" in warning


def test_a_quick_restart_is_seen_by_the_time_of_the_start(domain: FakeDomain):
    host = computer(domain, sysprep=0.1, reboot=0.05)
    done = seal(host, finish="reboot", poll=0.5)
    assert (done.result["ending"], done.result["answers"]) == ("restarted", True)
    assert state(host) == "IMAGE_STATE_COMPLETE"


@pytest.mark.parametrize(
    ("lost", "looks"),
    [
        (UnknownOutcome("the connection broke", source="wsman"), 2),
        # It answers, and that as often as it likes.
        (HttpError("HTTP 500", 500), 5),
        (ActivationError("not let in", code=http(401), source="wsman", unreachable=True), 5),
    ],
)
def test_looks_that_fail_are_no_computer_that_is_down(domain: FakeDomain, timers: list[HeldTimer], lost: ActivationError, looks: int):
    host = computer(domain, sysprep=1)
    task, carrier = sealing(host, finish="shutdown")
    failed = []

    def intercept(entry: Entry) -> None:
        if "StdRegProv" in entry.resource and carrier.asked("Invoke:Create"):
            if len(failed) < most:
                failed.append(entry)
                raise lost
            if entry.action == "Invoke:GetStringValue":
                go_off(timers)

    # A read whose answer is lost is repeated once.
    most = looks * 2 if isinstance(lost, UnknownOutcome) else looks
    carrier.intercept = intercept
    task.change()
    assert (len(failed), task.result["ending"], task.warnings) == (most, "no_longer_answers", [])


def test_a_state_that_is_written_between_two_looks_counts(domain: FakeDomain):
    host = computer(domain, sysprep=60)
    task, carrier = sealing(host)

    def intercept(entry: Entry) -> None:
        if "Win32_Process" in entry.query and carrier.asked("Invoke:Create"):
            host.sysprep.cancel()
            host.processes._running.clear()
            set_state(host, GENERALIZED)

    carrier.intercept = intercept
    task.change()
    assert (task.result["ending"], task.result["generalized"]) == ("quit", True)


def test_without_rearms_skiprearm_is_a_way(domain: FakeDomain):
    host = computer(domain, rearms=0)
    assert seal(host, skip_rearm=True).result["generalized"]


def test_packages_that_all_have_and_libraries_stand_in_nobodys_way(domain: FakeDomain):
    host = computer(domain)
    registry(host, "CreateKey", rf"{APPX_STORE}\S-1-5-18\{PACKAGE}")
    assert seal(host, check_mode=True).steps
    old = computer(domain, "ref-7", profile="windows_7_enterprise", user_packages=(PACKAGE,))
    assert seal(old, check_mode=True).steps
