# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody types first, `make lab-up` and `make play`, ends well, and so does the second time, for every laboratory that there is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lab import lifecycle
from lab.layout import TESTS, Layout
from lab.play import lab_environment, run_playbook

from .conftest import NEEDS_DOMAIN
from .networks import own_network

pytestmark = [NEEDS_DOMAIN, pytest.mark.tier("soak")]


@pytest.mark.parametrize("sites", ["", "zones", "domains"])
@pytest.mark.parametrize("park", ["modern", "document", "mak", "isolated"])
def test_the_playbook_that_suits_a_laboratory_ends_well_twice(tmp_path: Path, park: str, sites: str) -> None:
    layout = Layout.at(tmp_path / "lab")
    if park in ("mak", "isolated") and sites:
        pytest.skip("the laboratory has sites for KMS hosts")
    command = [sys.executable, "-m", "lab", "up", "--root", str(layout.root), "--park", park, "--sites", sites]
    with own_network():
        try:
            subprocess.run(command, cwd=TESTS, check=True)
            playbook = f"winops.volume_activation.{lab_environment(layout.root)['LAB_PLAY']}"
            for _time in ("first", "second"):
                run = run_playbook(layout.root, playbook)
                assert run.rc == 0, run.output[-5000:]
        finally:
            lifecycle.down(layout, print)
    # Few clients of a site are licensed by the first run; others may be by the second, when more have asked.
    changed = {host for host, count in run.stats["changed"].items() if count and (not sites or host.startswith("kms-"))}
    assert changed == set()
