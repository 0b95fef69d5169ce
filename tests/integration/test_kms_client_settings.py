# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of KMS clients through Ansible: the document's client configuration, and hosts for which DNS has no records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import names
from lab.play import Run

from .conftest import Lab

pytestmark = pytest.mark.tier("test")

KMS_1 = names.kms_hosts()[0]
PLATFORM = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform"
HELP = "https://contoso.com/help"
# Table 6 of the document, and what its clients need to find the records of both sites.
TABLE_6 = {"discover": True, "activate": False, "host_caching": False, "alternate_url": HELP}
WHOLE = {**TABLE_6, "lookup_domain": "west.contoso.com", "dns_suffixes": ["east.contoso.com", "west.contoso.com"], "activation_type": "kms"}
BACK = {
    "discover": True,
    "activate": False,
    "host_caching": True,
    "alternate_url": "",
    "lookup_domain": "",
    "dns_suffixes": [],
    "activation_type": "all",
}
SERVERS = 6


def play(lab: Lab, folder: Path, *plays: tuple[str, list[dict[str, Any]]], arguments: str = "") -> Run:
    """Tasks on hosts, one play after the other."""
    written = [
        {"name": f"Play {number}", "hosts": hosts, "gather_facts": False, "tasks": tasks} for number, (hosts, tasks) in enumerate(plays)
    ]
    path = folder / "play.yml"
    path.write_text(yaml.safe_dump(written), encoding="utf-8")
    run = lab.play(str(path), arguments=arguments)
    assert run.rc == 0, run.output[-3000:]
    return run


def client(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "winops.volume_activation.kms_client": options}


def changes(run: Run, task: str) -> dict[str, tuple[Any, Any]]:
    (found,) = run.of_task(task)
    assert found.result["changed"] == bool(found.result["steps"])
    return {step["attribute"]: (step["before"], step["after"]) for step in found.result["steps"]}


@pytest.fixture(scope="module")
def lab(running_lab: Lab) -> Lab:
    running_lab.control.reset()
    return running_lab


def test_the_clients_are_configured_as_in_the_document_and_set_back(lab: Lab, tmp_path: Path) -> None:
    pc = "pc-001.contoso.com"
    before = lab.control.host("pc-001")
    check = play(lab, tmp_path, (pc, [client("Check", **WHOLE)]), arguments="--check --diff")
    assert lab.control.host("pc-001")["registry"] == before["registry"]
    tasks = [client("Set", **WHOLE), client("Set again", **WHOLE)]
    real = play(lab, tmp_path, (pc, tasks), arguments="--diff")
    suffixes = ["contoso.com", "east.contoso.com", "west.contoso.com"]
    assert changes(real, "Set") == {
        "KMS lookup domain": (None, "west.contoso.com"),
        "KMS host caching": (True, False),
        "activation type": ("all", "kms"),
        "DNS suffix search list": (None, suffixes),
        "alternate URL": (None, HELP),
    }
    assert changes(check, "Check") == changes(real, "Set")
    assert check.of_task("Check")[0].result["diff"] == real.of_task("Set")[0].result["diff"]
    assert changes(real, "Set again") == {}
    result = real.of_task("Set again")[0].result
    assert result["suffixes"] == {"search_list": suffixes, "source": "set", "effective": suffixes}
    assert (result["domain_member"], result["domain"], result["caching"]) == (True, "contoso.com", False)
    seen = lab.control.host("pc-001")
    assert (seen["host_caching"], seen["suffixes"]) == (False, suffixes)
    assert seen["registry"][rf"{PLATFORM}\Activation\AlternateURL"] == HELP
    assert seen["registry"][rf"{PLATFORM}\KeyManagementServiceLookupDomain"] == "west.contoso.com"
    back = play(lab, tmp_path, (pc, [client("Set back", **BACK), client("Set back again", **BACK)]))
    assert set(changes(back, "Set back")) == set(changes(real, "Set"))
    assert changes(back, "Set back again") == {}
    assert {name: lab.control.host("pc-001")[name] for name in ("registry", "host_caching", "suffixes")} == {
        name: before[name] for name in ("registry", "host_caching", "suffixes")
    }


def test_hosts_without_records_activate_by_a_fixed_host_and_go_back_to_discovery(lab: Lab, tmp_path: Path) -> None:
    servers = [f"srv-{number:02d}" for number in range(1, SERVERS + 1)]
    pattern = ":".join(f"{label}.contoso.com" for label in servers)
    host = {"product_key": "{{ kms_single_site_csvlk }}", "activate": True, "dns_publishing": False, "firewall": True}
    fixed = {"kms_host": KMS_1.fqdn, "kms_port": 1688}
    run = play(
        lab,
        tmp_path,
        (KMS_1.fqdn, [{"name": "Host", "winops.volume_activation.kms_host": host}]),
        (pattern, [client("Ask", **fixed), client("Ask again", **fixed)]),
        ("srv-01.contoso.com", [client("Discover", discover=True, activate=False)]),
    )
    assert lab.witness.srv() == []
    assert {entry.result["activation"]["state"] for entry in run.of_task("Ask")} <= {"counted", "licensed"}
    for entry in run.of_task("Ask again"):
        assert (entry.result["activation"]["state"], len(entry.result["steps"]) <= 1) == ("licensed", True)
    name = rf"{PLATFORM}\KeyManagementServiceName"
    for label in servers:
        seen = lab.control.host(label)
        assert seen["license_status"] == 1
        assert seen["registry"].get(name) == (None if label == "srv-01" else KMS_1.fqdn)
    assert changes(run, "Discover") == {"KMS host": (KMS_1.fqdn, None)}
