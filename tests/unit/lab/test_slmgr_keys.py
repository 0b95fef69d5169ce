# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""slmgr's verbs for keys, licenses, activation and rearms: what each calls and in which order, and what it spends."""

from __future__ import annotations

from typing import Any

import pytest
from unit.lab.product_session import open_direct
from unit.lab.slmgr_task import calls, changes, row_of, slmgr
from unit.lab.windows_fakes import FakeDomain, base, install, service_row

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.slmgr.requests import parse
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.slmgr.run import run
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.spp import license_changes
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import UnknownOutcome
from lab.windows import data
from lab.windows.host import Host
from lab.windows.identifiers import confirmation_id

pytestmark = pytest.mark.tier("test")

PLATFORM = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform"
CSVLK, MAK = data.key_named("csvlk_2022").key, data.key_named("mak_win_enterprise").key
ESU = data.key_named("esu_windows_10_year_1").key
GVLK = data.key_named("gvlk_server_2022_serverstandard").key
WINDOWS_10 = "73111121-5638-40f6-bc11-f1d7b0d64300"
WINDOWS = "55c92734-d682-4d71-983e-d6ec3f16059f"
MARKING, UNMARKING = ["GetStringValue"] * 2 + ["SetStringValue"] * 2, ["GetStringValue"] * 2


def test_a_kms_host_key_is_installed_and_marked_and_a_setup_key_takes_the_mark_away(domain: FakeDomain):
    host = domain.add("kms-1", "server_2022_standard")
    done, carrier = slmgr(host, {"verb": "ipk", "product_key": CSVLK})
    assert calls(carrier) == ["InstallProductKey", "RefreshLicenseStatus", *MARKING]
    assert changes(done)[0] == (f"product key that ends in {CSVLK[-5:]}", "absent", "installed")
    version = service_row(host)["Version"]
    assert host.registry.data(PLATFORM, "KeyManagementServiceVersion") == version
    assert host.registry.data(PLATFORM.replace("SOFTWARE", r"SOFTWARE\WOW6432Node", 1), "KeyManagementServiceVersion") == version
    again, carrier = slmgr(host, {"verb": "ipk", "product_key": CSVLK})
    assert (again.steps, calls(carrier)) == ([], UNMARKING)
    done, carrier = slmgr(host, {"verb": "ipk", "product_key": GVLK})
    assert calls(carrier) == ["InstallProductKey", "RefreshLicenseStatus", *UNMARKING, "DeleteValue", "DeleteValue"]
    assert host.registry.data(PLATFORM, "KeyManagementServiceVersion") is None
    assert len(done.steps) == 3


def test_a_mark_that_is_lost_or_stays_behind_is_mended_as_exactly_that(kms: Host):
    slmgr(kms, {"verb": "ipk", "product_key": CSVLK})
    kms.registry.delete(PLATFORM, "KeyManagementServiceVersion")
    planned, _carrier = slmgr(kms, {"verb": "ipk", "product_key": CSVLK}, check_mode=True)
    done, _carrier = slmgr(kms, {"verb": "ipk", "product_key": CSVLK})
    wanted = [(f"HKLM\\{PLATFORM}\\KeyManagementServiceVersion", None, service_row(kms)["Version"])]
    assert changes(done) == changes(planned) == wanted


def test_a_key_of_an_addon_and_its_removal_leave_windows_alone(client: Host):
    slmgr(client, {"verb": "ipk", "product_key": ESU})
    product_id = data.key_named("esu_windows_10_year_1").product_id
    assert row_of(client, product_id)["PartialProductKey"] == ESU[-5:]
    partial = base(client)["PartialProductKey"]
    planned, _carrier = slmgr(client, {"verb": "upk", "activation_id": product_id}, check_mode=True)
    done, carrier = slmgr(client, {"verb": "upk", "activation_id": product_id})
    assert calls(carrier) == ["UninstallProductKey", "RefreshLicenseStatus", *UNMARKING]
    assert done.steps == planned.steps
    assert row_of(client, product_id)["PartialProductKey"] is None
    assert base(client)["PartialProductKey"] == partial
    assert slmgr(client, {"verb": "upk", "activation_id": product_id})[0].steps == []


def test_without_its_key_a_kms_host_is_none_any_more(kms: Host):
    slmgr(kms, {"verb": "ipk", "product_key": CSVLK})
    planned, _carrier = slmgr(kms, {"verb": "upk"}, check_mode=True)
    done, _carrier = slmgr(kms, {"verb": "upk"})
    assert changes(done) == changes(planned)
    assert len(done.steps) == 3
    assert service_row(kms)["IsKeyManagementServiceMachine"] == 0
    assert kms.registry.data(PLATFORM, "KeyManagementServiceVersion") is None
    again, _carrier = slmgr(kms, {"verb": "upk"})
    assert again.steps == []


@pytest.mark.parametrize(
    ("entry", "methods", "place", "left"),
    [
        ({"verb": "cpky"}, ["ClearProductKeyFromRegistry"], "key_in_registry", False),
        ({"verb": "ilc", "license_file": "token.xrm-ms"}, ["InstallLicense"], "token_licenses", [("il-1", 2)]),
    ],
)
def test_what_shows_nowhere_is_called_each_time(client: Host, entry: dict[str, Any], methods: list[str], place: str, left: Any):
    for _time in range(2):
        planned, _carrier = slmgr(client, entry, check_mode=True)
        done, carrier = slmgr(client, entry)
        assert calls(carrier) == methods
        assert done.steps == planned.steps and len(done.steps) == 1
        assert client.snapshot_state()[place] == left


def test_token_licenses_are_shown_and_removed(client: Host):
    slmgr(client, {"verb": "ilc", "license_file": "token.xrm-ms"})
    (shown,) = slmgr(client, {"verb": "lil"})[0].verbs
    (entry,) = shown["token_licenses"]
    assert (entry["ilid"], entry["ilvid"], entry["authorized"], entry["expires"][:4]) == ("il-1", 2, True, "2030")
    assert slmgr(client, {"verb": "ril", "ilid": "il-1", "ilvid": 1})[0].steps == []
    done, carrier = slmgr(client, {"verb": "ril", "ilid": "IL-1", "ilvid": 2})
    assert calls(carrier) == ["Uninstall"] and len(done.steps) == 1
    assert client.snapshot_state()["token_licenses"] == []
    assert slmgr(client, {"verb": "ril", "ilid": "il-1", "ilvid": 2})[0].steps == []


def test_a_kms_host_key_is_activated_once(domain: FakeDomain):
    host = domain.add("kms-1", "server_2022_standard")
    install(host, CSVLK)
    planned, _carrier = slmgr(host, {"verb": "ato"}, check_mode=True)
    done, carrier = slmgr(host, {"verb": "ato"})
    assert calls(carrier) == ["Activate", "RefreshLicenseStatus"]
    assert done.steps == planned.steps
    assert base(host)["LicenseStatus"] == 1
    again, carrier = slmgr(host, {"verb": "ato"})
    assert (again.steps, calls(carrier)) == ([], [])
    assert domain.microsoft.snapshot()["csvlk_2022"]["activations"] == 1


def test_an_activation_that_fails_says_why_and_what_was_done_before(domain: FakeDomain, client: Host):
    with pytest.raises(StepFailed) as caught:
        slmgr(client, {"verb": "ckhc"}, {"verb": "ato"}, {"verb": "skms", "kms_host": "a"})
    assert [step.attribute for step in caught.value.done] == ["KMS host caching"]
    assert [step.attribute for step in caught.value.remaining] == ["KMS host"]
    assert isinstance(caught.value.__cause__, ActivationError)
    assert caught.value.__cause__.shown_code == "0x8007232B"


def test_a_product_that_takes_tokens_only_is_not_activated_otherwise(client: Host):
    slmgr(client, {"verb": "act-type", "activation_type": 3})
    with pytest.raises(ActivationError, match="by a token alone"):
        slmgr(client, {"verb": "ato"})


@pytest.mark.parametrize("late", [False, True])
def test_a_lost_activation_is_judged_by_the_state_and_not_repeated(client: Host, late: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(license_changes, "_AT_WORK_SECONDS", 0.2)
    monkeypatch.setattr(license_changes, "_AT_WORK_PAUSE", 0.05)
    install(client, MAK)
    session, _carrier = open_direct(client)
    real = session.invoke
    attempts = []

    def invoke(cim_class: Any, method: str, *rest: Any, **named: Any) -> Any:
        if method != "Activate":
            return real(cim_class, method, *rest, **named)
        attempts.append(method)
        if not late:
            real(cim_class, method, *rest, **named)
        raise UnknownOutcome("lost", source="wsman")

    session.invoke = invoke  # type: ignore[method-assign]
    requests = parse([{"verb": "ato"}], lambda path: (path, ""))
    if late:
        with pytest.raises(StepFailed) as caught:
            run(session, requests, check_mode=False)
        assert str(caught.value.__cause__).endswith("lost")
    else:
        assert len(run(session, requests, check_mode=False).steps) == 1
    assert attempts == ["Activate"]


def test_telephone_activation_in_one_session(domain: FakeDomain, client: Host):
    install(client, MAK)
    (shown,) = slmgr(client, {"verb": "dti"})[0].verbs
    row = base(client)
    assert shown["installation_id"] == row["OfflineInstallationId"]
    digits = confirmation_id(row["OfflineInstallationId"], row["ProductKeyID"])
    groups = "-".join(digits[start : start + 6] for start in range(0, 48, 6))
    with pytest.raises(StepFailed) as caught:
        slmgr(client, {"verb": "atp", "confirmation_id": groups[::-1]})
    assert getattr(caught.value.__cause__, "shown_code", "") == "0xC004F02C"
    done, carrier = slmgr(client, {"verb": "atp", "confirmation_id": groups}, {"verb": "xpr"})
    assert calls(carrier) == ["DepositOfflineConfirmationId", "RefreshLicenseStatus"]
    assert [(verb.get("status"), verb.get("permanent")) for verb in done.verbs] == [(None, None), ("licensed", True)]
    again, carrier = slmgr(client, {"verb": "atp", "confirmation_id": groups})
    assert (again.steps, calls(carrier)) == ([], [])
    assert domain.microsoft.snapshot()["mak_win_enterprise"]["remaining"] == 50


REARMS = [
    ({"verb": "rearm"}, ["GetDWORDValue", "GetDWORDValue", "ReArmWindows"], "rearms"),
    ({"verb": "rearm-app", "application_id": WINDOWS}, ["ReArmApp"], f"rearms of the application {WINDOWS}"),
    ({"verb": "rearm-sku", "activation_id": WINDOWS_10}, ["ReArmSku"], f"rearms of {WINDOWS_10}"),
]


@pytest.mark.parametrize(("entry", "methods", "attribute"), REARMS, ids=str)
def test_a_rearm_is_counted_before_and_after_and_refused_when_none_is_left(
    client: Host, entry: dict[str, Any], methods: list[str], attribute: str
):
    for left in (3, 2, 1):
        planned, _carrier = slmgr(client, entry, check_mode=True)
        done, carrier = slmgr(client, entry)
        assert calls(carrier) == methods
        assert changes(done) == changes(planned) == [(attribute, left, left - 1)]
        assert done.verbs[0]["rearms"] == left - 1
        assert (done.restart_needed, done.warnings) == (["computer"], [])
    for entries in ([entry], [{"verb": "ckhc"}, entry]):
        with pytest.raises(ActivationError, match="none are left") as caught:
            slmgr(client, *entries)
        assert caught.value.shown_code == "0xC004D307"
    assert service_row(client)["KeyManagementServiceHostCaching"] is True


def test_two_rearms_in_one_task_are_counted_when_they_are_planned(client: Host):
    planned, _carrier = slmgr(client, {"verb": "rearm"}, {"verb": "rearm"}, check_mode=True)
    assert changes(planned) == [("rearms", 3, 2), ("rearms", 2, 1)]
    with pytest.raises(ActivationError, match="none are left"):
        slmgr(client, *[{"verb": "rearm"}] * 4)
    assert client.snapshot_state()["rearms"] == 3


def test_with_skiprearm_none_is_made(client: Host):
    client.licensing.settings.set_number("SkipRearm", 1)
    done, carrier = slmgr(client, {"verb": "rearm"})
    assert (done.steps, calls(carrier)) == ([], ["GetDWORDValue"])
    assert "SkipRearm" in done.warnings[0]
    assert client.snapshot_state()["rearms"] == 3
