# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a test runs: C(quick), C(test) or C(soak). A plugin of pytest.

A test module says it once, C(pytestmark = pytest.mark.tier("test")); a test that differs has the marker as a decorator, and a case
of its parameters as C(marks=). The closest one holds. What has none, or two at one place, is an error of the collection.

The tiers of a module are read before it is imported, so that what C(--tier) leaves out needs not even its packages.
A property is tried with the same examples each time in its own tier, and in a soak with others as well.
"""

from __future__ import annotations

import ast
import functools
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TIERS = ("quick", "test", "soak")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of this plugin."""
    group = parser.getgroup("tiers")
    group.addoption("--tier", type=_tiers, default=TIERS, metavar="NAMES", help="run these tiers alone, with commas between them")
    group.addoption("--end-by", type=float, metavar="TIME", help="begin no test after this time, in seconds since 1970")


def _tiers(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := set(names) - set(TIERS):
        raise pytest.UsageError(f"--tier knows {', '.join(TIERS)}, and not {', '.join(sorted(unknown))}")
    return names


def seed() -> int:
    """What varies from one soak to the next: C(SOAK_SEED), which C(make soak) draws and prints; 1 in the gate, which leaves nothing to luck."""
    return int(os.environ.get("SOAK_SEED") or 1)


def is_soak(config: pytest.Config) -> bool:
    """Whether this is a soak and nothing else."""
    return bool(config.getoption("tier") == ("soak",))


def markers(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every C(pytest.mark.tier("…")) of a source, with its line.

    Raises:
        ValueError: One is not written out as a single known name.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.tier":
            match node.args, node.keywords:
                case [ast.Constant(value=str(name))], [] if name in TIERS:
                    yield node.lineno, name
                case _:
                    raise ValueError(f"line {node.lineno}: {ast.unparse(node)} is not one of {', '.join(TIERS)}")


@functools.cache
def tiers_of(path: Path) -> frozenset[str]:
    """The tiers that a test module names."""
    return frozenset(name for _line, name in markers(ast.parse(path.read_bytes(), str(path))))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a module without a test of the tiers that are asked for. One without any marker is collected, and refused then."""
    if collection_path.suffix != ".py" or not collection_path.name.startswith("test_"):
        return None
    named = tiers_of(collection_path)
    if not named or not named.isdisjoint(config.getoption("tier")):
        return None
    return None if is_soak(config) and b"hypothesis" in collection_path.read_bytes() else True


def tier_of(item: pytest.Item) -> str:
    """The tier of a test: what its closest marker says.

    Raises:
        pytest.UsageError: It has none, or two at one place.
    """
    for _node, marks in _by_place(item):
        if len(marks) > 1:
            raise pytest.UsageError(f"{item.nodeid} is in the tiers {' and '.join(mark.args[0] for mark in marks)}")
        if marks:
            return str(marks[0].args[0])
    raise pytest.UsageError(f"{item.nodeid} is in no tier: its module says none with pytestmark = pytest.mark.tier(…)")


def _by_place(item: pytest.Item) -> Iterator[tuple[pytest.Item | pytest.Collector, list[pytest.Mark]]]:
    """The markers of a test by where they stand, its own first, and those of a case of its parameters before its decorators."""
    callspec = getattr(item, "callspec", None)
    of_case = [mark for mark in getattr(callspec, "marks", ()) if mark.name == "tier"]
    if of_case:
        yield item, of_case
    for node in reversed(item.listchain()):
        yield node, [mark for mark in node.own_markers if mark.name == "tier" and mark not in of_case]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the tiers that are asked for; those of a soak begin at another place each time."""
    asked, soak = config.getoption("tier"), is_soak(config)
    chosen = {item: tier_of(item) in asked or (soak and item.get_closest_marker("hypothesis") is not None) for item in items}
    left_out = [item for item in items if not chosen[item]]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if chosen[item]]
    if soak:
        files = list(dict.fromkeys(item.path for item in items))
        random.Random(seed()).shuffle(files)
        items.sort(key=lambda item: files.index(item.path))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin no test after the time that was given."""
    end = item.config.getoption("end_by")
    if end is not None and time.time() > end:
        pytest.skip("the time is over")


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """The last line of a soak."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if is_soak(config) and reporter is not None and not hasattr(config, "workerinput"):
        count = {name: len(reporter.stats.get(name, [])) for name in ("passed", "failed", "error", "skipped")}
        print(f"{count['passed']} passed, {count['failed'] + count['error']} failed, {count['skipped']} skipped")
