# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each step on a host with an account that may do it, with one that may only log on, and with one that may not even that.

A simulated host knows administrators and others, as WinRM's own configuration has it; it has no rights on single classes or namespaces.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import least_rights
import pytest

from lab import lifecycle, names, park
from lab.layout import Layout
from lab.play import Run
from lab.windows.data import key_named

from ..labs import Lab, lab_up

pytestmark = pytest.mark.tier("soak")

CLIENT, OTHER, SERVER, REFERENCE = "pc-001", "pc-002", "srv-01", "pc-003"
MODULE = "winops.volume_activation."
STEPS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "read_licenses": (CLIENT, "license_info", {}),
    "set_up_kms_host": (
        SERVER,
        "kms_host",
        {"product_key": park.PARKS["isolated"].csvlk, "listening_port": 1690, "dns_publishing": False},
    ),
    "open_firewall": (SERVER, "kms_host", {"firewall": True}),
    "set_up_client": (CLIENT, "kms_client", {"kms_host": "kms-1.contoso.com", "dns_suffixes": ["contoso.com"], "activate": False}),
    "install_mak": (OTHER, "mak_client", {"product_key": key_named("mak_win_enterprise").key}),
    "keep_reachable": (CLIENT, "winrm_target", {"local_accounts": True}),
    "use_verbs": (CLIENT, "slmgr", {"verbs": [{"verb": "ckms"}, {"verb": "dlv"}]}),
    "generalize": (REFERENCE, "sysprep", {"generalize": True}),
}
FOUND = least_rights.paired("hosts", STEPS)
ALL = ""
ACCOUNTS = {
    ALL: (names.LOCAL_ADMIN, names.LOCAL_ADMIN_PASSWORD),
    "administrator": (names.LOCAL_USER, names.LOCAL_USER_PASSWORD),
    "logon": ("nobody", "Lab.Nobody.2026"),
}
"""By the right that is missing."""


@pytest.fixture(scope="module")
def workgroup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    options = lifecycle.Options(park="isolated", clients=3, servers=1, http_port=17985, https_port=17986)
    with lab_up(Layout.at(tmp_path_factory.mktemp("workgroup")), options) as lab:
        yield lab


def _runs(lab: Lab, folder: Path) -> Iterator[tuple[str, Run]]:
    plays = [
        {
            "name": name,
            "hosts": host,
            "gather_facts": False,
            "tasks": [{"name": name, f"{MODULE}{module}": options, "ignore_errors": True, "ignore_unreachable": True}],
        }
        for name, (host, module, options) in STEPS.items()
    ]
    path = folder / "play.yml"
    path.write_text(json.dumps(plays), encoding="utf-8")
    # Who may least comes first: what is refused leaves nothing for the next.
    for missing in reversed(ACCOUNTS):
        user, password = ACCOUNTS[missing]
        yield missing, lab.play(str(path), ansible_user=user, ansible_password=password)


@pytest.fixture(scope="module")
def runs(workgroup: Lab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    return dict(_runs(workgroup, tmp_path_factory.mktemp("play")))


def result(run: Run, name: str) -> dict[str, Any]:
    """Of the one task of a step."""
    (entry,) = run.of_task(name)
    return entry.result


@pytest.mark.parametrize("name", FOUND)
def test_exactly_these_rights_suffice(runs: dict[str, Run], name: str) -> None:
    done = result(runs[ALL], name)
    assert "error" not in done, done
    assert done["changed"] is (name != "read_licenses")


@pytest.mark.parametrize(("name", "right"), least_rights.missing("hosts"))
def test_a_right_that_is_missing_is_named(runs: dict[str, Run], name: str, right: str) -> None:
    done = result(runs[right], name)
    # What winrm_target could not see stands with each requirement, so that a run hears of all of them.
    said = [done.get("msg", ""), *(need["detail"] for need in done.get("requirements", []))]
    assert any(least_rights.says(right) in each for each in said), done
    assert done["changed"] is False
