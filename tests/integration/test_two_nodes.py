# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two control nodes set up the same sites at the same time: what stands in the end is what one of them makes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lab.play import Run, run_playbook

from .conftest import NEEDS_DOMAIN, Lab
from .multi_site import PLAYBOOK, VARIABLES, counting, play, world
from .stories import steady

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]


PASSING = ("microsoft", " requests", " failed_requests", " clients", " cached", " discovered")
"""How often somebody asked, and which host answered whom."""


def settled(lab: Lab) -> dict[str, Any]:
    """What stands, without who asked for it how often: both nodes ask for what is not there when both look."""
    return {name: seen for name, seen in steady(world(lab)).items() if not name.endswith(PASSING)}


def test_two_runs_at_once_end_like_one(zones_lab: Lab, tmp_path: Path):
    lab = zones_lab
    lab.control.reset()
    alone = play(lab)
    assert alone.rc == 0, alone.output[-3000:]
    wanted, machines = settled(lab), {key: entry["machines"] for key, entry in lab.control.microsoft().items()}
    lab.control.reset()

    def node(number: int) -> Run:
        home = tmp_path / str(number)
        return run_playbook(
            lab.layout.root,
            PLAYBOOK,
            arguments="--forks 5",
            variables={**VARIABLES, "volume_activation_state_directory": str(home / "state")},
            environment={"ANSIBLE_HOME": str(home)},
            on_event=counting(lab),
        )

    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(node, range(2)))
    # Nobody needs to know of the other.
    assert [run.rc for run in runs] == [0, 0], [entry for run in runs for entry in run.results if "failed" in entry.event]
    again = play(lab)
    assert again.rc == 0, again.output[-3000:]
    assert again.changed() == 0, again.steps()
    found = settled(lab)
    assert {name: seen for name, seen in found.items() if seen != wanted[name]} == {}
    # The same machine counts once, however often it asks.
    assert {key: entry["machines"] for key, entry in lab.control.microsoft().items()} == machines
    lab.control.reset()
