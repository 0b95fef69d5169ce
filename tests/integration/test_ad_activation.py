# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Activation by Active Directory: an object of the forest activates members without any KMS host, unless the activation type forbids it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import names
from lab.play import Run

from .conftest import Lab
from .test_slmgr import CONTAINER, make_activation_objects

pytestmark = pytest.mark.tier("test")

ANY, BY_KMS, BY_DIRECTORY = names.clients(3)
OPTIONS: dict[names.Machine, dict[str, Any]] = {
    ANY: {},
    BY_KMS: {"activation_type": "kms"},
    BY_DIRECTORY: {"activation_type": "active_directory"},
}


def play(lab: Lab, folder: Path, hosts: list[names.Machine]) -> Run:
    tasks = [
        {"name": "Activate", "winops.volume_activation.kms_client": {"discover": True, "activation_type": "{{ wanted | default(omit) }}"}},
        {"name": "Read", "winops.volume_activation.license_info": {}},
    ]
    plays = [
        {
            "name": host.label,
            "hosts": host.fqdn,
            "gather_facts": False,
            "tasks": [task | {"ignore_errors": True} for task in tasks],
            "vars": {"wanted": name} if (name := OPTIONS[host].get("activation_type")) else {},
        }
        for host in hosts
    ]
    path = folder / "play.yml"
    path.write_text(yaml.safe_dump(plays, width=1000), encoding="utf-8")
    return lab.play(str(path))


def of(run: Run, task: str) -> dict[str, dict[str, Any]]:
    return {entry.host: entry.result for entry in run.of_task(task)}


@pytest.fixture(scope="module")
def story(running_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """A forest with activation objects and no KMS host at all, and the same forest without them."""
    folder = tmp_path_factory.mktemp("directory")
    running_lab.control.reset()
    without = play(running_lab, folder, [BY_DIRECTORY])
    make_activation_objects(running_lab)
    return {"without": without, "first": play(running_lab, folder, list(OPTIONS)), "again": play(running_lab, folder, [ANY])}


def test_a_member_is_activated_by_the_object_and_says_by_which(story: dict[str, Run]):
    activated, read = of(story["first"], "Activate"), of(story["first"], "Read")
    for host in (ANY, BY_DIRECTORY):
        activation = activated[host.fqdn]["activation"]
        assert (activation["state"], activation["type"], activation["activation_object"]) == (
            "licensed",
            "active_directory",
            "Contoso 2022",
        )
        windows = read[host.fqdn]["windows"]
        assert (windows["status"], windows["activation_type"]) == ("licensed", "active_directory")
        assert windows["ad_activation"]["object_dn"].lower() == f"CN=Contoso 2022,{CONTAINER}".lower()
        assert windows["ad_activation"]["csvlk_pid"].startswith("06401-00206-471-")
    assert of(story["again"], "Activate")[ANY.fqdn]["steps"] == []


def test_the_activation_type_forbids_either_way(story: dict[str, Run]):
    forbidden = of(story["first"], "Activate")[BY_KMS.fqdn]
    # Active Directory would have had an object: DNS was asked for a KMS host, and there is none.
    assert forbidden["error"]["code"] == "0x8007232B"
    assert len(forbidden["error"]["done"]) == 1
    without = of(story["without"], "Activate")[BY_DIRECTORY.fqdn]
    assert without["error"]["code"] == "0x80072030"
    assert of(story["without"], "Read")[BY_DIRECTORY.fqdn]["windows"]["activation_type_allowed"] == "active_directory"
