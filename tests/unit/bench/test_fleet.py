# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a run over a fleet has done what it should, and what the cases of clients and of the main job ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from bench import clients, connections, fleet, goals, main_job
from scale import changing

pytestmark = pytest.mark.tier("test")

RECAP = """
2 of 2 clients are licensed
PLAY RECAP ****
pc-00000.contoso.com       : ok=16   changed=1    unreachable=0    failed=0    skipped=6    rescued=0    ignored=0
pc-00001.contoso.com       : ok=1    changed=1    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0
"""


@pytest.mark.parametrize(
    ("text", "hosts", "changes", "why"),
    [
        (RECAP, 2, 1, ""),
        (RECAP, 3, 1, "1 changes on each of 3 hosts"),
        (RECAP, 2, 2, "2 changes on each of 2 hosts"),
        (RECAP, 2, 0, "0 changes on each of 2 hosts"),
        (RECAP.replace("changed=1 ", "changed=0 "), 3, 0, ""),  # one had no task
        (RECAP.replace("unreachable=0    failed=0    skipped=0", "unreachable=1    failed=0    skipped=0"), 2, 1, "there were {1: 1}"),
        (RECAP.replace("2 of 2", "1 of 2"), 2, 1, "nothing said '2 of 2"),
    ],
)
def test_a_run_that_changed_something_else_is_no_measurement(tmp_path: Path, text: str, hosts: int, changes: int, why: str):
    log = tmp_path / "log"
    log.write_text(text, encoding="utf-8")
    if not why:
        fleet.check(log, hosts, changes, "2 of 2 clients are licensed")
        return
    with pytest.raises(RuntimeError) as raised:
        fleet.check(log, hosts, changes, "2 of 2 clients are licensed")
    assert why in str(raised.value)


def read(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return data


@pytest.mark.parametrize("path", [clients.CASES, main_job.CASES], ids=["clients", "main_job"])
def test_what_a_data_file_names_is_there(path: Path):
    data = read(path)
    assert data["connection"] in connections.NAMES
    kinds = [among["kind"] if isinstance(among, dict) else among for among in data["variants"].values()]
    assert set(kinds) <= set(changing.KINDS)
    for row in data["cases"].values():
        assert set(row.get("results", {})) <= set(row["changes"]) <= set(data["variants"])
    for row in data["goals"]:
        asked = goals.Goal.read(row)
        for name in (asked.case, asked.beside):
            assert set(asked.connections) <= set(data["cases"][name]["changes"])
