# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The laboratory's inventory declares what its playbook needs to come to its end, and its environment names the playbook."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from lab import inventory, lifecycle, park
from lab.inventory import Facts
from lab.layout import Layout

pytestmark = pytest.mark.tier("test")

TOP = Path(__file__).resolve().parents[3]
NETSH, STATIC = "{}_firewall_method", "volume_activation_remote_publish"


@pytest.mark.parametrize(
    ("choice", "sites", "playbook", "declared"),
    [
        ("modern", "", "kms_single_site", {}),
        ("document", "", "kms_single_site", {NETSH: "netsh"}),
        ("modern", "zones", "kms_multi_site", {}),
        ("document", "zones", "kms_multi_site", {NETSH: "netsh"}),
        ("modern", "domains", "kms_multi_site", {STATIC: "static"}),
        ("document", "domains", "kms_multi_site", {NETSH: "netsh", STATIC: "static"}),
        ("mak", "", "mak_independent", {}),
        ("isolated", "", "mak_proxy_collect", {}),
    ],
)
def test_what_a_company_declares(tmp_path: Path, choice: str, sites: str, playbook: str, declared: dict[str, str]) -> None:
    options = lifecycle.Options(park=choice, clients=2, servers=1, sites=sites)
    facts = Facts(Layout.at(tmp_path), "winrm_ntlm", options.dc_address, park.PARKS[choice], sites=tuple(options.site_list()))
    variables: dict[str, Any] = inventory.inventory(facts, options.machines)["all"]["vars"]
    assert inventory.environment(facts)["LAB_PLAY"] == playbook
    for name in (NETSH, STATIC):
        if playbook.startswith("kms"):
            assert variables.get(name.format(playbook)) == declared.get(name), name
    assert not any(name.endswith("_ticket") for name in variables)
    if playbook.startswith("mak"):
        assert Path(variables["volume_activation_state_directory"]).is_relative_to(tmp_path)


@pytest.mark.parametrize(("given", "run"), [((), "$LAB_PLAY"), (("PLAY=audit",), "audit")])
def test_make_play_asks_the_laboratory_which_playbook_suits_it(given: tuple[str, ...], run: str) -> None:
    said = subprocess.check_output(["make", "--dry-run", "play", *given], cwd=TOP, text=True)
    assert f'ansible-playbook -i build/lab/inventory.yml "winops.volume_activation.{run}"' in said
