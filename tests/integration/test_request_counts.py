# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much really goes over the wire, counted by the lab's request log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import names

from .conftest import Lab

pytestmark = pytest.mark.tier("test")

KMS_1 = names.kms_hosts()[0]


def requests_of(lab: Lab, folder: Path, host: str, module: str, **options: Any) -> list[dict[str, Any]]:
    """The requests of one task on one host; the task has to find nothing to do."""
    task = {"name": "Task", f"winops.volume_activation.{module}": options}
    play = folder / f"{module}.yml"
    play.write_text(yaml.safe_dump([{"name": "Play", "hosts": host, "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
    before = len(lab.requests())
    run = lab.play(str(play))
    assert run.rc == 0, run.output[-2000:]
    assert run.changed() == 0
    return lab.requests()[before:]


@pytest.fixture(scope="module")
def busy_lab(running_lab: Lab) -> Lab:
    """The KMS hosts are set up."""
    running_lab.control.reset()
    assert running_lab.play(arguments="--limit kms_hosts").rc == 0
    return running_lab


def test_license_info_needs_at_most_four(busy_lab: Lab, tmp_path: Path):
    for host in (KMS_1.fqdn, "pc-001.contoso.com"):
        seen = requests_of(busy_lab, tmp_path, host, "license_info")
        assert 3 <= len(seen) <= 4
        assert {entry["action"] for entry in seen} <= {"Enumerate", "Pull"}
        assert len({entry["connection"] for entry in seen}) == 1


def test_a_kms_host_with_nothing_to_do_needs_at_most_seven(busy_lab: Lab, tmp_path: Path):
    seen = requests_of(
        busy_lab,
        tmp_path,
        KMS_1.fqdn,
        "kms_host",
        product_key="{{ kms_single_site_csvlk }}",
        activate=True,
        listening_port=1688,
        dns_publishing=True,
        firewall=True,
        publish_domain="contoso.com",
    )
    assert 5 <= len(seen) <= 7
    assert {entry["action"] for entry in seen} <= {"Enumerate", "Pull", "Get", "Invoke:GetStringValue"}
    assert len({entry["connection"] for entry in seen}) == 1
    assert sum(entry["bytes_in"] for entry in seen) < 20_000


def test_a_client_with_nothing_to_do_needs_two_and_one_more_where_it_tells_how_it_looks(busy_lab: Lab, tmp_path: Path):
    for options, expected in (({"discover": True}, 2), ({"discover": True, "host_caching": True}, 3)):
        seen = requests_of(busy_lab, tmp_path, "pc-001.contoso.com", "kms_client", activate=False, **options)
        assert [entry["action"] for entry in seen] == ["Enumerate"] * expected
        assert len({entry["connection"] for entry in seen}) == 1
