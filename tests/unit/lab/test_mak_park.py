# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parks for MAKs: which machines there are, which of them take a MAK, and what the others say to it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from unit.lab.windows_fakes import CIMV2, FakeDomain, base, install

from lab import lifecycle, mak_inventory, names, park
from lab.windows import data
from lab.windows.factory import build_host
from lab.windows.host import Host
from lab.wsman.backend import WmiError

pytestmark = pytest.mark.tier("test")

MAK, ISOLATED = park.PARKS["mak"], park.PARKS["isolated"]
MACHINES = names.machines(MAK.client_count, MAK.server_count)
COMPUTERS = [machine for machine in MACHINES if machine.role != "kms"]


def groups(choice: park.Park, machines: list[names.Machine]) -> dict[str, list[str]]:
    return {name: list(group["hosts"]) for name, group in mak_inventory.groups(choice, machines).items()}


def built(domain: FakeDomain, machine: names.Machine, choice: park.Park = MAK) -> Host:
    (spec,) = park.specs(choice, [machine], ())
    host = build_host(spec, 1, domain, domain, domain.microsoft, clock=domain.clock)
    domain.hosts[spec.dns_name] = host
    host.start()
    return host


def code(host: Host, key: data.LabKey) -> str:
    try:
        install(host, key.key)
    except WmiError as error:
        return f"0x{error.hresult & 0xFFFFFFFF:08X}"
    return ""


def test_fifty_computers_of_mixed_editions() -> None:
    assert len(COMPUTERS) == 50
    found = groups(MAK, MACHINES)
    counts = {name: len(hosts) for name, hosts in found.items()}
    assert counts == {
        "mak_win_enterprise": 20,
        "mak_win_professional": 7,
        "mak_win7_enterprise": 3,
        "mak_win7_professional": 1,
        "mak_vista_enterprise": 2,
        "mak_server_2022_standard": 4,
        "mak_server_2022_datacenter": 1,
        "mak_server_2019_standard": 4,
        "not_for_mak": 8,
        "secure_zone": 3,
        "secure_zone_proxy": 3,
        "esu": 4,
        "office": 3,
    }
    by_key = [host for name, hosts in found.items() if name.startswith("mak_") or name == "not_for_mak" for host in hosts]
    assert Counter(by_key) == Counter(machine.fqdn for machine in COMPUTERS)


def test_each_takes_its_mak_and_the_others_have_no_licence_for_it(domain: FakeDomain) -> None:
    found = groups(MAK, MACHINES)
    maks = {
        "windows_11_pro": "mak_win_professional",
        "windows_11_home": "mak_win_professional",
        "windows_10_pro": "mak_win_professional",
        "windows_10_enterprise_eval": "mak_win_enterprise",
        "windows_7_professional": "mak_win7_professional",
        "server_2022_standard_eval": "mak_server_2022_standard",
    }
    for machine in COMPUTERS:
        host = built(domain, machine)
        if machine.fqdn in found["not_for_mak"]:
            assert code(host, data.key_named(maks[host.spec.profile])) == "0xC004F069", machine
            assert base(host)["LicenseStatus"] == 1, "and keeps its licence"
        else:
            key = park.mak_of(host.spec.profile)
            assert key is not None and machine.fqdn in found[key.name]
            assert code(host, key) == "", machine
            assert base(host)["Description"].endswith("VOLUME_MAK channel")


def test_a_key_of_another_generation_is_no_key_there(domain: FakeDomain) -> None:
    host = built(domain, next(machine for machine in COMPUTERS if MAK.profile(machine) == "windows_7_enterprise"))
    assert code(host, data.key_named("mak_win_enterprise")) == "0xC004F050"
    assert code(host, data.key_named("mak_win7_professional")) == "0xC004F069"


def test_what_comes_with_an_edition_shows(domain: FakeDomain) -> None:
    shown: dict[str, tuple[Any, ...]] = {}
    for machine in COMPUTERS:
        if groups(MAK, [machine])["not_for_mak" if not MAK.kind(machine).takes_mak else "esu"]:
            host = built(domain, machine)
            row = base(host)
            is_trial = row.get("EvaluationEndDate", domain.clock.now()) > domain.clock.now()
            shown[MAK.kind(machine).key or "esu"] = (row.get("ProductKeyChannel"), row["Description"].partition(", ")[2], is_trial)
            assert row["LicenseStatus"] == 1
    assert shown == {
        "retail_win_professional": ("Retail", "RETAIL channel", False),
        "oem_win_home": ("OEM:DM", "OEM_DM channel", False),
        "oem_win_professional": ("OEM:DM", "OEM_DM channel", False),
        "oem_win7_professional": (None, "OEM_SLP channel", False),
        "eval_win_enterprise": ("Retail:TB:Eval", "TIMEBASED_EVAL channel", True),
        "eval_server_2022_standard": ("Retail:TB:Eval", "TIMEBASED_EVAL channel", True),
        "esu": ("Volume:GVLK", "VOLUME_KMSCLIENT channel", False),
    }
    assert domain.microsoft.snapshot()["oem_win_home"]["activations"] == 0


def test_esu_stands_beside_the_licence_by_kms(domain: FakeDomain) -> None:
    (first, *_others) = groups(MAK, MACHINES)["esu"]
    host = built(domain, next(machine for machine in COMPUTERS if machine.fqdn == first))
    install(host, data.key_named("esu_windows_10_year_1").key)
    rows = [row for row in host.instances(CIMV2, "SoftwareLicensingProduct") if row["PartialProductKey"]]
    assert sorted((row["LicenseIsAddon"], row["LicenseStatus"]) for row in rows) == [(False, 1), (True, 5)]
    addon = next(row for row in rows if row["LicenseIsAddon"])
    host.invoke(CIMV2, "SoftwareLicensingProduct", {"ID": addon["ID"]}, "Activate", {})
    assert {row["license_status"] for row in host.snapshot_state()["products"]} == {1}
    assert domain.microsoft.snapshot()["esu_windows_10_year_1"]["activations"] == 1
    host.reimage()
    assert [row["license_status"] for row in host.snapshot_state()["products"]] == [5], "a new image is not licensed yet"


def test_a_secure_zone_has_no_way_to_microsoft(domain: FakeDomain) -> None:
    found = groups(MAK, MACHINES)
    zone = [*found["secure_zone"], *found["secure_zone_proxy"]]
    codes = set()
    for machine in COMPUTERS:
        if machine.fqdn in zone:
            host = built(domain, machine)
            key = park.mak_of(host.spec.profile)
            assert key is not None
            install(host, key.key)
            with pytest.raises(WmiError) as caught:
                host.invoke(CIMV2, "SoftwareLicensingProduct", {"ID": base(host)["ID"]}, "Activate", {})
            codes.add(caught.value.hresult & 0xFFFFFFFF)
    assert codes == {0x80072EE7, 0x80072EE2}


def test_sixty_computers_are_in_no_domain() -> None:
    options = lifecycle.Options(park="isolated", clients=ISOLATED.client_count, servers=ISOLATED.server_count)
    machines = options.machines
    specs = park.specs(ISOLATED, machines, ())
    assert len(machines) == 60 and {machine.role for machine in machines} == {"client", "server"}
    assert {(spec.domain, spec.primary_suffix, spec.internet, spec.administrators) for spec in specs} == {("", "", False, ("labadmin",))}
    assert "." not in "".join(machine.fqdn for machine in machines)
    assert "not_for_mak" not in groups(ISOLATED, machines)


def test_an_isolated_park_has_nothing_of_a_domain() -> None:
    for wrong in ({"bind": True}, {"sites": "zones"}, {"connection": "winrm_kerberos"}):
        with pytest.raises(lifecycle.LabError, match="is a workgroup"):
            lifecycle.Options(park="isolated", **wrong).check()


def test_every_key_is_another_one() -> None:
    keys = [*data.keys().values()]
    assert max(Counter(key.key for key in keys).values()) == max(Counter(key.name for key in keys).values()) == 1
    assert max(Counter(key.partial for key in keys).values()) == 1, "the last five tell them apart"
    assert {key.product_id for key in keys} <= {item.id for item in data.products()}
    ids = Counter(item.id for item in data.products())
    assert max(ids.values()) == 1
