# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A KMS host that lies about its name gives nobody a right; samba-tool is the witness."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lab import names
from lab.play import Run, run_playbook

from .conftest import NEEDS_DOMAIN, Lab
from .labs import PLAY_VARIABLES
from .test_killed_runs import reached

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]

FIRST, SECOND = names.kms_hosts()
MEMBERS = sorted([FIRST.account, SECOND.account])
SYSTEM = "Win32_OperatingSystem"


@pytest.mark.parametrize("said", ["PC-001", "dc1", FIRST.netbios, "KMS_2_OLD"])
def test_a_host_that_says_it_is_another_computer_changes_nothing(said: str, fresh_lab: Lab):
    before = reached(fresh_lab)
    fresh_lab.control.say(SECOND.label, SYSTEM, CSName=said)
    run = fresh_lab.play(arguments="--limit kms_hosts")
    assert run.rc == 2
    assert f"Its machine account is {SECOND.account}, and the host says that it is {said}." in run.failures()[0]
    assert "kms_single_site_account" in run.failures()[0]
    assert not fresh_lab.witness.search(f"(sAMAccountName={names.KMS_GROUP})")
    assert reached(fresh_lab) == before
    # The group that is there already stays as it is.
    fresh_lab.witness.add_group(members=(FIRST.account,))
    assert fresh_lab.play(arguments="--limit kms_hosts").rc == 2
    assert fresh_lab.witness.group_members() == [FIRST.account]


def test_the_name_in_another_case_is_the_same_computer(fresh_lab: Lab):
    fresh_lab.control.say(SECOND.label, SYSTEM, CSName=SECOND.netbios.lower())
    run = fresh_lab.play(arguments="--limit kms_hosts")
    assert run.rc == 0, run.output[-3000:]
    assert sorted(fresh_lab.witness.group_members()) == MEMBERS


def test_an_address_alone_tells_no_account_and_the_inventory_can(tmp_path: Path, fresh_lab: Lab):
    before = reached(fresh_lab)
    known = yaml.safe_load(fresh_lab.layout.inventory.read_text(encoding="utf-8"))

    def play(**of_host: str) -> Run:
        hosts = {machine.address: {name: value.format(machine) for name, value in of_host.items()} for machine in (FIRST, SECOND)}
        known["all"]["children"]["kms_hosts"]["hosts"] = hosts
        file = tmp_path / "inventory.yml"
        file.write_text(yaml.safe_dump(known, sort_keys=False), encoding="utf-8")
        return run_playbook(fresh_lab.layout.root, inventory=file, arguments="--limit kms_hosts", variables=PLAY_VARIABLES)

    alone = play()
    assert alone.rc == 2
    assert f"STOP  {FIRST.address}, {SECOND.address}  The inventory has only the address <host> for it" in alone.failures()[0]
    assert reached(fresh_lab) == before
    swapped = play(kms_single_site_account=FIRST.account)
    assert swapped.rc == 2
    assert f"Its machine account is {FIRST.account}, and the host says that it is {SECOND.netbios}." in swapped.failures()[0]
    assert reached(fresh_lab) == before
    named = play(kms_single_site_account="{0.account}")
    assert named.rc == 0, named.output[-3000:]
    assert sorted(fresh_lab.witness.group_members()) == MEMBERS
    assert [value.target for value in fresh_lab.witness.srv()] == [FIRST.fqdn, SECOND.fqdn]
