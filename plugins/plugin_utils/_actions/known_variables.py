# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of this collection, read from where they are documented: the argument specs of the roles, and the page about variables."""

from __future__ import annotations

import functools
import re
import typing as t
from collections.abc import Iterator
from pathlib import Path

import yaml

_TREE = Path(__file__).resolve().parents[3]
_PAGE = _TREE / "docs/docsite/rst/variables.rst"
_SHARED = "volume_activation_"
_LITERAL = re.compile(r"``([a-z][a-z0-9_]*)``")
# That of libyaml takes a tenth of the time.
_LOADER: t.Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Known(t.NamedTuple):
    """What is known.

    Attributes:
        names: The names of the variables.
        prefixes: What names begin with that are meant for this collection.
    """

    names: frozenset[str]
    prefixes: tuple[str, ...]


@functools.cache
def known_variables() -> Known:
    """The variables of this collection. Where a file is missing, as in an installation without documentation, names like its are not judged."""
    names: set[str] = set()
    prefixes: list[str] = []
    for role, options in _of_roles():
        prefixes.append(f"{role}_")
        names |= options
    if _PAGE.is_file():
        prefixes.append(_SHARED)
        listed = set(_LITERAL.findall(_PAGE.read_text(encoding="utf-8")))
        names |= {name for name in listed if name.startswith(tuple(prefixes))}
    return Known(frozenset(names), tuple(prefixes))


def _of_roles() -> Iterator[tuple[str, set[str]]]:
    for path in sorted(_TREE.glob("roles/*/meta/argument_specs.yml")):
        specs = yaml.load(path.read_text(encoding="utf-8"), _LOADER)["argument_specs"]  # noqa: S506 - either is safe
        yield path.parent.parent.name, {name for spec in specs.values() for name in spec.get("options", {})}
