# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site that has one KMS host that serves gets another one before anything is changed on the first."""

from __future__ import annotations

import pytest

from .conftest import NEEDS_DOMAIN, Lab
from .multi_site import kms_hosts, play

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]

TASK = "Set up and activate the KMS host, and publish it to every site"


def test_new_hosts_come_before_those_that_serve(zones_lab: Lab):
    lab = zones_lab
    lab.control.reset()
    first = [machine.fqdn for machine in kms_hosts(lab) if machine.number == 1]
    alone = play(lab, arguments=f"--limit {','.join(first)}")
    assert alone.rc == 0, alone.output[-3000:]
    # Something is due on those as well, for which the service is restarted.
    for name in first:
        lab.control.drift("port_changed", name.partition(".")[0])
    run = play(lab)
    lab.control.reset()
    assert run.rc == 0, run.output[-3000:]
    hosts = [result.host for result in run.of_task(TASK)]
    others = sorted(machine.fqdn for machine in kms_hosts(lab) if machine.number != 1)
    assert sorted(hosts[: len(others)]) == others
    assert hosts[len(others) :] == first
