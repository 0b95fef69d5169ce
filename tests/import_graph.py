# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who imports whom below C(plugins), read from the sources: the layer test judges it, the picture of the architecture shows it.

The sources are parsed, not imported, so that imports inside functions and for type checkers count as well.
Needs the standard library alone.
"""

from __future__ import annotations

import ast
import typing as t
from collections.abc import Iterator
from pathlib import Path

COLLECTION = "ansible_collections.winops.volume_activation."


class Import(t.NamedTuple):
    """A module that is imported, with its full dotted name where it can be known."""

    line: int
    name: str


def imports(path: Path, package: str) -> Iterator[Import]:
    """Every import of a file.

    Args:
        path: Where it is.
        package: Dotted name of the package that it lies in, which relative imports start from.
    """
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                above = parts[: max(0, len(parts) - node.level + 1)]
                base = ".".join([*above, *filter(None, [node.module])])
            yield from (Import(node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("importlib.import_module", "import_module", "__import__"):
            named = [argument.value for argument in node.args[:1] if isinstance(argument, ast.Constant)]
            yield from (Import(node.lineno, str(name).lstrip(".")) for name in named)


def is_within(name: str, *packages: str) -> bool:
    """Whether a dotted name is one of the packages or lies in one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def layer_of(parts: list[str]) -> str:
    """The layer that a path below C(plugins) belongs to, given its parts.

    That is a folder of C(plugins), or a module or package of C(plugins/plugin_utils) where it starts with an underscore.
    """
    name = parts[1] if parts[0] == "plugin_utils" and len(parts) > 1 and parts[1] != "__init__.py" else parts[0]
    return name.removesuffix(".py")


def plugin_imports(tree: Path) -> Iterator[tuple[str, str, Import]]:
    """Each import below C(plugins): the file from the top of the tree, its layer, and what it imports.

    Args:
        tree: Folder that holds C(plugins).
    """
    for path in sorted((tree / "plugins").rglob("*.py")):
        layer = layer_of(list(path.relative_to(tree / "plugins").parts))
        package = COLLECTION + ".".join(path.parent.relative_to(tree).parts)
        for found in imports(path, package):
            yield path.relative_to(tree).as_posix(), layer, found


def imported_layers(tree: Path) -> dict[str, set[str]]:
    """The layers that each layer imports; layers that neither import another nor are imported are left out."""
    found: dict[str, set[str]] = {}
    for _file, layer, (_line, name) in plugin_imports(tree):
        inside = name.removeprefix(COLLECTION).split(".")
        if not name.startswith(f"{COLLECTION}plugins.") or len(inside) < 2:
            continue
        other = layer_of(inside[1:])
        if other != layer:
            found.setdefault(layer, set()).add(other)
            found.setdefault(other, set())
    return found
