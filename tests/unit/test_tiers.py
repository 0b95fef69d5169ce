# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each test is in one tier, which is declared where it is; what a tier leaves out is not even imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import tiers

pytestmark = pytest.mark.tier("quick")

TESTS = Path(tiers.__file__).parent
HEAD = "import pytest\n"
QUICK, SOAK = 'pytestmark = pytest.mark.tier("quick")\n', '@pytest.mark.tier("soak")\n'


def collected(folder: Path, source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """pytest's collection of a module with that source."""
    (folder / "test_planted.py").write_text(HEAD + source, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tiers",
        "-p",
        "no:cacheprovider",
        "--strict-markers",
        "-q",
        "--collect-only",
        *arguments,
    ]
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = tier(name)\n", encoding="utf-8")
    return subprocess.run(command, cwd=folder, env={"PYTHONPATH": str(TESTS)}, capture_output=True, text=True, check=False)


def test_every_test_module_declares_a_tier() -> None:
    modules = [path for folder in ("unit", "integration") for path in (TESTS / folder).rglob("test_*.py")]
    assert len(modules) > 100
    assert [str(path) for path in modules if not tiers.tiers_of(path)] == []


@pytest.mark.parametrize(
    ("source", "tier", "chosen"),
    [
        (f"{QUICK}def test_one(): ...\n", "quick", ["test_one"]),
        (f"{QUICK}{SOAK}def test_one(): ...\ndef test_two(): ...\n", "quick", ["test_two"]),
        (f"{QUICK}{SOAK}def test_one(): ...\ndef test_two(): ...\n", "test,soak", ["test_one"]),
        (
            f'{QUICK}{SOAK}@pytest.mark.parametrize("a", [1, pytest.param(2, marks=pytest.mark.tier("test"))])\ndef test_one(a): ...\n',
            "test",
            ["test_one[2]"],
        ),
        ('import not_installed\npytestmark = pytest.mark.tier("test")\ndef test_one(): ...\n', "quick", []),
    ],
    ids=["module", "decorator left out", "decorator chosen", "a case of its own", "not imported"],
)
def test_the_closest_marker_holds(tmp_path: Path, source: str, tier: str, chosen: list[str]) -> None:
    done = collected(tmp_path, source, "--tier", tier)
    assert done.returncode in (0, 5), done.stdout + done.stderr
    assert [line.rpartition("::")[2] for line in done.stdout.splitlines() if "::" in line] == chosen


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("def test_one(): ...\n", "test_planted.py::test_one is in no tier"),
        (f'{QUICK}{SOAK}@pytest.mark.tier("test")\ndef test_one(): ...\n', "is in the tiers test and soak"),
        ('pytestmark = [pytest.mark.tier("quick"), pytest.mark.tier("soak")]\ndef test_one(): ...\n', "is in the tiers quick and soak"),
        (
            'pytestmark = pytest.mark.tier("slow")\ndef test_one(): ...\n',
            "line 2: pytest.mark.tier('slow') is not one of quick, test, soak",
        ),
        ('NAME = "quick"\npytestmark = pytest.mark.tier(NAME)\ndef test_one(): ...\n', "line 3: pytest.mark.tier(NAME) is not one of"),
    ],
    ids=["none", "two decorators", "two of the module", "unknown", "not written out"],
)
def test_a_planted_mistake_is_an_error(tmp_path: Path, source: str, why: str) -> None:
    done = collected(tmp_path, source)
    assert done.returncode not in (0, 5)
    assert why in done.stdout + done.stderr


def test_a_tier_that_there_is_not_is_refused(tmp_path: Path) -> None:
    done = collected(tmp_path, f"{QUICK}def test_one(): ...\n", "--tier", "slow")
    assert "--tier knows quick, test, soak, and not slow" in done.stdout + done.stderr


def test_after_its_time_a_soak_begins_no_test_and_says_what_it_ran(tmp_path: Path) -> None:
    source = 'pytestmark = pytest.mark.tier("soak")\ndef test_one(): ...\ndef test_two(): assert False\n'
    (tmp_path / "test_planted.py").write_text(HEAD + source, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = tier(name)\n", encoding="utf-8")
    last = {}
    for end in ("1", "99999999999"):
        command = [sys.executable, "-m", "pytest", "-p", "tiers", "-q", "-n", "0", "--tier", "soak", "--end-by", end]
        done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(TESTS)}, capture_output=True, text=True, check=False)
        last[end] = done.stdout.splitlines()[-1]
    assert last == {"1": "0 passed, 0 failed, 2 skipped", "99999999999": "1 passed, 1 failed, 0 skipped"}
