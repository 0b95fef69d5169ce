# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The survey over the server of canned answers, small enough for every run; make scale has 10,000 hosts."""

from __future__ import annotations

from pathlib import Path

import pytest
from scale import __main__, bench, survey

pytestmark = pytest.mark.tier("test")

BUILD = Path(__file__).resolve().parents[2] / "build"


@pytest.mark.parametrize("arguments", [pytest.param([], id="http", marks=pytest.mark.tier("soak")), pytest.param(["--tls"], id="tls")])
def test_two_hundred_hosts_one_silent_and_one_failing_of_a_hundred(tmp_path: Path, arguments: list[str]):
    (tmp_path / "collections").symlink_to(BUILD / "collections")
    options = ["--size", "200", "--build", str(tmp_path), "--port", str(bench.free_port()), "--first-contact", "2"]
    found = survey.Bench(__main__.parsed([*options, *arguments])).measure()
    assert (found["read"], found["read_with_trouble"]) == (200, 196)
    assert found["longest_row"] <= 1024
    # One logon and two requests for each host and program, one connection each: the bare script's and the survey's.
    assert (found["server"]["requests"], found["server"]["logons"], found["server"]["connections"]) == (800, 400, 400)
    # A silent host is asked once. Those that fail with HTTP 503 are not asked again either.
    assert found["server_with_trouble"]["connections"] == 200
    assert found["survey"]["peak_mib"] < bench.MAX_PEAK_MIB
