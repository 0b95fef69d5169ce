# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit of computers of which none answers, and what its internal action refuses. It needs no laboratory."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from . import documented

TREE = Path(__file__).resolve().parents[2]
ROLE = TREE / "roles/kms_audit"
RUN, PLAYBOOK = "winops.volume_activation.run_audit", "winops.volume_activation.audit"
# Nobody listens there.
NOWHERE = "127.0.0.99"
KMS, CLIENTS = "kms-1.contoso.com", [f"pc-{number}.contoso.com" for number in range(1, 41)]
SITE = {
    "domain": "contoso.com",
    "domain_controllers": [NOWHERE],
    "kms_hosts": [{"name": KMS, "inventory_hostname": KMS}],
}

pytestmark = pytest.mark.tier("test")


def inventory(folder: Path) -> Path:
    path = folder / "inventory.yml"
    variables = {
        "ansible_connection": "winrm",
        "ansible_host": NOWHERE,
        "ansible_port": 1,
        "ansible_winrm_scheme": "http",
        "ansible_winrm_transport": "ntlm",
        "ansible_user": "Administrator",
        "ansible_password": "secret",
        "volume_activation_sites": {"main": SITE},
        "volume_activation_domain_username": "reader@CONTOSO.COM",
        "volume_activation_domain_password": "secret",
        "volume_activation_state_directory": str(folder / "state"),
        "volume_activation_first_contact_timeout": 2,
    }
    groups = {"kms_hosts": {"hosts": {KMS: {}}}, "kms_clients": {"hosts": {name: {} for name in CLIENTS}}}
    path.write_text(yaml.safe_dump({"all": {"vars": variables, "children": groups}}, sort_keys=False), encoding="utf-8")
    return path


def ansible(folder: Path, playbook: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(TREE / "build/collections"),
        "ANSIBLE_HOME": str(TREE / "build/home/.ansible"),
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }
    command = ["ansible-playbook", "-i", str(inventory(folder)), playbook, *arguments]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def plays(folder: Path, *given: dict[str, Any]) -> str:
    """A playbook over all hosts."""
    path = folder / "play.yml"
    whole = [{"name": "Play", "hosts": "all", "gather_facts": False, **keywords} for keywords in given]
    path.write_text(yaml.safe_dump(whole), encoding="utf-8")
    return str(path)


def words(done: subprocess.CompletedProcess[str]) -> str:
    """What was printed, wherever lines are broken."""
    return " ".join(f"{done.stdout} {done.stderr}".split())


def recap(output: str) -> set[str]:
    """The hosts that had a task."""
    return {match[1] for match in re.finditer(r"^(\S+)\s+: ok=", output.partition("PLAY RECAP")[2], re.MULTILINE)}


def test_computers_that_are_dark_are_deviations_and_pass_no_task(tmp_path: Path):
    report = tmp_path / "report.json"
    done = ansible(tmp_path, PLAYBOOK, "-v", "-e", f"kms_audit_report_file={report}")
    assert done.returncode == 2, done.stdout[-3000:] + done.stderr[-3000:]
    found = json.loads(report.read_text(encoding="utf-8"))
    licenses = [entry["object"] for entry in found["deviations"] if entry["attribute"] == "license"]
    assert licenses == [KMS, *CLIENTS]
    # The name of the KMS host can't be resolved, which is a deviation; all else could not be checked.
    assert (found["verdict"], found["counts"]["deviation"]) == ("deviations", 1), found["deviations"]
    said = f"1 deviation, {found['counts']['unknown']} unknown, 0 notes: not all is as the sites declare it."
    assert f"{said} The task 'Show the deviations' lists them, and the report is in {report}." in words(done)
    assert "Fail if something deviates from the sites" in done.stdout
    assert f"{len(CLIENTS)} clients (" in done.stdout
    # A KMS host has the tasks that run once, because it is the first of the play.
    assert recap(done.stdout) == {KMS}
    assert "unreachable=0" in done.stdout
    assert len((tmp_path / "state/survey.audit.jsonl").read_text(encoding="utf-8").splitlines()) == len(licenses)
    # What the run has put together is not shown, and what people read is.
    assert done.stdout.count("censored") == len(re.findall(r"^TASK .*(?:Derive|List|Compare)", done.stdout, re.MULTILINE)) == 4


def test_the_role_in_a_play_looks_at_all_and_costs_a_client_two_tasks(tmp_path: Path):
    report, hosts = tmp_path / "report.json", "kms_hosts:kms_clients"
    play = documented.own_play(tmp_path, "kms_audit", hosts)
    done = ansible(tmp_path, play, "--limit", f"{KMS},{CLIENTS[0]},{CLIENTS[1]}", "-e", f"kms_audit_report_file={report}")
    assert "Fail if something deviates from the sites" in done.stdout, done.stdout[-3000:] + done.stderr[-3000:]
    found = json.loads(report.read_text(encoding="utf-8"))
    assert [entry["object"] for entry in found["deviations"] if entry["attribute"] == "license"] == [KMS, *CLIENTS[:2]]
    # Its options are checked, and it is no KMS host; the end of the run is for all.
    recap = re.findall(r"^pc-\S+ +: ok=(\d+) .* failed=(\d+) +skipped=(\d+)", done.stdout, re.MULTILINE)
    assert recap == [("1", "0", "1")] * 2
    for says, keywords in documented.REFUSED.items():
        done = ansible(tmp_path, documented.own_play(tmp_path, "kms_audit", hosts, **keywords), "--limit", ",".join(CLIENTS[:2]))
        assert done.returncode == 2
        assert f"{says}, or run the playbook {PLAYBOOK}." in words(done), done.stdout[-3000:]


@pytest.mark.tier("soak")
def test_a_result_that_is_registered_by_another_name_ends_the_run_with_its_name(tmp_path: Path):
    role = tmp_path / "roles/kms_audit"
    shutil.copytree(ROLE, role)
    text = (role / "tasks/read.yml").read_text(encoding="utf-8")
    planted = text.replace("register: __kms_audit_survey\n", "register: __kms_audit_read\n")
    assert planted != text
    (role / "tasks/read.yml").write_text(planted, encoding="utf-8")
    task = {"name": "Read", "ansible.builtin.import_role": {"name": "kms_audit", "tasks_from": "read", "rolespec_validate": False}}
    done = ansible(tmp_path, plays(tmp_path, {"tasks": [task]}), "--limit", f"{KMS},{CLIENTS[0]}")
    assert done.returncode == 2, done.stdout[-3000:] + done.stderr[-3000:]
    assert "No host has the result __kms_audit_survey, which this task reads as survey." in words(done)


def test_what_it_refuses_is_a_sentence(tmp_path: Path):
    refused = {
        "run_audit decides over all hosts from one task. Add run_once: true to it.": {"run_once": False},
        "sites can't be read as YAML: ": {"vars": {"sites": "east: ["}},
        "volume_activation_sites: nothing is no dictionary of sites.": {"vars": {"sites": ""}},
    }
    decide = {RUN: {"step": "topology", "sites": "{{ sites | default(volume_activation_sites) }}"}, "run_once": True, "ignore_errors": True}
    tasks = [{"name": "Decide", **decide, **keywords} for keywords in refused.values()]
    batches = {"serial": 2, "tasks": [{"name": "Decide", **decide}]}
    done = ansible(tmp_path, plays(tmp_path, {"tasks": tasks}, batches), "--limit", ",".join(CLIENTS[:3]))
    for sentence in (*refused, "run_audit decides over all hosts of the play at once. Take serial out of the play"):
        assert sentence in words(done), done.stdout[-3000:]
