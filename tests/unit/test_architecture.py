# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of the architecture is that of the real imports and can be read; what the pages about it name is there."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import architecture
import guides
import import_graph
import pytest

from lab.control import Control
from lab.injection import Rule

pytestmark = pytest.mark.tier("quick")

ARCHITECTURE = guides.TREE / "docs/architecture.md"
LABORATORY = guides.TREE / "tests/lab/README.md"
SVG = "{http://www.w3.org/2000/svg}"


def tree_of(folder: Path, files: dict[str, str]) -> Path:
    for name, source in files.items():
        path = folder / "plugins" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return folder


SMALL = {
    "action/a.py": "from ..plugin_utils._upper import x\nfrom ..plugin_utils._lower import y\nfrom ..plugin_utils import _alone",
    "plugin_utils/_upper.py": "from ._lower import y",
    "plugin_utils/_lower/__init__.py": "",
    "plugin_utils/_alone.py": "import json",
    "plugin_utils/_nobody.py": "import os",
}


def test_the_picture_is_that_of_the_real_imports():
    drawn = architecture.PICTURE.read_text(encoding="utf-8")
    assert drawn == architecture.picture(guides.TREE), "draw it again: python3 tests/architecture.py"


def test_the_picture_can_be_read():
    """No box is over another or over the edge, each has its text within it, and the text is large enough."""
    root = ET.parse(architecture.PICTURE).getroot()
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    assert width == 900
    assert float(root.get("font-size", 0)) >= 12
    boxes = [element for element in root.iter(f"{SVG}rect") if element.get("rx")]
    places = [tuple(float(box.get(name, 0)) for name in ("x", "y", "width", "height")) for box in boxes]
    assert len(places) > 10
    for number, (x, y, w, h) in enumerate(places):
        assert x >= 0 and y >= 0 and x + w <= width and y + h <= height
        for other_x, other_y, other_w, other_h in places[number + 1 :]:
            assert x + w <= other_x or other_x + other_w <= x or y + h <= other_y or other_y + other_h <= y
    # A character of a monospaced font is 0.6 of its size wide.
    texts = [element.text or "" for element in root.iter(f"{SVG}text") if element.get("text-anchor")]
    assert all(len(text) * 13 * 0.6 < w for text, (_x, _y, w, _h) in zip(texts, places, strict=True))


def test_an_import_changes_the_picture(tmp_path: Path):
    before = architecture.picture(tree_of(tmp_path, SMALL))
    after = architecture.picture(tree_of(tmp_path, {"plugin_utils/_upper.py": "from . import _alone\nfrom ._lower import y"}))
    assert before != after
    assert "_nobody" not in before
    assert all(f">{room}<" in before for room in ("action/", "_upper.py", "_lower/", "_alone.py"))


def test_a_new_file_without_imports_does_not(tmp_path: Path):
    before = architecture.picture(tree_of(tmp_path, SMALL))
    assert architecture.picture(tree_of(tmp_path, {"plugin_utils/_lower/more.py": "import re"})) == before


def test_rooms_and_what_is_implied(tmp_path: Path):
    graph = import_graph.imported_layers(tree_of(tmp_path, SMALL))
    assert graph == {"action": {"_upper", "_lower", "_alone"}, "_upper": {"_lower"}, "_lower": set(), "_alone": set()}
    reduced = architecture.without_implied(graph)
    assert reduced["action"] == {"_upper", "_alone"}
    assert architecture.floors_of(reduced, ["action"], {room: room for room in graph}) == {
        "action": 0,
        "_upper": 1,
        "_alone": 1,
        "_lower": 2,
    }


def test_a_circle_is_named(tmp_path: Path):
    tree = tree_of(tmp_path, SMALL | {"plugin_utils/_lower/__init__.py": "from .._upper import x"})
    with pytest.raises(ValueError, match="circle: _lower, _upper"):
        architecture.picture(tree)


def test_many_rooms_get_more_floors_and_still_do_not_overlap():
    graph = {"action": {f"_room_{number:02}" for number in range(40)}} | {f"_room_{number:02}": set() for number in range(40)}
    labels = {room: f"{room}.py" for room in graph}
    layout = architecture.Layout(graph, architecture.floors_of(graph, ["action"], labels), labels)
    for row in layout.floors:
        for left, right in pairwise(row):
            assert left.x + left.width / 2 <= right.x - right.width / 2
        assert all(place.x - place.width / 2 >= 0 and place.x + place.width / 2 <= 900 for place in row)


def test_what_the_page_names_is_there():
    assert len(list(guides.named_files(ARCHITECTURE.read_text(encoding="utf-8")))) > 25
    assert guides.wrong_files(ARCHITECTURE) == []
    assert guides.wrong_functions(ARCHITECTURE, guides.TREE / "plugins") == []


def test_what_the_page_of_the_laboratory_names_is_there():
    assert guides.wrong_files(LABORATORY, folder=LABORATORY.parent) == []
    assert guides.wrong_functions(LABORATORY, LABORATORY.parent) == []
    text = LABORATORY.read_text(encoding="utf-8")
    assert [wrong for command in guides.commands(text) for wrong in guides.wrong_command(command)] == []


def test_the_python_on_the_page_of_the_laboratory_calls_what_there_is():
    blocks = "\n".join(re.findall(r"```python\n(.*?)```", LABORATORY.read_text(encoding="utf-8"), re.DOTALL))
    calls = [node for node in ast.walk(ast.parse(blocks)) if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("control.")]
    assert len(calls) > 5
    for call in calls:
        method = ast.unparse(call.func).removeprefix("control.")
        assert hasattr(Control, method), method
        if method == "inject":
            Rule(**{keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords if keyword.arg})


def test_a_function_that_is_not_there_is_found(tmp_path: Path):
    page = tmp_path / "PAGE.md"
    page.write_text("See `normalise()`, `Plan.run()` and `normalize()`.", encoding="utf-8")
    assert guides.wrong_functions(page, guides.TREE / "plugins") == ["PAGE.md names normalize(), which nothing defines"]
