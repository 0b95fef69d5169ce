# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What MAK proxy activation leaves in the variables of hosts, and which tasks a computer passes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.microsoft.elsewhere import microsoft_elsewhere

from . import documented
from .conftest import Lab
from .test_mak_proxy import Site, canary, carry, confirmations

pytestmark = [pytest.mark.tier("test"), pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")]

ONE, TWO, THREE = "pc-001", "pc-002", "pc-003"
# All that hosts have, as it is: registered results, facts and what the inventory gives.
DUMP = """
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        hostvars = task_vars["hostvars"]
        with open(self._task.args["path"], "w", encoding="utf-8") as file:
            for host in [*task_vars["groups"]["all"], "localhost"]:
                file.write(f"{host}: {hostvars.raw_get(host)!r}\\n")
        return {}
"""


@pytest.fixture
def site(isolated_lab: Lab, tmp_path: Path) -> Iterator[Site]:
    for name in ("isolated", "connected"):
        (tmp_path / name).mkdir()
    with microsoft_elsewhere(tmp_path / "microsoft") as microsoft:
        yield Site(isolated_lab, microsoft, tmp_path)


def dumped(site: Site, name: str, hosts: list[str]) -> tuple[str, str]:
    """Run a playbook; what it printed, and what all variables are in the end."""
    folder, kept = site.folder / name, site.folder / f"{name}.txt"
    (folder / "action_plugins").mkdir(parents=True)
    (folder / "action_plugins" / "dump.py").write_text(DUMP, encoding="utf-8")
    task = {"name": "Dump", "dump": {"path": str(kept)}, "run_once": True}
    plays = [
        {"name": "It", "ansible.builtin.import_playbook": f"{documented.COLLECTION}.mak_proxy_{name}"},
        {"name": "Dump", "hosts": "isolated", "gather_facts": False, "tasks": [task]},
    ]
    (folder / "play.yml").write_text(yaml.safe_dump(plays), encoding="utf-8")
    said = site.play(name, hosts, playbook=str(folder / "play.yml"))
    return said, kept.read_text(encoding="utf-8")


def hide(site: Site, label: str) -> None:
    """Say in the inventory that a computer listens where nobody does."""
    inventory = yaml.safe_load(site.inventory.read_text(encoding="utf-8"))
    for group in inventory["all"]["children"].values():
        if canary(label) in (group.get("hosts") or {}):
            group["hosts"][canary(label)] = {**(group["hosts"][canary(label)] or {}), "ansible_port": 1}
    site.inventory.write_text(yaml.safe_dump(inventory), encoding="utf-8")


def passed(said: str) -> dict[str, int]:
    """How many tasks each computer has passed, by its label. The first one of a play also has those that run once."""
    recap = re.findall(r"^canary-(\S+?)\.\S+ +: ok=(\d+) .* unreachable=(\d+) +failed=(\d+) +skipped=(\d+)", said, re.MULTILINE)
    return {label: sum(map(int, numbers)) for label, *numbers in recap}


def test_no_variable_holds_a_confirmation_id_and_nobody_passes_a_task_that_is_not_meant_for_it(site: Site):
    hosts = [ONE, TWO, THREE]
    assert passed(site.play("collect", hosts)) | {ONE: 0} == {ONE: 0, TWO: 3, THREE: 3}
    # Who is known is not asked again.
    assert passed(site.play("collect", hosts)).keys() == {ONE}
    carry(site.leaving, site.outside)
    site.play("acquire")
    carry(site.outside, site.leaving)

    # One that does not answer is a line of the summary, and no failure.
    hide(site, THREE)
    said, variables = dumped(site, "apply", hosts)
    assert "Computers: 2 activated, 1 not reached" in said and f"Not reached: {canary(THREE)}" in said
    counted = passed(said)
    assert (counted[TWO], counted[THREE], site.licensed()) == (1, 1, {ONE, TWO})
    known = confirmations(site.list)
    assert known.keys() == set(map(canary, hosts))
    products = [
        product for computer in json.loads(site.list.read_bytes())["computers"].values() for product in computer["products"].values()
    ]
    # Everything else of the list is there, and so the dump is one.
    assert all(product["installation_id"] in variables for product in products)
    assert [host for host, confirmation in known.items() if confirmation in variables or confirmation in said] == []

    for label in (ONE, TWO):
        site.lab.control.reimage(label, same_hardware=label == ONE)
    said, variables = dumped(site, "reapply", [ONE])
    assert "Computers: 1 activated" in said
    assert not any(confirmation in variables + said for confirmation in known.values())
    # One on other hardware is refused, and it alone fails, at the end.
    said = site.play("reapply", [ONE, TWO], rc=2)
    assert "Computers: 1 licensed before, 1 failed" in said
    end = said.partition("Fail for this computer")[2]
    [failure] = re.findall(r"^fatal: \[(\S+)\]: FAILED! => .*the confirmation ID is for", end, re.MULTILINE)
    assert failure == canary(TWO)
    assert site.licensed() == {ONE}


def own(site: Site, step: str, hosts: str = "isolated", **keywords: Any) -> str:
    """A play of a user with the role."""
    folder = site.folder / "own"
    folder.mkdir(exist_ok=True)
    return documented.own_play(folder, "mak_proxy", hosts, vars={"mak_proxy_step": step}, **keywords)


def test_the_role_in_a_play_collects_and_costs_a_computer_at_most_eight_tasks(site: Site):
    hosts = [ONE, TWO, THREE]
    assert "mak_proxy_step is not set." in site.play("collect", hosts, rc=2, playbook=own(site, ""))
    for says, keywords in documented.REFUSED.items():
        said = site.play("collect", hosts, rc=2, playbook=own(site, "collect", **keywords))
        assert f"{says}, or run the playbook winops.volume_activation.mak_proxy_collect." in said
    assert site.lab.requests() == []
    hide(site, THREE)
    said = site.play("collect", hosts, playbook=own(site, "collect"))
    assert "Computers: 2 with an installation ID, 1 not reached" in said
    assert (passed(said)[TWO], passed(said)[THREE]) == (7, 6)


@pytest.mark.tier("soak")
def test_the_role_in_a_play_does_each_step_where_it_belongs(site: Site):
    hosts = [ONE, TWO, THREE]
    site.play("collect", hosts, playbook=own(site, "collect"))
    carry(site.leaving, site.outside)
    assert "3 confirmation IDs, 3 of them obtained by this run" in site.play("acquire", playbook=own(site, "acquire", "localhost"))
    carry(site.outside, site.leaving)
    said = site.play("apply", hosts, playbook=own(site, "apply"))
    assert ("Computers: 3 activated" in said, site.licensed(), passed(said)[TWO]) == (True, set(hosts), 5)
    assert "Every product has its confirmation ID." in site.play("phone", playbook=own(site, "phone", "localhost"))
    for label in (ONE, TWO):
        site.lab.control.reimage(label, same_hardware=label == ONE)
    said = site.play("reapply", hosts, rc=2, playbook=own(site, "reapply"))
    assert "Computers: 1 activated, 1 licensed before, 1 failed" in said
    assert (passed(said)[TWO], site.licensed(), site.counted()) == (6, {ONE, THREE}, 3)


def test_check_mode_foretells_each_step_and_changes_nothing(site: Site):
    hosts = [ONE, TWO]
    assert "Computers: 2 due" in site.play("collect", hosts, check=True)
    assert not site.list.exists() and not site.leaving.exists()
    site.play("collect", hosts)
    carry(site.leaving, site.outside)
    site.play("acquire")
    carry(site.outside, site.leaving)
    before = site.list.read_bytes()
    # The list has no confirmation ID yet, and would have both.
    assert "Computers: 2 due" in site.play("apply", hosts, check=True)
    assert (site.list.read_bytes(), site.depositing(), site.licensed()) == (before, [], set())
    site.play("apply", hosts)
    site.lab.control.reimage(ONE)
    before = site.list.read_bytes()
    assert "Computers: 1 licensed before, 1 due" in site.play("reapply", hosts, check=True)
    assert (site.list.read_bytes(), site.licensed()) == (before, {TWO})


def test_a_result_by_another_name_stops_the_run_with_its_name(tmp_path: Path):
    build = documented.TREE / "build/collections"
    shutil.copytree(build, tmp_path / "collections")
    tasks = tmp_path / "collections/ansible_collections/winops/volume_activation/roles/mak_proxy/tasks/phone.yml"
    text = tasks.read_text(encoding="utf-8")
    tasks.write_text(text.replace("register: __mak_proxy_before", "register: __mak_proxy_befor"), encoding="utf-8")
    state = tmp_path / "state"
    run = subprocess.run(
        ["ansible-playbook", f"{documented.COLLECTION}.mak_proxy_phone", "-e", f"volume_activation_state_directory={state}"],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "collections"), "ANSIBLE_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert "No host has the result __mak_proxy_before, which this task reads as listed." in run.stdout
