# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Product keys on a simulated machine: what installs where, and what Microsoft's side says.

Sources: docs/facts/slmgr.md#keys, docs/facts/errors.md#activation-service.
"""

from __future__ import annotations

import pytest
from unit.lab.windows_fakes import FakeDomain, activate, base, install, product, registry, service, service_row

from lab.windows import data
from lab.windows.identifiers import confirmation_id
from lab.wsman.backend import WmiError

pytestmark = pytest.mark.tier("test")

SPP = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform"
ALPHABET = "BCDFGHJKMNPQRTVWXY2346789-"


def key(name: str) -> str:
    return data.key_named(name).key


def test_lab_keys_have_the_form_of_a_key_and_differ_in_their_last_five() -> None:
    keys = list(data.keys())
    assert all(len(item) == 29 and set(item) <= set(ALPHABET) for item in keys)
    assert len({item[-5:] for item in keys}) == len(keys)


def test_every_profile_for_volume_licences_has_a_setup_key_and_sources_are_named() -> None:
    without = {name for name, profile in data.profiles().items() if not data.setup_key_of(profile)}
    assert without == {"windows_11_home", "windows_10_enterprise_eval", "server_2022_standard_eval"}
    assert all(row["source"] for row in data.table("hresults")["hresults"])
    assert all(row["source"] for row in data.table("keys")["lab_keys"])


@pytest.mark.parametrize(
    ("profile", "name", "code"),
    [
        ("server_2022_standard", "csvlk_2022", 0),
        ("server_2022_standard", "mak_server_2022_standard", 0),
        ("server_2022_standard", "mak_server_2022_datacenter", 0xC004F069),
        ("server_2022_standard", "csvlk_2025", 0xC004F050),
        ("server_2022_standard", "gvlk_windows_10_enterprise", 0xC004F050),
        ("server_2019_standard", "csvlk_2022", 0xC004F050),
        ("windows_11_pro", "gvlk_windows_10_enterprise", 0xC004F069),
        ("windows_11_enterprise", "gvlk_windows_10_enterprise", 0),
        ("windows_10_enterprise", "csvlk_client10", 0),
    ],
)
def test_a_key_installs_where_it_belongs(domain: FakeDomain, profile: str, name: str, code: int) -> None:
    host = domain.add("pc-001", profile)
    if code:
        with pytest.raises(WmiError) as caught:
            install(host, key(name))
        assert (caught.value.hresult, caught.value.kind) == (code, "provider")
        return
    install(host, key(name))
    assert base(host)["PartialProductKey"] == key(name)[-5:]


def test_a_newer_csvlk_installs_once_the_update_is_there(domain: FakeDomain) -> None:
    host = domain.add("kms-1", "server_2022_standard", has_updates=True)
    install(host, key("csvlk_2025"))
    assert base(host)["ProductKeyChannel"] == "Volume:CSVLK"


@pytest.mark.parametrize("text", ["", None, "KMH22", "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA", "KMH22-KMH22-KMH22-KMH22-KMH22"])
def test_what_is_no_key_is_invalid(domain: FakeDomain, text: str | None) -> None:
    host = domain.add("pc-001", "windows_11_enterprise")
    with pytest.raises(WmiError) as caught:
        service(host, "InstallProductKey", ProductKey=text)
    assert caught.value.hresult == 0xC004F050
    assert caught.value.text


def test_messages_are_in_the_language_of_the_machine(domain: FakeDomain) -> None:
    host = domain.add("pc-007", "windows_10_pro", language="de-DE")
    with pytest.raises(WmiError) as caught:
        install(host, "BBBBB-BBBBB-BBBBB-BBBBB-BBBBB")
    assert caught.value.text == data.message(0xC004F050, "de-DE") != data.message(0xC004F050, "en-US")


def test_a_base_key_replaces_the_other_and_an_addon_key_does_not(domain: FakeDomain) -> None:
    host = domain.add("pc-001", "windows_10_enterprise")
    before = base(host)["ID"]
    install(host, key("esu_windows_10_year_1"))
    rows = [row for row in host.instances("root/cimv2", "SoftwareLicensingProduct") if row["PartialProductKey"]]
    assert [row["LicenseIsAddon"] for row in rows] == [False, True]
    install(host, key("mak_win_enterprise"))
    assert base(host)["ID"] != before
    assert base(host)["ProductKeyChannel"] == "Volume:MAK"


def test_the_service_does_not_write_the_version_value(domain: FakeDomain) -> None:
    host = domain.add("kms-1", "server_2022_standard")
    install(host, key("csvlk_2022"))
    assert service_row(host)["IsKeyManagementServiceMachine"] == 1
    assert registry(host, "GetStringValue", SPP, "KeyManagementServiceVersion") == {"ReturnValue": 1}


def test_rows_have_every_property_and_null_without_a_key(domain: FakeDomain) -> None:
    host = domain.add("pc-001", "windows_11_enterprise")
    names = [item.name for item in host.cim_class("ROOT/CIMV2", "softwarelicensingproduct").properties]  # type: ignore[union-attr]
    for row in host.instances("root/cimv2", "SoftwareLicensingProduct"):
        assert list(row) == names
        assert (row["PartialProductKey"] is None) == (row["OfflineInstallationId"] is None) == (row["ProductKeyChannel"] is None)


def test_old_windows_lacks_newer_members(domain: FakeDomain) -> None:
    old = domain.add("pc-001", "windows_7_enterprise")
    new = domain.add("pc-002", "windows_11_enterprise")
    assert old.cim_class("root/cimv2", "SoftwareLicensingProduct").find_property("ProductKeyChannel") is None  # type: ignore[union-attr]
    assert new.cim_class("root/cimv2", "SoftwareLicensingService").find_property("SubscriptionType")  # type: ignore[union-attr]
    assert old.cim_class("root/StandardCimv2", "MSFT_NetFirewallRule") is None
    assert base(old)["LicenseStatus"] == 2
    assert base(new)["LicenseStatus"] == 5


@pytest.mark.parametrize(
    ("profile", "name", "code"),
    [
        ("server_2022_standard", "csvlk_2022_blocked", 0xC004C003),
        ("server_2022_standard", "csvlk_2022_exhausted", 0xC004C008),
        ("server_2022_standard", "csvlk_2022_wrong_location", 0xC004C017),
        ("windows_11_enterprise", "mak_win_enterprise_exhausted", 0xC004C020),
    ],
)
def test_microsoft_refuses(domain: FakeDomain, profile: str, name: str, code: int) -> None:
    host = domain.add("kms-1", profile)
    install(host, key(name))
    with pytest.raises(WmiError) as caught:
        activate(host)
    assert caught.value.hresult == code
    assert base(host)["LicenseStatus"] == 5
    assert base(host)["LicenseStatusReason"] == code


def test_a_csvlk_is_good_for_six_hosts_and_ten_activations_each(domain: FakeDomain) -> None:
    csvlk = key("csvlk_2022")
    for number in range(6):
        domain.microsoft.activate(csvlk, f"hardware {number}")
    host = domain.add("kms-7", "server_2022_standard")
    install(host, csvlk)
    with pytest.raises(WmiError) as caught:
        activate(host)
    assert caught.value.hresult == 0xC004C008
    for _number in range(9):
        domain.microsoft.activate(csvlk, "hardware 0")
    assert domain.microsoft.snapshot()["csvlk_2022"]["activations"] == 15
    with pytest.raises(Exception, match="0xC004C008"):
        domain.microsoft.activate(csvlk, "hardware 0")


def test_a_mak_counts_down_with_every_activation(domain: FakeDomain) -> None:
    host = domain.add("pc-001", "windows_11_enterprise")
    install(host, key("mak_win_enterprise"))
    activate(host)
    assert (base(host)["LicenseStatus"], base(host)["GracePeriodRemaining"]) == (1, 0)
    assert domain.microsoft.remaining(base(host)["ProductKeyID"]) == 49


def test_no_internet(domain: FakeDomain) -> None:
    host = domain.add("kms-1", "server_2022_standard", internet=False)
    install(host, key("csvlk_2022"))
    with pytest.raises(WmiError) as caught:
        activate(host)
    assert caught.value.hresult == 0x80072EE7


def test_a_confirmation_id_activates_the_machine_it_is_for(domain: FakeDomain) -> None:
    host = domain.add("pc-001", "windows_11_enterprise", internet=False)
    install(host, key("mak_win_enterprise"))
    row = base(host)
    assert len(row["OfflineInstallationId"]) == 63
    with pytest.raises(WmiError) as caught:
        product(host, "DepositOfflineConfirmationId", InstallationId=row["OfflineInstallationId"], ConfirmationId="1" * 48)
    assert caught.value.hresult == 0xC004F02C
    answer = domain.microsoft.confirmation_id(row["OfflineInstallationId"], row["ProductKeyID"])
    assert answer == confirmation_id(row["OfflineInstallationId"], row["ProductKeyID"])
    assert len(answer) == 48
    product(host, "DepositOfflineConfirmationId", InstallationId=row["OfflineInstallationId"], ConfirmationId=answer)
    assert base(host)["LicenseStatus"] == 1


def test_uninstall_then_nothing_to_activate(domain: FakeDomain) -> None:
    host = domain.add("pc-001", "windows_11_enterprise")
    selected = {"ID": base(host)["ID"]}
    host.invoke("root/cimv2", "SoftwareLicensingProduct", selected, "UninstallProductKey", {})
    with pytest.raises(WmiError) as caught:
        host.invoke("root/cimv2", "SoftwareLicensingProduct", selected, "Activate", {})
    assert caught.value.hresult == 0xC004F014


@pytest.mark.parametrize(("minutes", "code"), [(14, 0x80070057), (43201, 0x80070057), (15, 0), (43200, 0)])
def test_intervals_have_limits(domain: FakeDomain, minutes: int, code: int) -> None:
    host = domain.add("kms-1", "server_2022_standard")
    with pytest.raises(WmiError):
        service(host, "SetVLActivationInterval", ActivationInterval=120)
    install(host, key("csvlk_2022"))
    if code:
        with pytest.raises(WmiError) as caught:
            service(host, "SetVLActivationInterval", ActivationInterval=minutes)
        assert caught.value.hresult == code
    else:
        service(host, "SetVLActivationInterval", ActivationInterval=minutes)
        assert service_row(host)["VLActivationInterval"] == minutes
