# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A zone that scavenges: what was written as static stays with its rights, a silent host is reported and comes back."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lab import names
from lab.domain.controller import Domain
from lab.domain.zones import Zones
from lab.witness import Srv

from .conftest import NEEDS_DOMAIN, Lab

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]

KMS_1, KMS_2 = names.kms_hosts()
FIRST, SECOND = Srv(0, 0, 1688, KMS_1.fqdn), Srv(0, 0, 1688, KMS_2.fqdn)
MONTH = 31 * 24


def test_static_values_and_rights_survive_and_a_silent_host_is_reported(fresh_lab: Lab, tmp_path: Path):
    zones = Zones(Domain(fresh_lab.layout, fresh_lab.options.dc_address))
    zones.set_aging()
    assert fresh_lab.play(arguments="--limit kms_hosts").rc == 0
    play = tmp_path / "static.yml"
    task = {
        "name": "Keep the first host",
        "winops.volume_activation.dns_srv": {"zone": names.ZONE, "values": [{"target": KMS_1.fqdn}], "method": "static"},
    }
    play.write_text(yaml.safe_dump([{"name": "Play", "hosts": KMS_1.fqdn, "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
    kept = fresh_lab.play(str(play))
    assert [step["attribute"] for step in kept.steps()] == ["aging of 0 0 1688 kms-1.contoso.com"], kept.output[-2000:]
    assert zones.time_stamps()[0] == 0
    assert zones.time_stamps()[1] > 0
    rights = fresh_lab.witness.aces()

    assert zones.age(MONTH) == 1
    zones.scavenge()
    assert fresh_lab.witness.srv() == [FIRST]
    assert fresh_lab.witness.aces() == rights

    wanted = [(KMS_2.fqdn, f"SRV {names.KMS_RECORD}.{names.ZONE}", None, f"{KMS_2.fqdn}:1688")]
    for check in ("--check", ""):
        run = fresh_lab.play(arguments=f"--limit kms_hosts {check}")
        assert run.rc == 0, run.output[-2000:]
        assert [(step["object"], step["attribute"], step["before"], step["after"]) for step in run.steps()] == wanted
    assert fresh_lab.witness.srv() == [FIRST, SECOND]
    assert fresh_lab.play(arguments="--limit kms_hosts").changed() == 0
