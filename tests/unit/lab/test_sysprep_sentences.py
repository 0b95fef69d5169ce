# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module sysprep says on simulated machines: what stands in the way, what fails, and what people should know."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import error_catalogue
import pytest
from unit.lab.sysprep_run import GENERALIZED, PACKAGE, changes, computer, seal, set_state, state
from unit.lab.windows_fakes import FakeDomain, install, registry

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import UnknownOutcome
from lab.windows import data
from lab.windows.host import Host
from lab.windows.sysprep import PENDING_REBOOTS, STATUS
from lab.wsman.request_log import Entry

pytestmark = pytest.mark.tier("test")

SPP = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform"


@pytest.fixture
def domain(domain_in_real_time: FakeDomain) -> FakeDomain:
    """Machines whose time really passes."""
    return domain_in_real_time


def running(domain: FakeDomain) -> Host:
    host = computer(domain, sysprep=60)
    with pytest.raises(StepFailed):
        seal(host, timeout=0.1)
    return host


def pending(domain: FakeDomain) -> Host:
    host = computer(domain)
    registry(host, "CreateKey", PENDING_REBOOTS[1])
    return host


def in_state(text: str) -> Callable[[FakeDomain], Host]:
    def make(domain: FakeDomain) -> Host:
        host = computer(domain)
        set_state(host, text)
        return host

    return make


def blocked(domain: FakeDomain) -> Host:
    # The seed decides how the refusal shows itself; 0 is "access denied".
    return computer(domain, "pc-000", blocks_process_creation=True)


def kms_host(domain: FakeDomain) -> Host:
    host = computer(domain, profile="server_2022_standard")
    install(host, data.key_named("csvlk_2022").key)
    return host


def with_number(domain: FakeDomain, number: int) -> Host:
    host = computer(domain)
    registry(host, "SetDWORDValue", STATUS, "GeneralizationState", uValue=number)
    return host


def stubborn(domain: FakeDomain) -> Host:
    host = computer(domain)
    host.sysprep._go_down = lambda _up: None
    return host


REFUSED: dict[str, tuple[Callable[[FakeDomain], Host], dict[str, Any]]] = {
    "sysprep is at work already": (running, {}),
    "an image of which sysprep was not finished": (in_state("IMAGE_STATE_UNDEPLOYABLE"), {}),
    "an image that is sealed for something else": (in_state("IMAGE_STATE_GENERALIZE_RESEAL_TO_AUDIT"), {}),
    "an image whose state is not written down": (in_state(""), {}),
    "a mode that an old Windows does not know": (lambda domain: computer(domain, profile="windows_7_enterprise"), {"mode_vm": True}),
    "a domain member that is to be generalized": (lambda domain: computer(domain, domain="contoso.com"), {}),
    "updates that wait for a restart": (pending, {}),
    "no rearm left": (lambda domain: computer(domain, rearms=0), {}),
    "app packages of a user": (lambda domain: computer(domain, user_packages=(PACKAGE, "B_1__p", "C_1__p", "D_1__p")), {}),
}
FAILED: dict[str, tuple[Callable[[FakeDomain], Host], dict[str, Any]]] = {
    "sysprep stops at a package": (lambda domain: computer(domain, user_packages=(PACKAGE,)), {"allow_user_packages": True}),
    "sysprep breaks off in the middle": (lambda domain: computer(domain, profile="windows_7_enterprise", sysprep_fails=True), {}),
    "sysprep takes too long": (lambda domain: computer(domain, sysprep=60), {"timeout": 0.1}),
    "a domain member that lets its account in no more": (
        lambda domain: computer(domain, domain="contoso.com", sysprep=0.1),
        {"allow_domain_member": True, "user": r"CONTOSO\svc-winrm"},
    ),
}
LOST, FORBIDDEN, UNREAD = "the answer to the start of sysprep is lost", "the host forbids sysprep", "rearms that cannot be read afterwards"
WARNED = {
    "an image that is sealed already is to be shut down": (in_state(GENERALIZED), {"finish": "shutdown"}),
    "an image that is not generalized": (computer, {"generalize": False}),
    "a KMS host as reference computer": (kms_host, {}),
    "an earlier run may have failed": (lambda domain: with_number(domain, 3), {"check_mode": True}),
    "SkipRearm is set": (computer, {"skip_rearm": True}),
    "no rearm left, and that is allowed": (lambda domain: computer(domain, rearms=0), {"allow_rearm_exhausted": True}),
    "an image that was not seen to its end": (lambda domain: computer(domain, sysprep=0.2), {"finish": "shutdown", "poll": 0.6}),
    "a computer that does not go down": (stubborn, {"finish": "shutdown", "timeout": 0.2}),
}
WRITTEN = error_catalogue.paired("Sealing an image", [*REFUSED, *FAILED, *WARNED, LOST, FORBIDDEN, UNREAD])


@pytest.mark.parametrize("case", REFUSED)
def test_what_stands_in_the_way_is_said_before_anything_changes(domain: FakeDomain, case: str):
    make, wish = REFUSED[case]
    host = make(domain)
    before = host.snapshot_state()
    for check_mode in (True, False):
        with pytest.raises(ActivationError) as caught:
            seal(host, check_mode=check_mode, **wish)
        says = re.sub(r"process \d+", "process 4004", caught.value.message)
        assert {**error_catalogue.shown(caught.value), "says": says} == error_catalogue.expected(WRITTEN[case], caught.value)
    after = host.snapshot_state()
    assert [after[name] for name in ("processes", "image_state", "registry")] == [
        before[name] for name in ("processes", "image_state", "registry")
    ]


@pytest.mark.parametrize("case", FAILED)
def test_a_run_that_fails_names_the_logs_and_what_is_left(domain: FakeDomain, case: str):
    make, wish = FAILED[case]
    host = make(domain)
    with pytest.raises((ActivationError, StepFailed)) as caught:
        seal(host, **wish)
    failure = caught.value
    cause = failure.__cause__ if isinstance(failure, StepFailed) else failure
    assert isinstance(cause, ActivationError)
    assert error_catalogue.shown(cause) == error_catalogue.expected(WRITTEN[case], cause)
    # Where anything may have changed, the result says so.
    assert isinstance(failure, StepFailed) is (state(host) != "IMAGE_STATE_COMPLETE")


@pytest.mark.parametrize("case", WARNED)
def test_what_people_should_know_is_a_warning(domain: FakeDomain, case: str):
    make, wish = WARNED[case]
    host = make(domain)
    assert seal(host, **wish).warnings == [error_catalogue.said(WRITTEN[case])]


def test_a_lost_answer_is_judged_by_the_registry(domain: FakeDomain):
    class Loses:
        """Loses the answer to Create: after the work, or instead of it."""

        def __init__(self, works: bool) -> None:
            self.works = works

        def __call__(self, entry: Entry) -> None:
            if entry.action == "Invoke:Create" and not self.works:
                raise UnknownOutcome("the connection broke", source="wsman")

    host = computer(domain)
    with pytest.raises(ActivationError) as caught:
        seal(host, intercept=Loses(works=False))
    assert error_catalogue.shown(caught.value) == error_catalogue.expected(WRITTEN[LOST], caught.value)
    assert state(host) == "IMAGE_STATE_COMPLETE"


def test_a_host_that_forbids_processes_says_so_and_how_else(domain: FakeDomain):
    host = blocked(domain)
    host.processes._refusal = 2
    with pytest.raises(ActivationError) as caught:
        seal(host)
    assert error_catalogue.shown(caught.value) == error_catalogue.expected(WRITTEN[FORBIDDEN], caught.value)
    assert seal(host, check_mode=True).steps
    # SkipRearm was set before, and stays.
    with pytest.raises(StepFailed) as failed:
        seal(host, skip_rearm=True)
    assert [step.attribute for step in failed.value.done] == ["SkipRearm"]


def test_rearms_that_cannot_be_read_afterwards_undo_nothing(domain: FakeDomain):
    host = computer(domain)

    def intercept(entry: Entry) -> None:
        if state(host) == GENERALIZED and "SoftwareLicensingService" in entry.query:
            raise UnknownOutcome("the connection broke", source="wsman")

    done = seal(host, intercept=intercept)
    assert done.result["rearms"] == 3
    (warning,) = done.warnings
    assert warning.startswith(error_catalogue.said(WRITTEN[UNREAD]).partition("…")[0])


def test_skiprearm_is_set_and_removed_and_spends_nothing(domain: FakeDomain):
    host = computer(domain)
    done = seal(host, skip_rearm=True)
    assert changes(done)[0] == ("SkipRearm", None, 1)
    assert (done.result["skip_rearm"], done.result["rearms"]) == (True, 3)
    host.reboot()
    assert seal(host, check_mode=True).warnings == [error_catalogue.said(WRITTEN["SkipRearm is set"])]
    assert [step.attribute for step in seal(host, check_mode=True, skip_rearm=True).steps] == ["image state"]
    done = seal(host, skip_rearm=False)
    assert (changes(done)[0], done.warnings, done.result["rearms"]) == (("SkipRearm", 1, None), [], 2)
    assert registry(host, "GetDWORDValue", SPP, "SkipRearm")["ReturnValue"] == 1
