# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the least rights is what is tested: with all rights of each step, and without each one of them."""

from __future__ import annotations

import ast

import least_rights
import pytest

pytestmark = pytest.mark.tier("quick")

FOLDER = least_rights.TREE / "tests/integration/rights"


def test_the_page_is_written_from_the_table() -> None:
    assert least_rights.PAGE.read_text(encoding="utf-8") == least_rights.page(), "write it again: python3 tests/least_rights.py"


def test_every_right_is_one_of_a_step_and_every_step_is_in_one_table() -> None:
    data = least_rights.data()
    assert {right for step in data["steps"].values() for right in step["rights"]} == data["rights"].keys()
    assert [name for place in least_rights.places() for name in least_rights.steps(place)] == list(data["steps"])
    assert all(right["give"] and right["says"] and right["held_by"] for right in data["rights"].values())


@pytest.mark.parametrize("place", least_rights.places())
def test_every_row_is_tried_with_its_rights_and_without_each(place: str) -> None:
    """One test has every step as a parameter, and one each of their rights. The file refuses a table whose steps it does not do."""
    tree = ast.parse((FOLDER / f"test_{place}_rights.py").read_text(encoding="utf-8"))
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            given = [decorator.args[1] for decorator in node.decorator_list if isinstance(decorator, ast.Call) and len(decorator.args) == 2]
            found[node.name] = [ast.unparse(each) for each in given]
    assert found["test_exactly_these_rights_suffice"] == ["FOUND"]
    assert found["test_a_right_that_is_missing_is_named"] == [f"least_rights.missing('{place}')"]
    assert f"FOUND = least_rights.paired('{place}', STEPS)" in [ast.unparse(node) for node in tree.body]
    (done,) = (node.value for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign) and ast.unparse(node).startswith("STEPS"))
    assert isinstance(done, ast.Dict)
    assert [ast.literal_eval(key) for key in done.keys if key is not None] == list(least_rights.steps(place))


def test_the_commands_are_read_as_they_are_written() -> None:
    (entry,) = least_rights.given("write_member")
    assert (entry.dn, entry.whom, entry.mask, entry.flags) == ("OU=Activation,DC=contoso,DC=com", least_rights.TRUSTEE, 0x20, 0xA)
    assert (entry.of, entry.children) == ("member", "group")
    whom = {each.whom for right in least_rights.of("directory") for each in least_rights.given(right)}
    assert whom == {least_rights.TRUSTEE, "KMS_2$"}
