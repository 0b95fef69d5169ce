# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Computers get the MAKs of the ring that say what they are for, and one for which none or two do is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import mak_inventory, park
from lab.windows import data

from .conftest import Lab
from .leaks import leaks
from .mak_play import Fleet, asked, fleet_of

pytestmark = pytest.mark.tier("soak")

ENTERPRISE, PROFESSIONAL, DATACENTER, OFFICE = (
    "mak_win_enterprise",
    "mak_win_professional",
    "mak_server_2022_datacenter",
    "mak_office_2021_proplus",
)
RULES: dict[str, dict[str, Any]] = {
    ENTERPRISE: {"for": ["Windows 10/11 Enterprise"]},
    PROFESSIONAL: {"for": "Professional"},
    DATACENTER: {"for": ["Windows Server 2022 Datacenter"]},
    "mak_server_2022_standard": {"for": ["ServerStandard", "ServerDatacenter"]},
    OFFICE: {"office": True, "for": "Office 2021 Professional Plus"},
}


@pytest.fixture
def fleet(mak_lab: Lab, tmp_path: Path) -> Iterator[Fleet]:
    with fleet_of(mak_lab, tmp_path) as made:
        yield made


def first_of(fleet: Fleet, profile: str, office: bool = False) -> str:
    """The first computer of a Windows that reaches Microsoft."""
    chosen = park.PARKS[fleet.lab.options.park]
    kinds = {machine.fqdn: chosen.kind(machine) for machine in fleet.lab.options.machines if machine.role != "kms"}
    fits = (
        name for name, kind in kinds.items() if kind.profile == profile and not kind.zone and bool(kind.options.get("office")) == office
    )
    return next(fits)


def test_rules_of_the_ring_give_each_computer_its_key_and_none_or_two_leave_it_alone(fleet: Fleet):
    office, pro, home = (
        first_of(fleet, "windows_11_enterprise", True),
        first_of(fleet, "windows_11_pro"),
        first_of(fleet, "windows_11_home"),
    )
    twice, by_hand = first_of(fleet, "server_2022_datacenter"), first_of(fleet, "windows_7_professional")
    place = fleet.inventory / "lab.yml"
    inventory = yaml.safe_load(place.read_text(encoding="utf-8"))
    for group in inventory["all"]["children"].values():
        group.get("vars", {}).pop("volume_activation_mak", None)
    ring = inventory["all"]["vars"]["volume_activation_mak_ring"]
    ring[OFFICE].pop("product")
    for name, rule in RULES.items():
        ring[name] |= rule
    # By hand it gets another one than the rule for its edition would give.
    inventory["all"]["children"]["by_hand"] = {"hosts": {by_hand: {"volume_activation_mak": "mak_win7_professional"}}}
    place.unlink()
    place.write_text(yaml.safe_dump(inventory), encoding="utf-8")
    # As Office from volume media does.
    fleet.install(office, "gvlk_office_2021_proplus")
    limit = ":".join([office, pro, home, twice, by_hand])
    shown = [
        f"Key {name} (...{data.key_named(name).key[-5:]}) by rule: 1 ({host})"
        for name, host in ((ENTERPRISE, office), (OFFICE, office), (PROFESSIONAL, pro))
    ]
    for run in (fleet.play(limit, arguments="--check -vvv"), fleet.play(limit)):
        (lines,) = run.of_task("Show which keys the rules of the key ring choose")
        assert sorted(lines.result["msg"]) == sorted(shown), run.output[-3000:]
        assert run.stats["failures"] == {twice: 1}, run.failures()
        (failed,) = [failure for failure in run.failures() if failure.startswith("The entries")]
        assert failed.startswith(f"The entries {DATACENTER} and mak_server_2022_standard of volume_activation_mak_ring are all for")
        (summary,) = run.of_task("Summary")
        (left,) = [line for line in summary.result["msg"] if line.startswith("Not applicable")]
        assert left.startswith(f"Not applicable: 1 ({home}): No entry of volume_activation_mak_ring is for ")
        keys = {name: data.key_named(name).key for name in mak_inventory.ring()}
        assert leaks([("output", run.output.encode())], keys) == []
        if run.stats["changed"] == {}:
            assert fleet.spent() == {}
    assert fleet.spent() == {ENTERPRISE: 1, OFFICE: 1, PROFESSIONAL: 1, "mak_win7_professional": 1}
    assert fleet.holds(office, ENTERPRISE) and fleet.holds(office, OFFICE) and fleet.holds(pro, PROFESSIONAL)
    assert not asked(fleet.lab, "Invoke:InstallProductKey").keys() & {home, twice}
    again = fleet.play(f"{office}:{pro}")
    assert (again.rc, again.changed()) == (0, 0), again.output[-3000:]
