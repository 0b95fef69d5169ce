# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A look, a run, another run: how the tests of scenarios compare what was foretold, what was done and what witnesses see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lab.play import Run

DEFAULTS = [("DisableDnsPublishing", 0), ("EnableKmsLowPriority", 0), ("KeyManagementServiceListeningPort", "1688")]


def change(step: Mapping[str, Any], decided: Mapping[Any, list[str]] | None = None) -> tuple[Any, ...]:
    """What a step changes; values that only the target decides are left out."""
    left_out = (decided or {}).get((step["object"], step["attribute"]), [])
    values = ["decided by target" if name in left_out else repr(step[name]) for name in ("before", "after")]
    return step["object"], step["attribute"], *values


def steady(world: dict[str, Any], *, strict: bool = False) -> dict[str, Any]:
    """The world without what passes by itself, flat, so that a difference names itself.

    A value that was set back to Windows' default stays in the registry as that default, as with slmgr.vbs.

    Args:
        world: What the witnesses saw.
        strict: Nothing may have been done, not even something that leaves no trace in settings; only sppsvc may have
            started because it was asked something.
    """
    passing = {"sppsvc", "minutes", "events"} | (set() if strict else {"processes", "publications"})
    hosts = {f"{name} {key}": value for name, host in world["hosts"].items() for key, value in host.items() if key not in passing}
    for label, value in hosts.items():
        if label.endswith(" registry"):
            hosts[label] = {path: data for path, data in value.items() if (path.rpartition("\\")[2], data) not in DEFAULTS}
    rest = {name: seen for name, seen in world.items() if name != "hosts"}
    # Entries that allow count in any order, and one that comes back stands behind the others.
    if rest.get("sddl"):
        rest["sddl"] = sorted(rest["sddl"].replace("(", "\n(").splitlines())
    return {**rest, **hosts}


def changes(run: Run) -> list[tuple[Any, ...]]:
    """What all steps of a run change, sorted."""
    return sorted(map(change, run.steps()))


def assert_foretold(planned: Iterable[Mapping[str, Any]], made: Iterable[Mapping[str, Any]]) -> None:
    """The steps of check mode are the very ones of the real run; only of an activation the target may decide a value."""
    planned = list(planned)
    decided = {(step["object"], step["attribute"]): step["decided_by_target"] for step in planned if "decided_by_target" in step}
    assert all(attribute == "license status" for _object, attribute in decided)
    assert sorted(change(step, decided) for step in planned) == sorted(change(step, decided) for step in made)
