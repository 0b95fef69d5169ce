# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads C(least_rights.yml), the rights that each step of the collection's work needs, and writes C(docs/docsite/rst/rights.rst) from it.

    python3 tests/least_rights.py

The page is the text of C(least_rights.rst) with the tables in place of its lines in braces.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TREE = Path(__file__).resolve().parents[1]
DATA = Path(__file__).with_suffix(".yml")
TEXT = Path(__file__).with_suffix(".rst")
PAGE = TREE / "docs/docsite/rst/rights.rst"
TRUSTEE = "KMS_Operators"
"""The group that the commands give the rights to."""

_DSACLS = re.compile(r'dsacls "(?P<dn>[^"]+)" (?:/I:(?P<inherit>[ST]) )?/G "(?P<whom>[^":]+):(?P<rights>[A-Z]+)(?P<of>(?:;\w*|;[\w-]+)*)"')
_BITS = {"CC": 1, "DC": 2, "LC": 4, "WS": 8, "RP": 0x10, "WP": 0x20, "DT": 0x40, "LO": 0x80, "CA": 0x100}
_BITS |= {"SD": 0x10000, "RC": 0x20000, "WD": 0x40000, "WO": 0x80000, "GR": 0x20094, "GW": 0x20028, "GA": 0xF01FF}
"""What the letters of dsacls stand for; the generic ones as Active Directory stores them (MS-ADTS 5.1.3.2)."""

_CONTAINER_INHERIT, _INHERIT_ONLY = 2, 8


@dataclass(frozen=True, slots=True)
class Entry:
    """An ACE that a command gives.

    Attributes:
        dn: The object whose DACL gets it.
        whom: The account or group.
        mask: The rights.
        flags: Of inheritance.
        of: The class or attribute that it is for; empty for all.
        children: The class of objects that inherit it; empty for all.
    """

    dn: str
    whom: str
    mask: int
    flags: int
    of: str
    children: str


@functools.cache
def data() -> Mapping[str, Any]:
    """The file."""
    found: Mapping[str, Any] = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return found


def steps(place: str) -> dict[str, dict[str, Any]]:
    """The steps whose rights are of a place, by name."""
    return {
        name: step for name, step in data()["steps"].items() if {data()["rights"][right]["place"] for right in step["rights"]} == {place}
    }


def places() -> list[str]:
    """In the order of the page."""
    return list(dict.fromkeys(right["place"] for right in data()["rights"].values()))


def missing(place: str) -> list[tuple[str, str]]:
    """Each step of a place with each of its rights, for a test that takes that one away."""
    return [(name, right) for name, step in steps(place).items() for right in step["rights"]]


def paired(place: str, done: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The steps of a place for the one file of tests that does them, which has to know each of them and no others."""
    found, known = steps(place), set(done)
    if found.keys() != known:
        raise LookupError(f"{place}: no test does {sorted(found.keys() - known)}, not in the file {sorted(known - found.keys())}")
    return found


def of(place: str) -> list[str]:
    """The rights of a place."""
    return [name for name, right in data()["rights"].items() if right["place"] == place]


def says(right: str) -> str:
    """What a refusal says where the right is missing."""
    sentence: str = data()["rights"][right]["says"]
    return sentence


def is_unseen(right: str) -> bool:
    """Whether check mode can't find out that the right is missing."""
    return bool(data()["rights"][right].get("unseen"))


def given(right: str) -> list[Entry]:
    """The ACEs that the commands of a right give.

    Raises:
        ValueError: One of them is not written as dsacls takes it.
    """
    return [_entry(line) for line in data()["rights"][right]["give"]]


def _entry(line: str) -> Entry:
    found = _DSACLS.fullmatch(line)
    if found is None:
        raise ValueError(f"this is no command of dsacls that a test can carry out: {line}")
    letters = re.findall("..", found["rights"])
    of, children = [*found["of"].removeprefix(";").split(";"), ""][:2]
    flags = {None: 0, "T": _CONTAINER_INHERIT, "S": _CONTAINER_INHERIT | _INHERIT_ONLY}[found["inherit"]]
    return Entry(found["dn"], found["whom"].rpartition("\\")[2], sum(_BITS[each] for each in letters), flags, of, children)


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield from (".. list-table::", "   :header-rows: 1", "")
    for row in (header, *rows):
        for number, cell in enumerate(row):
            yield f"   {'*' if number == 0 else ' '} - {cell}"
    yield ""


def _step_rows(place: str) -> Iterator[tuple[str, str, str]]:
    rights = data()["rights"]
    for step in steps(place).values():
        by = ", ".join(f":ansplugin:`winops.volume_activation.{name}#module`" for name in step["by"])
        yield step["step"], by, "; ".join(f"{rights[name]['right']} on {rights[name]['object']}" for name in step["rights"])


def _right_rows(place: str) -> Iterator[tuple[str, str, str]]:
    for right in _of(place):
        yield right["right"], right["object"], right["held_by"]


def _of(place: str) -> Iterator[dict[str, Any]]:
    yield from (data()["rights"][name] for name in of(place))


def _commands(place: str) -> Iterator[str]:
    yield from (".. code-block:: text", "")
    for right in _of(place):
        yield f"    # {right['right']} on {right['object']}"
        yield from (f"    {line}" for line in right["give"])
        yield ""


def page() -> str:
    """The whole page."""
    made = {}
    for place in places():
        made[f"{{steps of {place}}}"] = _table(("Step", "Modules", "Needs"), _step_rows(place))
        made[f"{{rights of {place}}}"] = _table(("Right", "On", "Usually held by"), _right_rows(place))
        made[f"{{commands of {place}}}"] = _commands(place)
    lines: list[str] = []
    for line in TEXT.read_text(encoding="utf-8").splitlines():
        lines += list(made[line])[:-1] if line in made else [line]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
