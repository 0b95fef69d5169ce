# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""slmgr's verbs from a playbook, on hosts of the lab and on its directory: planned, made, and made again."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import names, park
from lab.play import Run

from .conftest import Lab

pytestmark = pytest.mark.tier("test")

KMS_1, (PC_1, PC_2, PC_3) = names.kms_hosts()[0], names.clients(3)
CSVLK = park.PARKS["modern"].csvlk
PLATFORM = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform"
CONFIGURATION = f"CN=Configuration,{names.BASE_DN}"
SPP = f"CN=Microsoft SPP,CN=Services,{CONFIGURATION}"
CONTAINER = f"CN=Activation Objects,{SPP}"
SKU = uuid.UUID("97a0acdc-b989-5704-b7bd-51ea3642ca1c")

ON_KMS_HOST = [
    {"verb": "ipk", "product_key": "{{ kms_single_site_csvlk }}"},
    {"verb": "ato"},
    {"verb": "sprt", "port": 1690},
    {"verb": "sai", "minutes": 60},
    {"verb": "cdns"},
    {"verb": "dlv"},
]
ON_CLIENT = [
    {"verb": "skms-domain", "lookup_domain": "contoso.com"},
    {"verb": "skms", "kms_host": f"{KMS_1.fqdn}:1690"},
    {"verb": "ckhc"},
    {"verb": "act-type", "activation_type": 2},
    {"verb": "dti"},
    {"verb": "del-ao", "activation_object": "Contoso 2022"},
    {"verb": "ao-list"},
]
HOST_CALLS = [
    "InstallProductKey",
    "RefreshLicenseStatus",
    "GetStringValue",
    "GetStringValue",
    "SetStringValue",
    "SetStringValue",
    "Activate",
    "RefreshLicenseStatus",
    "SetKeyManagementServiceListeningPort",
    "SetVLActivationInterval",
    "DisableKeyManagementServiceDnsPublishing",
]
CLIENT_CALLS = [
    "SetKeyManagementServiceLookupDomain",
    "SetKeyManagementServiceMachine",
    "SetKeyManagementServicePort",
    "DisableKeyManagementServiceHostCaching",
    "SetVLActivationTypeEnabled",
]


def make_activation_objects(lab: Lab) -> None:
    """As Windows makes them when a forest is activated: containers, and two objects."""
    attributes = {
        "objectClass": [b"msSPP-ActivationObject"],
        "msSPP-CSVLKSkuId": [SKU.bytes_le],
        "msSPP-CSVLKPid": [b"06401-00206-471-111111-03-1033-20348.0000-0012026"],
        "msSPP-CSVLKPartialProductKey": [CSVLK[-5:].encode()],
        "msSPP-KMSIds": [SKU.bytes_le],
    }
    with lab.domain.controller(names.DC_NAME).as_system() as connection:
        connection.add_s(SPP, [("objectClass", [b"container"])])
        connection.add_s(CONTAINER, [("objectClass", [b"msSPP-ActivationObjectsContainer"])])
        for name in ("Contoso 2022", "Contoso 2025"):
            connection.add_s(f"CN={name},{CONTAINER}", [*attributes.items(), ("displayName", [name.encode()])])


def play(lab: Lab, folder: Path, plays: dict[str, Any], arguments: str = "", goes_on: bool = False) -> Run:
    text = []
    for host, verbs in plays.items():
        task = {"name": host, "winops.volume_activation.slmgr": {"verbs": verbs}, "ignore_errors": goes_on}
        text.append({"name": host, "hosts": host, "gather_facts": False, "tasks": [task]})
    path = folder / "play.yml"
    path.write_text(yaml.safe_dump(text, width=1000), encoding="utf-8")
    return lab.play(str(path), arguments=arguments)


def invoked(requests: list[dict[str, Any]], host: names.Machine) -> list[str]:
    return [entry["action"].partition(":")[2] for entry in requests if entry["host"] == host.fqdn and entry["action"].startswith("Invoke:")]


@pytest.fixture(scope="module")
def story(running_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A look, a run and another run."""
    running_lab.control.reset()
    make_activation_objects(running_lab)
    folder, plays = tmp_path_factory.mktemp("slmgr"), {KMS_1.fqdn: ON_KMS_HOST, PC_1.fqdn: ON_CLIENT}
    told: dict[str, Any] = {}
    for name, arguments in (("check", "--check --diff"), ("real", ""), ("again", "")):
        before = len(running_lab.requests())
        told[name] = play(running_lab, folder, plays, arguments)
        told[f"requests of {name}"] = running_lab.requests()[before:]
        told[f"hosts after {name}"] = {host.fqdn: running_lab.control.host(host.label) for host in (KMS_1, PC_1)}
        told[f"objects after {name}"] = [
            entry["displayName"] for entry in running_lab.witness.search("(objectClass=msSPP-ActivationObject)", base=CONFIGURATION)
        ]
    return told


def verbs(run: Run, host: names.Machine) -> list[dict[str, Any]]:
    (entry,) = run.of_task(host.fqdn)
    found: list[dict[str, Any]] = entry.result["verbs"]
    return found


def test_check_mode_changes_nothing_and_knows_the_steps(story: dict[str, Any]):
    assert story["check"].rc == 0, story["check"].output[-3000:]
    assert {entry["action"] for entry in story["requests of check"]} <= {"Enumerate", "Pull", "Get"}
    assert story["hosts after check"][KMS_1.fqdn]["partial_key"] != CSVLK[-5:]
    assert len(story["objects after check"]) == 2
    marks = [step for step in story["real"].steps() if "HKLM" in step["attribute"]]
    assert len(marks) == 2
    planned = [(step["object"], step["attribute"]) for step in story["check"].steps()]
    assert planned == [(step["object"], step["attribute"]) for step in story["real"].steps() if step not in marks]


def test_the_calls_are_those_of_slmgr_in_its_order(story: dict[str, Any]):
    assert story["real"].rc == 0, story["real"].output[-3000:]
    assert invoked(story["requests of real"], KMS_1) == HOST_CALLS
    assert invoked(story["requests of real"], PC_1) == CLIENT_CALLS
    for host in (KMS_1, PC_1):
        connections = {entry["connection"] for entry in story["requests of real"] if entry["host"] == host.fqdn}
        assert len(connections) == 1


def test_the_state_is_what_was_asked_for(story: dict[str, Any]):
    host, client = (story["hosts after real"][machine.fqdn] for machine in (KMS_1, PC_1))
    assert (host["partial_key"], host["license_status"], host["is_kms_host"]) == (CSVLK[-5:], 1, True)
    wanted = {"KeyManagementServiceListeningPort": "1690", "VLActivationInterval": 60, "DisableDnsPublishing": 1}
    assert {name: host["registry"][rf"{PLATFORM}\{name}"] for name in wanted} == wanted
    assert host["registry"][rf"{PLATFORM}\KeyManagementServiceVersion"].startswith("10.0.20348")
    wanted = {
        "KeyManagementServiceName": KMS_1.fqdn,
        "KeyManagementServicePort": "1690",
        "KeyManagementServiceLookupDomain": "contoso.com",
        "VLActivationType": 2,
    }
    assert {name: client["registry"][rf"{PLATFORM}\{name}"] for name in wanted} == wanted
    assert client["host_caching"] is False


def test_what_is_shown_is_data(story: dict[str, Any]):
    (dlv,) = [entry for entry in verbs(story["real"], KMS_1) if entry["verb"] == "dlv"]
    assert (dlv["products"][0]["channel"], dlv["service"]["listening_port"]) == ("csvlk", 1690)
    (result,) = story["real"].of_task(KMS_1.fqdn)
    assert result.result["restart_needed"] == ["service"]
    dti, _removed, listed = verbs(story["real"], PC_1)[-3:]
    assert len(dti["installation_id"]) == 63
    (left,) = listed["activation_objects"]
    assert left == {
        "name": "Contoso 2025",
        "dn": f"CN=Contoso 2025,{CONTAINER}",
        "csvlk_activation_id": str(SKU),
        "csvlk_pid": "06401-00206-471-111111-03-1033-20348.0000-0012026",
        "partial_key": CSVLK[-5:],
    }
    assert story["objects after real"] == [["Contoso 2025"]]


def test_a_second_run_changes_nothing(story: dict[str, Any]):
    assert story["again"].rc == 0, story["again"].output[-3000:]
    assert (story["again"].changed(), story["again"].steps()) == (0, [])
    assert {entry["action"] for entry in story["requests of again"]} <= {"Enumerate", "Pull", "Get", "Invoke:GetStringValue"}
    for host in (KMS_1, PC_1):
        before, after = (story[f"hosts after {name}"][host.fqdn] for name in ("real", "again"))
        assert (after["registry"], after["license_status"]) == (before["registry"], before["license_status"])


def test_what_is_refused_is_refused_before_anything_changes(running_lab: Lab, story: dict[str, Any], tmp_path: Path):
    before = len(running_lab.requests())
    refused = {
        PC_1.fqdn: [{"verb": "ckhc"}, {"verb": "rilc"}],
        PC_2.fqdn: [{"verb": "ckhc"}, {"verb": "del-ao", "activation_object": SPP}],
        PC_3.fqdn: [{"verb": "ckhc"}, {"verb": "sprt", "port": 1690}],
    }
    local, foreign, no_host = play(running_lab, tmp_path, refused, goes_on=True).failures()
    assert local.startswith("rilc does not work over the network. The license files lie on the computer itself")
    assert foreign == f"{SPP} is no activation object, so it is left alone."
    assert no_host.startswith(f"{PC_3.fqdn} is no KMS host, and sprt is for KMS hosts only.")
    assert {entry["action"] for entry in running_lab.requests()[before:]} == {"Enumerate"}
