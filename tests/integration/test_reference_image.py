# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reference computer through Ansible, and what becomes of thirty copies of its image; and of copies of one that was not generalized.

The tests stand in the order in which the world goes on. Of the machines only pc-001 is ever generalized; it is asked with an account of
its own, because it leaves the domain by that.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import names, park
from lab.inventory import CONNECTIONS
from lab.play import Run, run_playbook

from . import documented
from .conftest import NEEDS_DOMAIN, Lab, eventually

pytestmark = [pytest.mark.tier("test"), NEEDS_DOMAIN]

KMS_1 = names.kms_hosts()[0]
PLAYBOOK = f"{documented.COLLECTION}.reference_image"
REFERENCE, RAW = "pc-001", "pc-040"
COPIES = [f"pc-{number:03d}" for number in range(2, 32)]
RAW_COPIES = [f"pc-{number:03d}" for number in range(41, 46)]
HELP = "https://contoso.com/help"
PLATFORM = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform"
OPEN = 'netsh.exe advfirewall firewall set rule group="@FirewallAPI.dll,-28002" new enable=yes'
GENERALIZED = "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE"
ASKING = ("sppsvc", "events")
# Others have asked before, as in a company that has a KMS host already.
ASKED_BEFORE = 25


def count(lab: Lab) -> int:
    """How many clients the KMS host has counted."""
    return len(lab.control.host(KMS_1.label)["clients"])


def set_up_kms(lab: Lab) -> None:
    """A KMS host that publishes itself, and that nobody has asked."""
    control = lab.control
    control.call("call_service", host=KMS_1.label, method="InstallProductKey", arguments={"ProductKey": park.PARKS["modern"].csvlk})
    control.call("call_method", host=KMS_1.label, class_name="Win32_Process", method="Create", arguments={"CommandLine": OPEN})
    assert control.activate(KMS_1.label) == "0x00000000"
    assert eventually(lambda: lab.witness.srv() and control.host(KMS_1.label)["open_port"])


@pytest.fixture(scope="module")
def lab(running_lab: Lab) -> Lab:
    """With a KMS host that activates whoever asks."""
    running_lab.control.reset()
    set_up_kms(running_lab)
    assert running_lab.control.count_clients(KMS_1.label, ASKED_BEFORE) == ASKED_BEFORE
    return running_lab


@pytest.fixture(scope="module")
def inventory(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lab's inventory with a group of its own for the reference computer."""
    found: dict[str, Any] = yaml.safe_load(lab.layout.inventory.read_text(encoding="utf-8"))
    local = CONNECTIONS["psrp_basic_tls"](lab.layout)
    own = {**local, "ansible_host": names.clients(1)[0].address, "ansible_password": names.LOCAL_ADMIN_PASSWORD}
    found["all"]["children"] = {"reference_computers": {"hosts": {f"{REFERENCE}.{names.ZONE}": own}}}
    path = tmp_path_factory.mktemp("inventory") / "hosts.yml"
    path.write_text(yaml.safe_dump(found), encoding="utf-8")
    return path


def seal(lab: Lab, inventory: Path, arguments: str = "", playbook: str = PLAYBOOK, **variables: Any) -> Run:
    given = {"reference_image_allow_domain_member": "true", "reference_image_alternate_url": HELP, **variables}
    return run_playbook(lab.layout.root, playbook, inventory=inventory, arguments=arguments, variables=given)


def steps(run: Run) -> list[tuple[str, Any, Any]]:
    return [(step["attribute"], step["before"], step["after"]) for step in run.steps()]


def ask(lab: Lab, folder: Path, hosts: list[str]) -> Run:
    """Let clients ask once."""
    path = folder / "ask.yml"
    tasks = [{"name": "Ask", "winops.volume_activation.kms_client": {"discover": True}}]
    play = {"name": "Clients", "hosts": ":".join(f"{label}.{names.ZONE}" for label in hosts), "gather_facts": False, "tasks": tasks}
    path.write_text(yaml.safe_dump([play]), encoding="utf-8")
    return lab.play(str(path))


def test_a_member_of_a_domain_is_refused_before_anything_changes(lab: Lab, inventory: Path) -> None:
    before = lab.control.host(REFERENCE)
    run = seal(lab, inventory, reference_image_allow_domain_member="")
    assert run.rc != 0
    assert "Nothing was changed. 1 of 1 findings stand in the way" in run.failures()[-1]
    assert "it is a member of contoso.com" in run.failures()[-1]
    after = lab.control.host(REFERENCE)
    # That its licensing service was asked is in its state, and in its events.
    assert {name: after[name] for name in before if name not in ASKING} == {name: before[name] for name in before if name not in ASKING}


@pytest.mark.tier("soak")
def test_a_setup_key_in_place_of_a_mak_is_refused_before_anything_changes(lab: Lab, inventory: Path) -> None:
    before = lab.control.host(REFERENCE)
    run = seal(lab, inventory, reference_image_mak="NPPR9-FWDCX-D2C8J-H872K-2YT43", reference_image_allow_domain_member="true")
    assert run.rc != 0
    assert (
        "reference_image_mak is the client setup key that Microsoft publishes for Windows 10/11 Enterprise, and no MAK."
        in run.failures()[-1]
    )
    after = lab.control.host(REFERENCE)
    assert {name: after[name] for name in before if name not in ASKING} == {name: before[name] for name in before if name not in ASKING}


SEALED = {"reference_image_allow_domain_member": "true", "reference_image_alternate_url": HELP}


def test_the_reference_computer_is_activated_and_generalized_once(lab: Lab, inventory: Path) -> None:
    planned = seal(lab, inventory, "--check")
    assert planned.rc == 0, planned.output[-3000:]
    assert lab.control.host(REFERENCE)["processes"] == []
    survey = {name: "" for entry in documented.role_options("reference_image").values() for name in entry}
    run = seal(lab, inventory, **{**survey, **SEALED})
    assert (run.status, run.rc) == ("successful", 0), run.output[-4000:]
    assert steps(run) == steps(planned)
    assert [step[0] for step in steps(run)] == ["KMS host caching", "alternate URL", "license status", "image state", "domain"]
    seen = lab.control.host(REFERENCE)
    assert (seen["image_state"], seen["license_status"], seen["rearms"], seen["member"]) == (GENERALIZED, 1, 2, False)
    assert (seen["host_caching"], seen["registry"][rf"{PLATFORM}\Activation\AlternateURL"]) == (False, HELP)
    assert seen["processes"] == [r"C:\Windows\System32\Sysprep\sysprep.exe /generalize /oobe /quit /quiet"]
    summary = "\n".join(run.of_task("Summary")[-1].result["msg"])
    for part in (GENERALIZED, "rearms 3 -> 2", f"activated by {KMS_1.fqdn}:1688", "capture its disk before it is started again"):
        assert part in summary
    assert json.loads(json.dumps(run.custom_stats)) == {"reference_image": {"sealed": 1, "unseen": 0, "computers": 1}}
    again = seal(lab, inventory)
    assert (again.rc, steps(again), again.changed()) == (0, [], 0), again.output[-3000:]
    assert lab.control.host(REFERENCE)["processes"] == seen["processes"]


@pytest.mark.tier("soak")
def test_thirty_copies_of_it_activate(lab: Lab, inventory: Path, tmp_path: Path) -> None:
    if lab.control.host(REFERENCE)["image_state"] != GENERALIZED:
        assert seal(lab, inventory, **SEALED).rc == 0
    # A KMS host keeps 50 clients at most, so that a new one shows best how many of them it tells apart.
    lab.control.call("reset_windows", hosts=[KMS_1.label])
    set_up_kms(lab)
    lab.control.clone(REFERENCE, COPIES)
    assert count(lab) == 0
    for _time in range(2):
        run = ask(lab, tmp_path, COPIES)
        assert run.rc == 0, run.output[-3000:]
        assert count(lab) == len(COPIES)
    seen = [lab.control.host(label) for label in COPIES]
    assert len({host["cmid"] for host in seen}) == len(COPIES)
    assert {host["license_status"] for host in seen} == {1}
    # They are what the reference computer was, under names of their own.
    assert {host["registry"][rf"{PLATFORM}\Activation\AlternateURL"] for host in seen} == {HELP}
    assert [host["host"] for host in seen] == [f"{label}.{names.ZONE}" for label in COPIES]


@pytest.mark.tier("soak")
def test_copies_of_an_image_that_was_not_generalized_are_one_and_the_audit_says_so(lab: Lab, tmp_path: Path) -> None:
    lab.control.activate(RAW)
    before = count(lab)
    lab.control.clone(RAW, RAW_COPIES)
    shared = {lab.control.host(label)["cmid"] for label in [RAW, *RAW_COPIES]}
    run = ask(lab, tmp_path, RAW_COPIES)
    assert run.rc == 0, run.output[-3000:]
    assert (len(shared), count(lab)) == (1, before)
    sites = {
        "contoso": {
            "domain": names.ZONE,
            "group": names.KMS_GROUP,
            "domain_controllers": [names.DC_FQDN],
            "dns_servers": [names.DC_ADDRESS],
            "kms_hosts": [{"name": KMS_1.fqdn}],
        }
    }
    limit = ":".join(f"{label}.{names.ZONE}" for label in [KMS_1.label, RAW, *RAW_COPIES[:1], *COPIES[:3]])
    audit = lab.play(f"{documented.COLLECTION}.audit", arguments=f"--limit {limit}", volume_activation_sites=sites)
    (report,) = audit.of_task("Print the report as JSON")
    found = [entry for entry in report.result["msg"]["deviations"] if "client machine ID" in entry["attribute"]]
    assert [sorted(entry["found"]) for entry in found] == [[f"{label}.{names.ZONE}" for label in (RAW, RAW_COPIES[0])]]
    assert (
        f"2 computers ({RAW}.{names.ZONE}, {RAW_COPIES[0]}.{names.ZONE}) share the client machine ID (CMID) {shared.pop()}"
        in found[0]["text"]
    )


@pytest.mark.tier("soak")
def test_the_role_in_a_play_refuses_batches_and_hosts_that_go_apart(lab: Lab, tmp_path: Path) -> None:
    before = len(lab.requests())
    for says, keywords in documented.REFUSED.items():
        play = documented.own_play(tmp_path, "reference_image", f"{REFERENCE}.{names.ZONE}:{RAW}.{names.ZONE}", **keywords)
        refused = seal(lab, lab.layout.inventory, playbook=play)
        assert refused.rc != 0
        assert f"{says}, or run the playbook {PLAYBOOK}." in refused.failures()[0]
    assert len(lab.requests()) == before


@pytest.mark.tier("soak")
def test_a_computer_that_sysprep_takes_down_in_a_play_with_the_role_no_longer_answers(lab: Lab, inventory: Path, tmp_path: Path) -> None:
    # It was started again meanwhile.
    lab.control.stop_host(REFERENCE)
    lab.control.start_host(REFERENCE)
    play = documented.own_play(tmp_path, "reference_image", "reference_computers")
    run = seal(lab, inventory, playbook=play, reference_image_finish="shutdown", reference_image_mode_vm="true")
    assert run.rc == 0, run.output[-3000:]
    (sealing,) = run.of_task("Generalize the computer")
    assert (sealing.result["ending"], sealing.result["answers"]) == ("no_longer_answers", False)
    seen = lab.control.host(REFERENCE)
    assert (seen["running"], seen["image_state"]) == (False, GENERALIZED)
    assert seen["processes"][-1].endswith("/generalize /oobe /shutdown /quiet /mode:vm")
    assert "no longer answers" in run.of_task("Summary")[-1].result["msg"][2]
