# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Computers get the MAKs of the ring that say what they are for, and one for which none or two do is left alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import mak_inventory, park
from lab.play import run_playbook
from lab.windows import data

from . import documented
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


def by_rules(source: Path, place: Path, rules: Mapping[str, Mapping[str, Any]], by_hand: Mapping[str, str]) -> None:
    """The inventory of a lab in which no group names a key, entries of the ring have rules, and some computers name keys by hand."""
    inventory = yaml.safe_load(source.read_text(encoding="utf-8"))
    for group in inventory["all"]["children"].values():
        group.get("vars", {}).pop("volume_activation_mak", None)
    for name, rule in rules.items():
        entry = inventory["all"]["vars"]["volume_activation_mak_ring"][name]
        entry.pop("product", None)
        entry |= rule
    hosts = {host: {"volume_activation_mak": key} for host, key in by_hand.items()}
    inventory["all"]["children"]["by_hand"] = {"hosts": hosts}
    place.write_text(yaml.safe_dump(inventory), encoding="utf-8")


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
    place.unlink()
    # By hand it gets another one than the rule for its edition would give.
    by_rules(fleet.lab.layout.inventory, place, RULES, {by_hand: "mak_win7_professional"})
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


@pytest.mark.parametrize("own", [False, True], ids=["playbook", "role"])
def test_a_collection_by_proxy_goes_by_the_rules(isolated_lab: Lab, tmp_path: Path, own: bool):
    place, hosts = tmp_path / "lab.yml", ["pc-001", "pc-021", "pc-043", "srv-01", "srv-09"]
    enterprise, pro, by_hand, twice, none = hosts
    rules = {
        ENTERPRISE: {"for": "Windows 10/11 Enterprise, Windows Server 2022 Standard"},
        PROFESSIONAL: {"for": "Professional"},
        "mak_server_2022_standard": {"for": "Windows Server 2022 Standard"},
    }
    by_rules(isolated_lab.layout.inventory, place, rules, {by_hand: "mak_win7_enterprise"})
    playbook = documented.own_play(tmp_path, "mak_proxy", "mak_clients") if own else "winops.volume_activation.mak_proxy_collect"
    files = {"mak_proxy_list": str(tmp_path / "list.json"), "mak_proxy_export": str(tmp_path / "export.json"), "mak_proxy_step": "collect"}
    run = run_playbook(
        isolated_lab.layout.root,
        playbook,
        inventory=place,
        arguments=f"--limit {','.join(hosts)}",
        variables=files if own else without_step(files),
    )
    (lines,) = run.of_task("Show which keys the rules of the key ring choose")
    shown = {ENTERPRISE: enterprise, PROFESSIONAL: pro}
    assert lines.result["msg"] == [f"Key {name} (...{data.key_named(name).key[-5:]}) by rule: 1 ({host})" for name, host in shown.items()]
    assert run.stats["failures"] == {twice: 1}, run.failures()
    listed = json.loads((tmp_path / "list.json").read_text(encoding="utf-8"))["computers"]
    keys = {host: [product["mak"] for product in computer["products"].values()] for host, computer in listed.items()}
    assert keys == {enterprise: [ENTERPRISE], pro: [PROFESSIONAL], by_hand: ["mak_win7_enterprise"], twice: [], none: []}
    assert run.custom_stats["mak_proxy_collect"]["not_applicable"] == 1


def without_step(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name != "mak_proxy_step"}
