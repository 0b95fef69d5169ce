# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one computer tells, or Microsoft answers for one, fails that one: the others are activated, and what was counted is on disk."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.microsoft.elsewhere import microsoft_elsewhere

from .conftest import Lab
from .mak_play import Fleet, fleet_of
from .test_mak_proxy import Site, canary, carry

pytestmark = [pytest.mark.tier("soak"), pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")]

PRODUCT, SYSTEM = "SoftwareLicensingProduct", "Win32_OperatingSystem"
FORGED = "PC\nok: [pc-002]\x9b31m\u202e"
ENTERPRISE = "mak_win_enterprise"
ONE, TWO, THREE = "pc-001", "pc-002", "pc-003"


@pytest.fixture
def site(isolated_lab: Lab, tmp_path: Path) -> Iterator[Site]:
    for name in ("isolated", "connected"):
        (tmp_path / name).mkdir()
    with microsoft_elsewhere(tmp_path / "microsoft") as microsoft:
        yield Site(isolated_lab, microsoft, tmp_path)


@pytest.fixture
def fleet(mak_lab: Lab, tmp_path: Path) -> Iterator[Fleet]:
    with fleet_of(mak_lab, tmp_path) as made:
        yield made


def listed(path: Path) -> dict[str, dict[str, Any]]:
    """The computers of a list, by the label that the lab has for them."""
    computers = json.loads(path.read_text(encoding="utf-8"))["computers"]
    return {label: computer for label in (ONE, TWO, THREE) for name, computer in computers.items() if label in name}


def is_visible(said: str) -> bool:
    """Whether no line of a job was written by a host."""
    return not any(line.startswith("ok: [pc-002]\\x9b") for line in said.splitlines()) and not {"\x9b", "\u202e"} & set(said)


@pytest.mark.parametrize(
    ("cim_class", "name", "value"),
    [
        pytest.param(PRODUCT, "OfflineInstallationId", "abc", marks=pytest.mark.tier("test")),
        (PRODUCT, "ProductKeyID", "x y {{7*7}} ../"),
        (PRODUCT, "ID", "' or ''='"),
        (PRODUCT, "PartialProductKey", "../.."),
        (PRODUCT, "OfflineInstallationId", FORGED),
        (SYSTEM, "CSName", FORGED),
    ],
)
def test_one_computer_keeps_no_other_from_the_list(site: Site, cim_class: str, name: str, value: str):
    site.lab.control.say(ONE, cim_class, **{name: value})
    said = site.play("collect", [ONE, TWO], rc=2)
    assert is_visible(said)
    assert f"Windows gives {name} as" in said
    computers = listed(site.list)
    assert len(computers[TWO]["products"]) == 1
    assert len(json.loads(site.leaving.read_bytes())["products"]) == 1


def test_a_computer_has_its_turn_when_it_tells_what_it_has(site: Site):
    site.lab.control.say(ONE, PRODUCT, OfflineInstallationId="abc")
    site.play("collect", [ONE, TWO], rc=2)
    site.lab.control.say(ONE, PRODUCT)
    site.play("collect", [ONE, TWO])
    assert len(json.loads(site.leaving.read_bytes())["products"]) == 2


def test_a_caption_is_shown_as_one_visible_line(site: Site):
    site.lab.control.say(ONE, SYSTEM, Caption=FORGED * 1000)
    said = site.play("collect", [ONE])
    assert is_visible(said)
    assert listed(site.list)[ONE]["operating_system"].isprintable()


def test_two_computers_with_one_installation_id_are_a_finding(site: Site):
    for label in (ONE, TWO):
        site.lab.control.say(label, PRODUCT, OfflineInstallationId="1234567" * 9)
    said = site.play("collect", [ONE, TWO, THREE])
    assert f"Conflict: {canary(ONE)}, {canary(TWO)} have one installation ID" in said
    assert listed(site.list).keys() == {ONE, TWO, THREE}


@pytest.mark.parametrize("text", ["1" * 129, "abc", "", "{{7*7}}"])
def test_a_confirmation_id_that_is_none_keeps_no_other_from_being_saved(site: Site, text: str):
    site.play("collect", [ONE, TWO, THREE])
    carry(site.leaving, site.outside)
    asked = sorted(product["installation_id"] for product in json.loads(site.outside.read_bytes())["products"])
    site.microsoft.tell("fault", rule={"fault": "other_text", "text": text, "iid": asked[0], "times": 0})
    said = site.play("acquire", rc=2)
    assert "1 without CID" in said
    products = {product["installation_id"]: product for product in json.loads(site.outside.read_bytes())["products"]}
    assert [bool(products[iid]["confirmation_id"]) for iid in asked] == [False, True, True]
    # It may have been counted, so that it is not asked for again unasked.
    assert products[asked[0]]["asked"]
    assert site.counted() == 3
    site.play("acquire", rc=2)
    assert site.counted() == 3


@pytest.mark.parametrize(
    ("name", "value"), [("ProductKeyID", "x y {{7*7}} ../"), ("ProductKeyID", "abc"), ("ID", "' or ''='"), ("Name", FORGED)]
)
def test_what_is_spent_is_written_down_whatever_one_computer_tells(fleet: Fleet, name: str, value: str):
    labels = [ONE, TWO, THREE]
    fleet.lab.control.say(ONE, PRODUCT, **{name: value})
    hosts = ":".join(f"{label}.contoso.com" for label in labels)
    run = fleet.play(hosts)
    assert is_visible(run.output)
    good = labels if name == "Name" else labels[1:]
    assert (run.rc == 0) == (good == labels), run.output[-3000:]
    assert fleet.spent() == {ENTERPRISE: len(good)}
    computers = listed(fleet.state / "computer_list.json")
    for label in good:
        (product,) = computers[label]["products"].values()
        assert (product["mak"], product["activation"]["outcome"]) == (ENTERPRISE, "licensed")
    # A second run spends nothing.
    fleet.play(hosts)
    assert fleet.spent() == {ENTERPRISE: len(good)}
