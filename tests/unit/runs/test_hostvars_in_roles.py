# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No role looks through the variables of all hosts: it looks up one host by its name, and what is kept for localhost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.tier("quick")

TREE = Path(__file__).resolve().parents[3]
WORD = re.compile(r"\bhostvars\b")
ONE_HOST = re.compile(r"hostvars\.localhost\.\w+|hostvars\[(?:inventory_hostname|\w+\.host)\]\.\w+")


def complaints(roles: Path) -> list[str]:
    """The lines that do something else with it."""
    found = []
    for path in sorted([*roles.glob("*/tasks/*.yml"), *roles.glob("*/vars/*.yml"), *roles.glob("*/defaults/*.yml")]):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if WORD.search(ONE_HOST.sub("", line)):
                found.append(f"{path.relative_to(roles)}:{number}: {line.strip()}")
    return found


def test_no_role_looks_through_the_variables_of_all_hosts():
    assert complaints(TREE / "roles") == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('x: "{{ hostvars.localhost.__r_due }}"', 0),
        ('x: "{{ hostvars[inventory_hostname].x }}"', 0),
        ("x: \"{{ groups.a | map('extract', hostvars, 'x') }}\"", 1),
        ('x: "{{ hostvars | some.filter }}"', 1),
    ],
)
def test_a_planted_one_is_found(tmp_path: Path, line: str, found: int):
    (tmp_path / "r/tasks").mkdir(parents=True)
    (tmp_path / "r/tasks/main.yml").write_text(line, encoding="utf-8")
    assert len(complaints(tmp_path)) == found
