# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example repository on the lab, unchanged, by the commands of its own CI file."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import names
from lab.play import lab_environment
from lab.windows import data

from .conftest import Lab
from .directory.helpers import tool
from .documented import TREE
from .leaks import leaks
from .stories import steady

pytestmark = pytest.mark.tier("soak")

EXAMPLE = TREE / "docs/examples/contoso"
PASSWORD = re.search(r"password of the vault in this example is `([^`]+)`", (EXAMPLE / "README.md").read_text(encoding="utf-8"))
MAK_CLIENTS = {f"pc-0{number}.contoso.com" for number in range(11, 17)}
SLICES = ("slice_a", "slice_b")
DIFFERS = 2
"""The exit code of an audit that finds something."""


@dataclass(frozen=True)
class Repository:
    """The example as a job of its CI has it.

    Attributes:
        lab: The lab.
        place: A copy of the example.
        environment: The variables of a job.
    """

    lab: Lab
    place: Path
    environment: dict[str, str]

    def job(self, name: str, ends: tuple[int, ...] = (0,), **variables: str) -> str:
        """Run the script of a job, without what installs packages, and return what it says. Each line has to end with one of these codes."""
        found: dict[str, Any] = yaml.safe_load((self.place / ".gitlab-ci.yml").read_text(encoding="utf-8"))
        said = ""
        for line in found[name]["script"]:
            said += self.run(line, ends, **variables)
        return said

    def run(self, line: str, ends: tuple[int, ...] = (0,), **variables: str) -> str:
        """Run a command line, which has to end with one of these codes, and return what it says."""
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=self.place,
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode in ends, f"{line}: {done.returncode}\n{done.stdout[-4000:]}"
        return done.stdout

    def hosts_asked(self, since: int) -> set[str]:
        """The hosts that were asked anything since so many requests."""
        return {entry["host"] for entry in itertools.islice(self.lab.requests(), since, None)}


@pytest.fixture
def repository(mak_lab: Lab, tmp_path: Path) -> Repository:
    password, state = tmp_path / "password", tmp_path / "state"
    password.write_text(f"{PASSWORD[1] if PASSWORD else ''}\n", encoding="utf-8")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
        **lab_environment(mak_lab.layout.root),
        "ANSIBLE_VAULT_PASSWORD_FILE": str(password),
        "ANSIBLE_INVENTORY": f"inventory,{mak_lab.layout.addresses}",
        "CONTOSO_STATE": str(state),
        "ANSIBLE_FORCE_COLOR": "false",
    }
    state.mkdir()
    place = tmp_path / "contoso"
    shutil.copytree(EXAMPLE, place)
    return Repository(mak_lab, place, environment)


def test_lint_check_run_again_audit_and_report(repository: Repository):
    lab, fleet = repository.lab, {"kms-1.contoso.com", "kms-2.contoso.com"}
    world = lab.world()
    said = repository.job("lint") + repository.job("check", ends=(0, DIFFERS))
    assert "Key enterprise (...7VCKF) by rule: 1" in said and "Key professional (...86VPM) by rule: 4" in said, said[-4000:]
    assert lab.world()["srv"] == world["srv"]
    said += repository.job("run")
    # Too few clients count for a KMS host. The rest of the company asks meanwhile.
    for host in fleet:
        lab.control.count_clients(host.partition(".")[0], 30)
    said += repository.job("run")
    again = repository.job("run")
    assert re.search(r"^RECAP .*: [0-9]+ unchanged$", again, re.MULTILINE), again
    for part in SLICES:
        before = len(lab.requests())
        sliced = repository.job("clients", SLICE=part)
        assert not repository.hosts_asked(before) & fleet
        said += sliced
    before = len(lab.requests())
    said += repository.job("audit")
    # Only the hosts of the audit are read, and no preflight of another part runs.
    assert not MAK_CLIENTS & repository.hosts_asked(before)
    said += repository.job("report")
    assert (repository.place / "report.html").is_file()
    keys = {name: data.key_named(name).key for name in ("csvlk_2022", "mak_win_enterprise", "mak_win_professional")}
    assert leaks([("output", said.encode())], keys) == []


def test_a_tag_and_a_limit_leave_all_others_alone(repository: Repository):
    for limit, hosts in (("", MAK_CLIENTS), (" --limit pc-015.contoso.com", {"pc-015.contoso.com"})):
        before = len(repository.lab.requests())
        repository.run(f"ansible-playbook site.yml --check --tags mak{limit}")
        assert repository.hosts_asked(before) == hosts


def test_the_preflight_alone_and_the_rights_alone(repository: Repository):
    lab = repository.lab
    world, preflight = lab.world(), "kms_multi_site_preflight"
    said = repository.run(f"ansible-playbook site.yml --tags {preflight}")
    assert "Read the licensing state" in said
    assert steady(lab.world(), strict=True) == steady(world, strict=True)
    # The directory's own team has made the group.
    tool(lab.domain, "group", "add", names.KMS_GROUP)
    repository.run(f"ansible-playbook site.yml --tags {preflight},kms_multi_site_rights")
    assert lab.witness.rights().keys() >= {names.KMS_GROUP}
    changed = {name for name, value in steady(lab.world(), strict=True).items() if steady(world, strict=True).get(name) != value}
    assert changed == {"sddl", "members"} and lab.world()["members"] == []
