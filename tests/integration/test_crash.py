# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules of the crash test: two small ones on KMS hosts and four clients, eight of all playbooks in each soak, and bugs that it has to find."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import tiers
from crash.kinds import BY_NAME
from crash.kms import SingleSite
from crash.schedule import Schedule
from crash.trial import Wanted, judged, ran
from crash.world import world_of

from lab import names
from lab.witness import Srv

from .conftest import NEEDS_DOMAIN, Lab

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]

INSTALL, ACTIVATE = "Invoke:InstallProductKey SoftwareLicensingService", "Invoke:Activate SoftwareLicensingProduct"
SMALL = [
    Schedule(0, "kms_single_site", BY_NAME["kill of the whole tree"], INSTALL, 1, {}),
    Schedule(0, "kms_single_site", BY_NAME["kill of one worker"], ACTIVATE, 1, {}),
]
SHARE = 8
BOTH = [Srv(0, 0, 1688, machine.fqdn) for machine in names.kms_hosts()]
# By bug a seed that finds it.
FOUND = {
    "journal of confirmation IDs": 176,
    "repeat of an unknown confirmation ID": 163,
    "repeat after a lost answer": 776,
    "read-back": 2622,
    "lock": 8,
}
# Another writer has to come in between, which it may miss once.
ATTEMPTS = 3


@pytest.mark.tier("test")
def test_kms_hosts_and_four_clients_end_alike_after_two_kills(fresh_lab: Lab) -> None:
    with world_of(SingleSite, fresh_lab) as world:
        traces = [ran(world, schedule) for schedule in SMALL]
        assert fresh_lab.witness.srv() == BOTH
    for trace, other in zip(traces, reversed(traces), strict=True):
        # Each host gets its key once, and both runs end at the same place; what that is, other tests say.
        installs = dict.fromkeys((machine.fqdn for machine in names.kms_hosts()), 1)
        verdict = judged(trace, Wanted(other.end, installs, {}))
        assert verdict.hits and verdict.broken == [], str(verdict)
        assert sum(host["license_status"] == 1 for host in trace.end.hosts.values()) == 2 + 4


def crash(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The program with those arguments."""
    command = [sys.executable, "-m", "crash", *arguments]
    return subprocess.run(command, cwd=Path(tiers.__file__).parent, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("number", range(SHARE))
def test_a_schedule_of_this_seed_holds(number: int) -> None:
    seed = tiers.seed() * SHARE + number
    done = crash("--seed", str(seed))
    assert done.returncode == 0, f"python -m crash --seed {seed}\n{done.stdout[-4000:]}{done.stderr[-2000:]}"


@pytest.mark.parametrize("bug", FOUND)
def test_a_planted_bug_is_found(bug: str) -> None:
    runs = (crash("--seed", str(FOUND[bug]), "--plant", bug) for _attempt in range(ATTEMPTS))
    assert any(run.returncode == 1 and f"BROKEN: {FOUND[bug]}:" in run.stdout for run in runs)
