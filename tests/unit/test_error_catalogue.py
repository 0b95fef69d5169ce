# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The error catalogue holds: each case that needs no host gives its sentence, whole, and nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any

import error_catalogue
import pytest

pytestmark = pytest.mark.tier("quick")

CASES = list(error_catalogue.without_hosts())


def check(case: dict[str, Any], result: dict[str, Any]) -> None:
    assert result["msg"] == case["says"]
    assert {"code": "", "name": "", **case["error"]} == {part: result["error"][part] for part in ("code", "name", "source")}
    assert (result["failed"], result["changed"], result["error"]["done"]) == (True, False, [])


@pytest.mark.parametrize("case", [case for case in CASES if "without" not in case], ids=lambda case: case["case"])
def test_case(case: dict[str, Any]):
    if "needs" in case:
        pytest.importorskip(case["needs"])
    check(case, error_catalogue.result_of(case))


WITHOUT = [case for case in CASES if "without" in case]


@pytest.fixture(scope="module")
def without_a_package() -> dict[str, Any]:
    """The results of all cases in which a package is missing, by case."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.check_output([sys.executable, error_catalogue.__file__, json.dumps(WITHOUT)], env=environment, text=True)
    return dict(json.loads(line) for line in said.splitlines() if line.startswith('["'))


@pytest.mark.tier("test")
@pytest.mark.parametrize("case", WITHOUT, ids=lambda case: case["case"])
def test_case_without_a_package(case: dict[str, Any], without_a_package: dict[str, Any]):
    check(case, without_a_package[case["case"]])


def test_every_case_has_a_name_of_its_own_and_a_sentence():
    cases = [case for found in error_catalogue.sections().values() for case in found]
    assert len({case["case"] for case in cases}) == len(cases)
    for case in cases:
        # One sentence, with lines behind it only where they are to be copied.
        sentence, *lines = case["says"].split("\n")
        # A line of a summary need not be a sentence.
        assert sentence.endswith(":" if lines else ".") or "error" not in case, case


def test_a_sentence_stands_above_each_section():
    text = error_catalogue.CATALOGUE.read_text(encoding="utf-8")
    assert re.findall(r"^# [A-Z].*\.\n(.*):$", text, re.MULTILINE) == list(error_catalogue.sections())


def test_each_section_that_needs_more_than_a_module_has_one_test_that_brings_it_about():
    tests = "".join(path.read_text(encoding="utf-8") for path in error_catalogue.CATALOGUE.parent.rglob("test_*.py"))
    for section, cases in error_catalogue.sections().items():
        assert {"module" in case for case in cases} in ({True}, {False}), section
        taken = re.findall(rf'paired\(\s*"{re.escape(section)}"', tests)
        assert len(taken) == (0 if "module" in cases[0] else 1), section
