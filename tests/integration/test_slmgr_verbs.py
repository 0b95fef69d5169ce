# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every verb of slmgr that works over the network, from a playbook: its calls in slmgr's order, and the same verb once more.

What slmgr.vbs calls stands here once more, as its own text has it. The verbs that ask a domain controller are in test_slmgr.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import names, park
from lab.play import Run
from lab.windows import data, identifiers

from .conftest import Lab

pytestmark = pytest.mark.tier("test")

KMS_1, PC_1 = names.kms_hosts()[0], names.clients(1)[0]
CSVLK = park.PARKS["modern"].csvlk
MAK = data.key_named("mak_win_enterprise")
WINDOWS = "55c92734-d682-4d71-983e-d6ec3f16059f"
LICENSE = '<licenseGroup><tokenLicense ilid="il-1" ilvid="2" description="Contoso"/></licenseGroup>'

REFRESHED = "RefreshLicenseStatus"
LOOK, MARK, UNMARK = ["GetStringValue"] * 2, ["SetStringValue"] * 2, ["DeleteValue"] * 2
REARMED = ["GetDWORDValue"] * 2


@dataclass(frozen=True)
class Case:
    """A verb with its options, and what it calls the first and the second time; None where that is the same, since nothing tells."""

    entry: dict[str, Any]
    calls: tuple[str, ...] = ()
    again: tuple[str, ...] | None = ()

    @property
    def verb(self) -> str:
        return str(self.entry["verb"])

    @property
    def every_time(self) -> bool:
        return self.again is None


def case(verb: str, *calls: str, again: list[str] | None = [], **options: Any) -> Case:  # noqa: B006  # never changed
    return Case({"verb": verb, **options}, calls, None if again is None else tuple(again))


ON_KMS_HOST = [
    case("ipk", "InstallProductKey", REFRESHED, *LOOK, *MARK, again=LOOK, product_key=CSVLK),
    case("dti"),
    case("ato", "Activate", REFRESHED),
    case("dli"),
    case("dlv"),
    case("xpr"),
    case("sprt", "SetKeyManagementServiceListeningPort", port=1690),
    case("sai", "SetVLActivationInterval", minutes=60),
    case("sri", "SetVLRenewalInterval", minutes=1440),
    case("cdns", "DisableKeyManagementServiceDnsPublishing"),
    case("sdns", "DisableKeyManagementServiceDnsPublishing"),
    case("cpri", "EnableKeyManagementServiceLowPriority"),
    case("spri", "EnableKeyManagementServiceLowPriority"),
]
LAST_ON_KMS_HOST = case("upk", "UninstallProductKey", REFRESHED, *LOOK, *UNMARK, again=LOOK)
ON_CLIENT = [
    case("skms", "SetKeyManagementServiceMachine", "SetKeyManagementServicePort", kms_host="[2001:db8::1]:1689"),
    case("ckms", "ClearKeyManagementServiceMachine", "ClearKeyManagementServicePort"),
    case("skms-domain", "SetKeyManagementServiceLookupDomain", lookup_domain="west.contoso.com"),
    case("ckms-domain", "ClearKeyManagementServiceLookupDomain"),
    case("ckhc", "DisableKeyManagementServiceHostCaching"),
    case("skhc", "DisableKeyManagementServiceHostCaching"),
    case("act-type", "SetVLActivationTypeEnabled", activation_type=2),
    case("act-type", "ClearVLActivationTypeEnabled", activation_type=0),
    case("cpky", "ClearProductKeyFromRegistry", again=None),
    case("ilc", "InstallLicense", again=None, license_file="{{ playbook_dir }}/token.xrm-ms"),
    case("lil"),
    case("ril", "Uninstall", ilid="il-1", ilvid=2),
    case("rearm-app", "ReArmApp", again=None, application_id=WINDOWS),
    case("rearm-sku", "ReArmSku", again=None, activation_id=MAK.product_id),
    case("rearm", *REARMED, "ReArmWindows", again=None),
]
LOCAL = {"rilc", "stao", "ctao", "ltc", "fta", "ad-activation-online", "ad-activation-get-iid", "ad-activation-apply-cid"}
"""What slmgr.vbs refuses for another computer, or Windows no longer has."""
BY_DIRECTORY = {"ao-list", "del-ao"}


def play(lab: Lab, folder: Path, plays: dict[names.Machine, list[Case]]) -> Run:
    """Each verb in a task of its own, and once more."""
    text = []
    for host, cases in plays.items():
        tasks = [
            {"name": f"{number} {one.verb} {time}", "winops.volume_activation.slmgr": {"verbs": [one.entry]}}
            for number, one in enumerate(cases)
            for time in ("first", "again")
        ]
        text.append({"name": host.label, "hosts": host.fqdn, "gather_facts": False, "tasks": tasks})
    path = folder / "play.yml"
    path.write_text(yaml.safe_dump(text, width=1000), encoding="utf-8")
    run = lab.play(str(path))
    assert run.rc == 0, run.output[-3000:]
    return run


def sessions(requests: list[dict[str, Any]], host: names.Machine) -> list[list[str]]:
    """What each task called, in its order: a task has one connection."""
    found: dict[Any, list[str]] = {}
    for entry in requests:
        if entry["host"] == host.fqdn:
            called = found.setdefault(entry["connection"], [])
            called += [entry["action"].partition(":")[2]] if entry["action"].startswith("Invoke:") else []
    return list(found.values())


@dataclass
class Story:
    """What a run of verbs on one host did."""

    cases: list[Case]
    run: Run
    called: list[list[str]]
    before: dict[str, Any]
    after: dict[str, Any]


@pytest.fixture(scope="module")
def stories(running_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Story]:
    lab, folder = running_lab, tmp_path_factory.mktemp("verbs")
    lab.control.reset()
    (folder / "token.xrm-ms").write_text(LICENSE, encoding="utf-8")
    with_mak = [case("ipk", "InstallProductKey", REFRESHED, *LOOK, again=LOOK, product_key=MAK.key), case("dti")]
    parts: dict[str, dict[names.Machine, list[Case]]] = {"key": {PC_1: with_mak}, "all": {KMS_1: ON_KMS_HOST, PC_1: ON_CLIENT}}
    told: dict[str, Story] = {}

    def tell(name: str, plays: dict[names.Machine, list[Case]]) -> None:
        before = {host: lab.control.host(host.label) for host in plays}
        start = len(lab.requests())
        run = play(lab, folder, plays)
        seen = lab.requests()[start:]
        for host, cases in plays.items():
            told[f"{name} {host.label}"] = Story(cases, run, sessions(seen, host), before[host], lab.control.host(host.label))

    tell("key", parts["key"])
    installation = told[f"key {PC_1.label}"].run.of_task("1 dti first")[0].result["verbs"][0]["installation_id"]
    digits = identifiers.confirmation_id(installation, identifiers.extended_pid(MAK.key, "22631", is_volume=True))
    offline = [case("atp", "DepositOfflineConfirmationId", REFRESHED, confirmation_id=digits)]
    tell("all", {KMS_1: ON_KMS_HOST, PC_1: [*offline, *ON_CLIENT]})
    tell("last", {KMS_1: [LAST_ON_KMS_HOST]})
    return told


def test_each_verb_calls_what_slmgr_calls_and_is_unchanged_the_second_time(stories: dict[str, Story]):
    for name, story in stories.items():
        assert len(story.called) == 2 * len(story.cases), name
        for number, one in enumerate(story.cases):
            first, again = story.called[2 * number : 2 * number + 2]
            assert tuple(first) == one.calls, (name, one.verb)
            assert tuple(again) == (one.calls if one.again is None else one.again), (name, one.verb)
            for time, calls in (("first", one.calls), ("again", one.calls if one.every_time else ())):
                (task,) = story.run.of_task(f"{number} {one.verb} {time}")
                assert task.result["changed"] is bool(calls), (name, one.verb, time)
                assert all(step["before"] != step["after"] for step in task.result["steps"]), (name, one.verb, time)
                assert bool(task.result["steps"]) is bool(calls)


def test_the_table_has_every_verb_of_slmgr_that_works_over_the_network(stories: dict[str, Story]):
    tried = {one.verb for story in stories.values() for one in story.cases}
    from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing.slmgr_verbs import VERBS  # noqa: PLC0415

    assert tried | LOCAL | BY_DIRECTORY == set(VERBS)
    assert not tried & (LOCAL | BY_DIRECTORY)


def test_the_machines_are_as_the_verbs_left_them(stories: dict[str, Story]):
    host, client = stories[f"all {KMS_1.label}"], stories[f"all {PC_1.label}"]
    assert (host.before["is_kms_host"], host.after["is_kms_host"], host.after["license_status"]) == (False, True, 1)
    platform = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform"
    wanted = {"KeyManagementServiceListeningPort": "1690", "VLActivationInterval": 60, "VLRenewalInterval": 1440, "DisableDnsPublishing": 0}
    assert {name: host.after["registry"][rf"{platform}\{name}"] for name in wanted} == wanted
    gone = stories[f"last {KMS_1.label}"].after
    assert (gone["is_kms_host"], gone["partial_key"]) == (False, None)
    assert rf"{platform}\KeyManagementServiceVersion" not in gone["registry"]
    assert (client.before["partial_key"], client.before["license_status"] == 1, client.after["license_status"]) == (MAK.key[-5:], False, 1)
    assert (client.before["key_in_registry"], client.after["key_in_registry"]) == (True, False)
    assert (client.before["rearms"] - client.after["rearms"], client.after["license_files"], client.after["token_licenses"]) == (2, 1, [])
    left = {name for name in client.after["registry"] if "KeyManagementService" in name}
    assert left == {name for name in client.before["registry"] if "KeyManagementService" in name}
    assert client.after["host_caching"] is True


def test_one_activation_was_spent_and_none_by_a_confirmation_id(stories: dict[str, Story], running_lab: Lab):
    spent = running_lab.control.call("microsoft")
    assert {name: key["activations"] for name, key in spent.items() if key["activations"]} == {"csvlk_2022": 1}
