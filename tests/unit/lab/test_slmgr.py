# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""slmgr's verbs that show something, several verbs in one task, and an old Windows."""

from __future__ import annotations

from typing import Any

import pytest
from unit.lab.product_session import open_direct
from unit.lab.slmgr_task import calls, slmgr
from unit.lab.windows_fakes import FakeDomain, service, service_row

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.slmgr.requests import parse
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.slmgr.run import run
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.spp.license_info import read_license
from lab.windows import data
from lab.windows.host import Host

pytestmark = pytest.mark.tier("test")

CSVLK, MAK = data.key_named("csvlk_2022").key, data.key_named("mak_win_enterprise").key
WINDOWS_10 = "73111121-5638-40f6-bc11-f1d7b0d64300"
WINDOWS = "55c92734-d682-4d71-983e-d6ec3f16059f"
READING = ("Enumerate", "Pull", "Get")


def test_what_only_reads_reads_the_same_as_license_info(kms: Host):
    entries = [{"verb": verb} for verb in ("dli", "dlv", "xpr")]
    for check_mode in (False, True):
        done, carrier = slmgr(kms, *entries, check_mode=check_mode)
        assert {entry.action for entry in carrier.log} <= set(READING)
        assert done.steps == []
        dli, dlv, xpr = done.verbs
        read = read_license(open_direct(kms)[0])
        assert dli["products"] == [read["windows"]]
        assert read["windows"].items() <= dlv["products"][0].items()
        assert dlv["service"] == read["service"]
        assert (xpr["status"], xpr["permanent"], xpr["expires"]) == ("licensed", True, None)
    (everything,) = slmgr(kms, {"verb": "dli", "activation_id": "all"})[0].verbs
    assert len(everything["products"]) == len(kms.instances("root/cimv2", "SoftwareLicensingProduct"))


def test_a_product_that_active_directory_activated_is_shown_as_such(client: Host):
    licence = client.licensing.find(WINDOWS_10)
    licence.activate(None, activation_type=1)
    licence.activation_object = {
        "ADActivationObjectName": "Contoso Windows 10",
        "ADActivationObjectDN": "CN=Contoso Windows 10,CN=Activation Objects,CN=Microsoft SPP,CN=Services,CN=Configuration,DC=contoso,DC=com",
        "ADActivationCsvlkPid": "06401-00206-471-111111-03-1033-17763.0000-0012026",
        "ADActivationCsvlkSkuId": "20e938bb-df44-45ee-bde1-4e4fe7477f37",
    }
    client.licensing.settings.set_number("VLActivationType", 1, WINDOWS_10)
    session, carrier = open_direct(client)
    windows = read_license(session)["windows"]
    assert (windows["activation_type"], windows["activation_type_allowed"]) == ("active_directory", "active_directory")
    assert list(windows["ad_activation"].values()) == list(licence.activation_object.values())
    assert 3 <= len(carrier.log) <= 4


def test_a_verb_that_an_old_windows_lacks_is_refused_by_name(domain: FakeDomain):
    vista = domain.add("pc-013", "windows_vista_enterprise")
    seven = domain.add("pc-001", "windows_7_enterprise")
    for host, entry, version in (
        (vista, {"verb": "ckhc"}, "7 and Server 2008 R2"),
        (vista, {"verb": "skms", "kms_host": "a", "activation_id": WINDOWS_10}, "7 and Server 2008 R2"),
        (vista, {"verb": "lil"}, "7 and Server 2008 R2"),
        (seven, {"verb": "act-type", "activation_type": 2}, "8 and Server 2012"),
        (seven, {"verb": "skms-domain", "lookup_domain": "a.b"}, "8 and Server 2012"),
        (seven, {"verb": "rearm-app", "application_id": WINDOWS}, "8 and Server 2012"),
    ):
        with pytest.raises(ActivationError, match=f"does not know {entry['verb']}.*came with Windows {version}"):
            slmgr(host, entry)
    for host in (vista, seven):
        done, _carrier = slmgr(host, {"verb": "skms", "kms_host": "kms-1:1688"}, {"verb": "rearm"}, {"verb": "dlv"}, {"verb": "xpr"})
        assert len(done.steps) == 2
        assert service_row(host)["KeyManagementServiceMachine"] == "kms-1"
        assert slmgr(host, {"verb": "skms", "kms_host": "KMS-1:1688"})[0].steps == []


def test_several_verbs_go_in_order_and_check_mode_knows_the_steps(domain: FakeDomain):
    host = domain.add("kms-1", "server_2022_standard")
    entries = [
        {"verb": "ipk", "product_key": CSVLK},
        {"verb": "sprt", "port": 1690},
        {"verb": "ato"},
        {"verb": "cdns"},
        {"verb": "dti"},
    ]
    planned, looked = slmgr(host, *entries, check_mode=True)
    assert calls(looked) == []
    assert [step.after_step for step in planned.steps if step.attribute == "license status"] == ["product key"]
    assert "installation_id" not in planned.verbs[-1]
    done, carrier = slmgr(host, *entries)
    assert [call for call in calls(carrier) if "Value" not in call] == [
        "InstallProductKey",
        "RefreshLicenseStatus",
        "SetKeyManagementServiceListeningPort",
        "Activate",
        "RefreshLicenseStatus",
        "DisableKeyManagementServiceDnsPublishing",
    ]
    assert [step.attribute for step in done.steps if "HKLM" not in step.attribute] == [step.attribute for step in planned.steps]
    assert done.restart_needed == ["service"]
    assert slmgr(host, *entries)[0].steps == []


def test_a_plan_without_a_key_ends_before_its_first_change(client: Host):
    slmgr(client, {"verb": "upk"})
    for verb in ("ato", "dti", "xpr"):
        with pytest.raises(ActivationError, match="holds no product key"):
            slmgr(client, {"verb": "ckhc"}, {"verb": verb})
    assert service_row(client)["KeyManagementServiceHostCaching"] is True


def test_what_a_policy_sets_back_is_noticed(client: Host):
    session, _carrier = open_direct(client)
    real = session.invoke

    def invoke(cim_class: Any, method: str, *rest: Any, **named: Any) -> Any:
        answer = real(cim_class, method, *rest, **named)
        service(client, "ClearKeyManagementServiceMachine")
        return answer

    session.invoke = invoke  # type: ignore[method-assign]
    with pytest.raises(StepFailed) as caught:
        run(session, parse([{"verb": "skms", "kms_host": "a"}], lambda path: (path, "")), check_mode=False)
    assert "KMS host (is unset, wanted a)" in str(caught.value.__cause__)
