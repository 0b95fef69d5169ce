# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a KMS host publishes itself: its list, the records of two real zones, what others change in it, and its end."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import names
from lab.domain.zones import Zones
from lab.play import Run, lab_environment
from lab.witness import Srv

from .conftest import Lab, eventually
from .killing import kill

pytestmark = pytest.mark.tier("test")

KMS_1, KMS_2 = names.kms_hosts()
WEST = "west.contoso.com"
LINES = ["contoso.com, 10, 75", "west.contoso.com, 90, 75"]
KEY = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform"
LIST = [{"domain": "contoso.com", "priority": 10, "weight": 75}, {"domain": WEST, "priority": 90, "weight": 75}]
RECORDS = [{**line, "dns_servers": [names.DC_ADDRESS]} for line in LIST]
PUBLISHED: dict[str, Any] = {"publish_list": LIST, "publish_domains": RECORDS, "publish_timeout": 5}
OLD = Srv(0, 0, 1688, KMS_1.fqdn)
AT_HOME, IN_WEST = Srv(10, 75, 1688, KMS_1.fqdn), Srv(90, 75, 1688, KMS_1.fqdn)


@pytest.fixture(scope="module")
def west(running_lab: Lab) -> str:
    """A second zone of the domain, in which its members may make records."""
    running_lab.control.reset()
    return Zones(running_lab.domain).create(WEST, "domain")


@pytest.fixture
def lab(running_lab: Lab, west: str, tmp_path: Path) -> Iterator[Lab]:
    """The first KMS host is activated, and publishes itself at home with what Windows has by itself.

    The directory is not put back for each test: with it the second zone would go.
    """
    running_lab.control.call("reset_windows", hosts=[KMS_1.label, KMS_2.label])
    for zone in (names.ZONE, WEST):
        for value in running_lab.witness.srv(zone):
            delete(running_lab, value, zone)
    assert task(running_lab, tmp_path, product_key="{{ kms_single_site_csvlk }}", activate=True, firewall=True).rc == 0
    assert eventually(lambda: running_lab.witness.srv() == [OLD])
    yield running_lab
    running_lab.control.clear_faults()


def play_of(folder: Path, host: names.Machine = KMS_1, **options: Any) -> str:
    task = {"name": "Task", "winops.volume_activation.kms_host": options}
    path = folder / "task.yml"
    path.write_text(yaml.safe_dump([{"name": "Play", "hosts": host.fqdn, "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
    return str(path)


def task(lab: Lab, folder: Path, arguments: str = "", host: names.Machine = KMS_1, **options: Any) -> Run:
    return lab.play(play_of(folder, host, **options), arguments=arguments)


def attributes(run: Run) -> list[str]:
    assert run.rc == 0, run.output[-3000:]
    return [step["attribute"].removeprefix("DnsDomainPublishList ") for step in run.steps()]


def write(lab: Lab, lines: list[str]) -> None:
    """Behind the administrator's back."""
    arguments = {"sSubKeyName": KEY, "sValueName": "DnsDomainPublishList", "sValue": lines}
    lab.control.call("call_registry", host=KMS_1.label, method="SetMultiStringValue", arguments=arguments)


def delete(lab: Lab, value: Srv, zone: str = names.ZONE) -> None:
    """Delete a value by hand."""
    written = f"{value.target} {value.port} {value.priority} {value.weight}"
    argv = ["samba-tool", "dns", "delete", names.DC_ADDRESS, zone, names.KMS_RECORD, "SRV", written]
    logon = f"--username={names.NETBIOS_DOMAIN}\\{names.ADMINISTRATOR}%{names.ADMINISTRATOR_PASSWORD}"
    subprocess.run([*argv, f"--configfile={lab.domain.smb_conf}", logon], check=True, capture_output=True)


def list_of(lab: Lab) -> list[str] | None:
    found: list[str] | None = lab.control.host(KMS_1.label)["registry"].get(rf"{KEY}\DnsDomainPublishList")
    return found


def test_the_list_its_records_and_every_single_drift(lab: Lab, tmp_path: Path):
    check = task(lab, tmp_path, "--check", **PUBLISHED)
    made = task(lab, tmp_path, **PUBLISHED)
    records = [f"SRV _vlmcs._tcp.{line['domain']}" for line in LIST]
    assert attributes(made) == ["contoso.com", WEST, *records]
    assert made.steps() == check.steps()
    assert list_of(lab) == LINES
    assert (lab.witness.srv(), lab.witness.srv(WEST)) == ([OLD, AT_HOME], [IN_WEST])
    before = len(lab.requests())
    assert task(lab, tmp_path, **PUBLISHED).changed() == 0
    asked = [entry["action"] for entry in lab.requests()[before:]]
    # The license state as without a list, the list, and the host's name.
    assert sorted(asked) == ["Enumerate", "Enumerate", "Enumerate", "Invoke:GetMultiStringValue"]
    for lines, changed in (
        (LINES[:1], [WEST]),
        (LINES[::-1], ["order of DnsDomainPublishList"]),
        ([LINES[0], "west.contoso.com, 80, 75"], [WEST]),
        ([*LINES, "nonsense, a"], []),
    ):
        write(lab, lines)
        assert attributes(task(lab, tmp_path, publish_list=LIST)) == changed
    assert list_of(lab) == [*LINES, "nonsense, a"]
    assert attributes(task(lab, tmp_path, publish_list=LIST, publish_list_mode="exact")) == ["nonsense, a"]
    assert task(lab, tmp_path, publish_list_mode="exact", **PUBLISHED).changed() == 0


@pytest.mark.tier("soak")
def test_killed_between_writing_the_list_and_starting_the_service(lab: Lab, tmp_path: Path):
    lab.control.inject(host=f"{KMS_1.label}*", action="Invoke:StartService", sleep=4, hresult=0x80041001)
    process = subprocess.Popen(
        ["ansible-playbook", "-i", str(lab.layout.inventory), play_of(tmp_path, **PUBLISHED)],
        env={**os.environ, **lab_environment(lab.layout.root)},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert eventually(lambda: any(lab.control.call("fault_hits")), 60)
        time.sleep(0.5)
    finally:
        kill(process)
    lab.control.settle()
    lab.control.clear_faults()
    assert list_of(lab) == LINES
    second = task(lab, tmp_path, **PUBLISHED)
    assert second.rc == 0, second.output[-3000:]
    assert (lab.witness.srv(), lab.witness.srv(WEST)) == ([OLD, AT_HOME], [IN_WEST])
    assert task(lab, tmp_path, **PUBLISHED).changed() == 0


@pytest.mark.tier("soak")
def test_a_host_goes_when_its_clients_have_another_one(lab: Lab, tmp_path: Path):
    absent: dict[str, Any] = {"state": "absent", "firewall": True, "publish_domain": "contoso.com"}
    still = task(lab, tmp_path, **absent)
    assert "_vlmcs._tcp.contoso.com still sends clients to kms-1.contoso.com (0 0 1688 kms-1.contoso.com)" in still.output
    write(lab, ["contoso.com"])
    assert attributes(task(lab, tmp_path, dns_publishing=False, publish_list=[])) == ["DNS publishing", "contoso.com"]
    delete(lab, OLD)
    alone = task(lab, tmp_path, **absent)
    assert "would be left without a KMS host" in alone.output
    assert lab.control.host(KMS_1.label)["is_kms_host"]
    assert task(lab, tmp_path, host=KMS_2, product_key="{{ kms_single_site_csvlk }}", activate=True, firewall=True).rc == 0
    # Nobody owns the record any more.
    assert eventually(lambda: lab.witness.srv() == [Srv(0, 0, 1688, KMS_2.fqdn)])
    check, gone = task(lab, tmp_path, "--check", **absent), task(lab, tmp_path, **absent)
    assert attributes(gone) == attributes(check)
    left = lab.control.host(KMS_1.label)
    rules = [on for name, on in left["firewall"].items() if name.startswith("SPPSVC")]
    assert (left["is_kms_host"], left["open_port"], left["channel"], any(rules)) == (False, 0, "Volume:GVLK", False)
    assert not any("KeyManagementServiceVersion" in name for name in (*left["registry"], *left["wow64_registry"]))
    assert lab.control.host(KMS_2.label)["open_port"] == 1688
    assert task(lab, tmp_path, **absent).changed() == 0
