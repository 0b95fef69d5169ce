# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated machines and Microsoft: installation IDs, confirmation IDs, a new image, other hardware, no way out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from unit.lab.batch_client import ask, field
from unit.lab.windows_fakes import FakeDomain, base, install, product

from lab.microsoft.server import microsoft_in_thread
from lab.windows import data
from lab.windows.host import Host
from lab.wsman.backend import WmiError

pytestmark = pytest.mark.tier("test")

MAK = "mak_win_enterprise"


def key(name: str) -> str:
    return data.key_named(name).key


def hresult(host: Host, method: str, **arguments: Any) -> str:
    """What a method of the product fails with; empty where it does not."""
    try:
        product(host, method, **arguments)
    except WmiError as error:
        return f"0x{error.hresult & 0xFFFFFFFF:08X}"
    return ""


def deposit(host: Host, confirmation_id: str) -> str:
    return hresult(host, "DepositOfflineConfirmationId", InstallationId=base(host)["OfflineInstallationId"], ConfirmationId=confirmation_id)


def with_mak(domain: FakeDomain, label: str, profile: str = "windows_11_enterprise", name: str = MAK, **options: Any) -> Host:
    host = domain.add(label, profile, **options)
    install(host, key(name))
    return host


def iid(host: Host) -> str:
    found: str = base(host)["OfflineInstallationId"]
    return found


def test_a_confirmation_id_fits_its_own_machine_only(domain: FakeDomain, tmp_path: Path) -> None:
    hosts = [with_mak(domain, f"pc-00{number}", internet=False) for number in (1, 2)]
    old = with_mak(domain, "pc-003", "windows_7_enterprise", "mak_win7_enterprise", internet=False)
    assert [len(iid(host)) for host in (*hosts, old)] == [63, 63, 54]
    with microsoft_in_thread(tmp_path, domain.microsoft) as service:
        rows: list[Mapping[str, Any]] = [base(host) for host in (*hosts, old)]
        given = [field(ask(service, 1, row["ProductKeyID"], row["OfflineInstallationId"]), "CID") for row in rows]
        mixed = ask(service, 1, rows[0]["ProductKeyID"], rows[2]["OfflineInstallationId"])
        assert field(mixed, "ErrorCode").lower() == "0x90"
    assert deposit(hosts[0], given[1]) == "0xC004F02C"
    assert hresult(hosts[0], "DepositOfflineConfirmationId", InstallationId=iid(hosts[1]), ConfirmationId=given[1]) == "0xC004F02C"
    assert base(hosts[0])["LicenseStatus"] == 5
    assert [deposit(host, answer) for host, answer in zip((*hosts, old), given, strict=True)] == ["", "", ""]
    assert [base(host)["LicenseStatus"] for host in (*hosts, old)] == [1, 1, 1]
    assert domain.microsoft.snapshot()[MAK]["remaining"] == 48


def test_a_new_image_on_the_same_hardware_takes_the_same_confirmation_id(domain: FakeDomain) -> None:
    host = with_mak(domain, "pc-001")
    before, cmid = iid(host), host.snapshot_state()["cmid"]
    answer = domain.microsoft.confirmation_id(before, base(host)["ProductKeyID"])
    assert deposit(host, answer) == ""
    host.reimage()
    state = host.snapshot_state()
    assert (state["up"], state["channel"], state["license_status"]) == (True, "Volume:GVLK", 5)
    assert state["cmid"] != cmid
    install(host, key(MAK))
    assert iid(host) == before and base(host)["LicenseStatus"] == 5
    assert deposit(host, answer) == "" and base(host)["LicenseStatus"] == 1
    assert domain.microsoft.snapshot()[MAK]["activations"] == 1


def test_a_new_image_without_a_key_or_on_other_hardware(domain: FakeDomain) -> None:
    host = with_mak(domain, "pc-001")
    before = iid(host)
    host.reimage(with_key=False)
    assert host.snapshot_state()["key"] is None and host.snapshot_state()["products"] == []
    host.reimage(same_hardware=False)
    install(host, key(MAK))
    assert iid(host) != before
    host.reset()
    install(host, key(MAK))
    assert iid(host) == before, "a reset gives the first hardware back"


def test_other_hardware_ends_the_activation(domain: FakeDomain) -> None:
    host = with_mak(domain, "pc-001")
    before = iid(host)
    answer = domain.microsoft.confirmation_id(before, base(host)["ProductKeyID"])
    assert deposit(host, answer) == ""
    host.change_hardware()
    assert (base(host)["LicenseStatus"], base(host)["LicenseStatusReason"]) == (5, 0xC004F00F)
    assert iid(host) != before and deposit(host, answer) == "0xC004F02C"
    assert 1040 in [event[0] for event in host.snapshot_state()["events"]]
    other = domain.microsoft.confirmation_id(iid(host), base(host)["ProductKeyID"])
    assert deposit(host, other) == "" and base(host)["LicenseStatus"] == 1


def test_no_way_out_has_two_faces_and_an_end(domain: FakeDomain) -> None:
    unknown = with_mak(domain, "pc-001", internet=False)
    silent = with_mak(domain, "pc-002", internet=False, internet_times_out=True)
    assert (hresult(unknown, "Activate"), hresult(silent, "Activate")) == ("0x80072EE7", "0x80072EE2")
    unknown.reaches_microsoft = True
    assert hresult(unknown, "Activate") == "" and base(unknown)["LicenseStatus"] == 1
    assert domain.microsoft.snapshot()[MAK]["remaining"] == 49


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("blocked", "0xC004C003"),
        ("invalid", "0xC004C001"),
        ("exhausted", "0xC004C020"),
        ("wrong_location", "0xC004C017"),
        ("wrong_type", "0xC004B100"),
        ("dmak_limit", "0xC004C021"),
        ("unlimited", ""),
        ("outage", ""),
    ],
)
def test_the_state_of_a_key_on_line(domain: FakeDomain, state: str, code: str) -> None:
    host = with_mak(domain, "pc-001")
    domain.microsoft.set_state(key(MAK), state)
    assert hresult(host, "Activate") == code
    assert base(host)["LicenseStatus"] == (5 if code else 1)


def test_only_known_keys_have_known_states(domain: FakeDomain) -> None:
    with pytest.raises(ValueError, match="no state tired; there are valid, unlimited"):
        domain.microsoft.set_state(key(MAK), "tired")
    with pytest.raises(KeyError):
        domain.microsoft.set_state("AAAAA-AAAAA-AAAAA-AAAAA-AAAAA", "valid")
    with pytest.raises(KeyError):
        domain.microsoft.set_remaining(key("csvlk_2022"), 3)
