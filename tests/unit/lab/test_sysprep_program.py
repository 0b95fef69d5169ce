# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sysprep.exe of a simulated machine, and copies of its disk."""

from __future__ import annotations

import time

import pytest
from unit.lab.windows_fakes import CIMV2, DOMAIN, FakeDomain, activate, base, create_process, registry, service_row

from lab.windows.host import Host
from lab.windows.sysprep import PENDING_REBOOTS, parse

pytestmark = pytest.mark.tier("test")

SYSPREP = r"C:\Windows\System32\Sysprep\sysprep.exe"
SPP = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform"
GENERALIZE = f"{SYSPREP} /generalize /oobe /quit /quiet"


def add(domain: FakeDomain, label: str = "pc-001", profile: str = "windows_10_enterprise", **options: object) -> Host:
    return domain.add(label, profile, **{"sysprep": 0, **options})


def run(host: Host, line: str = GENERALIZE) -> str:
    assert create_process(host, line) == 0
    state: str = host.snapshot_state()["image_state"]
    return state


def running(host: Host) -> int:
    return len(host.instances(CIMV2, "Win32_Process"))


@pytest.mark.parametrize(
    ("arguments", "state"),
    [
        ("/generalize /oobe /quit /quiet /mode:vm", "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE"),
        ("-generalize -audit -quit -quiet", "IMAGE_STATE_GENERALIZE_RESEAL_TO_AUDIT"),
        ("/oobe /quit /quiet", "IMAGE_STATE_SPECIALIZE_RESEAL_TO_OOBE"),
    ],
)
def test_the_image_is_sealed_as_the_command_line_says(domain: FakeDomain, arguments: str, state: str) -> None:
    host = add(domain)
    assert run(host, f"{SYSPREP} {arguments}") == state
    assert running(host) == 0


def test_it_is_seen_at_work(domain: FakeDomain) -> None:
    host = add(domain, sysprep=2)
    assert run(host) == "IMAGE_STATE_UNDEPLOYABLE"
    assert running(host) == 1
    deadline = time.monotonic() + 30
    while running(host) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert host.snapshot_state()["image_state"] == "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE"
    assert running(host) == 0


def test_it_lies_in_no_folder_of_the_search_path(domain: FakeDomain) -> None:
    assert create_process(add(domain), "sysprep.exe /generalize /oobe /quit /quiet") == 9


def test_an_old_windows_knows_no_mode_and_waits_for_a_click(domain: FakeDomain) -> None:
    seven = add(domain, profile="windows_7_enterprise")
    assert run(seven, f"{SYSPREP} /generalize /oobe /quit /mode:vm") == "IMAGE_STATE_COMPLETE"
    assert running(seven) == 1
    assert parse(["/generalize", "/oobe", "/audit"]) is None
    assert parse(["/generalise", "/oobe"]) is None


def test_a_package_of_one_user_and_a_pending_restart_stand_in_the_way(domain: FakeDomain) -> None:
    host = add(domain, user_packages=("Fabrikam.Notes_1.0.0.0_x64__abcdefghjkmnp",))
    assert run(host) == "IMAGE_STATE_COMPLETE"
    assert "Fabrikam.Notes" in host.snapshot_state()["sysprep_log"][0]
    other = add(domain, "pc-002")
    registry(other, "CreateKey", PENDING_REBOOTS[0])
    assert run(other) == "IMAGE_STATE_COMPLETE"
    assert other.snapshot_state()["rearms"] == 3


def test_a_run_that_breaks_off_leaves_an_image_that_is_of_no_use(domain: FakeDomain) -> None:
    host = add(domain, sysprep_fails=True)
    assert run(host) == "IMAGE_STATE_UNDEPLOYABLE"
    assert run(host) == "IMAGE_STATE_UNDEPLOYABLE"
    assert "invalid state" in host.snapshot_state()["sysprep_log"][1]


def test_a_generalized_computer_has_left_its_domain_and_spent_a_rearm(domain: FakeDomain) -> None:
    host = add(domain)
    run(host)
    assert host.snapshot_state()["rearms"] == 2
    assert host.instances(CIMV2, "Win32_ComputerSystem")[0]["PartOfDomain"] is False
    assert not host.trusts(r"CONTOSO\svc-winrm")


@pytest.mark.parametrize(("rearms", "skip", "left", "renewed"), [(3, 0, 2, True), (3, 1, 3, False), (0, 0, 0, False), (0, 1, 0, False)])
def test_the_cmid_is_a_new_one_only_where_a_rearm_was_spent(domain: FakeDomain, rearms: int, skip: int, left: int, renewed: bool) -> None:
    host = add(domain, rearms=rearms)
    registry(host, "SetDWORDValue", SPP, "SkipRearm", uValue=skip)
    before = service_row(host)["ClientMachineID"]
    assert run(host) == "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE"
    assert service_row(host)["ClientMachineID"] == before
    host.reboot()
    assert host.snapshot_state()["image_state"] == "IMAGE_STATE_COMPLETE"
    assert (service_row(host)["ClientMachineID"] != before) is renewed
    assert service_row(host)["RemainingWindowsReArmCount"] == left


@pytest.mark.parametrize("generalized", [True, False])
def test_copies_have_a_cmid_of_their_own_if_the_source_was_generalized(domain: FakeDomain, generalized: bool) -> None:
    kms = domain.add_kms_host()
    source = add(domain, profile="windows_11_enterprise")
    copies = [add(domain, f"pc-10{number}") for number in range(3)]
    registry(source, "CreateKey", r"SOFTWARE\Contoso")
    registry(source, "SetStringValue", r"SOFTWARE\Contoso", "Image", sValue="7")
    if generalized:
        run(source)
    for copy in copies:
        copy.become_copy(source)
    ids = {service_row(copy)["ClientMachineID"] for copy in copies}
    assert len(ids) == (3 if generalized else 1)
    assert (service_row(source)["ClientMachineID"] in ids) is not generalized
    for copy in copies:
        with pytest.raises(Exception, match="0xC004F038"):
            activate(copy)
        assert base(copy)["ID"] == base(source)["ID"]
        assert copy.registry.data(r"SOFTWARE\Contoso", "Image") == "7"
        assert copy.spec.dns_name.endswith(DOMAIN)
        assert copy.spec.dns_name != source.spec.dns_name
        assert copy.snapshot_state()["image_state"] == "IMAGE_STATE_COMPLETE"
    assert kms.snapshot_state()["count"] == len(ids)


def test_reset_undoes_a_copy(domain: FakeDomain) -> None:
    source, host = add(domain, profile="windows_11_enterprise"), add(domain, "pc-002")
    before = service_row(host)["ClientMachineID"]
    host.become_copy(source)
    host.reset()
    assert (host.spec.profile, service_row(host)["ClientMachineID"]) == ("windows_10_enterprise", before)
