# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a report, and what a job says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .._core.errors import ActivationError, Refusals
from .._core.text import some, visible
from .._state.directory import StateDirectory
from .._state.kinds import FileKind
from .._topology.reading import Section
from . import history
from .data import as_csv, as_json
from .deviations import numbers
from .model import FleetReport
from .page import as_html
from .prometheus import as_metrics

_AUDIT = "volume_activation_report_audit"
_DAYS, _MOST_DAYS = 30, 36_500
_FILES = {
    "page": (FileKind.REPORT_PAGE, as_html),
    "table": (FileKind.REPORT_TABLE, as_csv),
    "data": (FileKind.REPORT_DATA, as_json),
    "metrics": (FileKind.METRICS, as_metrics),
}


def expiring_days(given: Any) -> int:
    """A number of days; a survey gives it as text, and empty where nobody says.

    Raises:
        ActivationError: It is none.
    """
    text = str(given).strip() or str(_DAYS)
    if isinstance(given, (bool, float)) or not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) > _MOST_DAYS:
        raise ActivationError(
            f"volume_activation_report_expiring_days is {visible(text)}. Give a number of days such as 30, up to {_MOST_DAYS}.",
            source="options",
        )
    return int(text)


def audited(wanted: Any, declared: bool, groups: Mapping[str, Sequence[str]], hosts: Iterable[str]) -> dict[str, Any]:
    """Whether the sites are audited as well, and over which KMS hosts.

    Args:
        wanted: The variable C(volume_activation_report_audit).
        declared: Whether sites or a domain are declared.
        groups: The magic variable C(groups).
        hosts: The hosts of the play.

    Raises:
        Refusals: C(wanted) is neither true nor false.
    """
    problems: list[str] = []
    due = Section(problems, "", {_AUDIT: wanted}, {_AUDIT}).flag(_AUDIT, True) and declared
    if problems:
        raise Refusals(problems)
    here = frozenset(hosts)
    kms_hosts = [host for host in groups.get("kms_hosts") or () if host in here]
    clients = any(host in here for host in groups.get("kms_clients") or ())
    return {"audited": due and bool(kms_hosts or clients), "kms_hosts": kms_hosts if due else []}


def written(report: FleetReport, directory: StateDirectory) -> dict[str, Any]:
    """Write the files of a report, each whole or not at all, and return what the job says.

    Args:
        report: The report; it gets the history with this report in it.
        directory: The state directory.

    Raises:
        ActivationError: A file can't be written.
    """
    counts = {one.host: one.count for one in report.kms_hosts if one.count is not None}

    def with_this(path: Path) -> bytes:
        report.history = history.with_report(_history(path), report.time, counts)
        return history.encode(report.history)

    directory.rewrite(FileKind.REPORT_HISTORY, with_this)
    for kind, made in _FILES.values():
        directory.write_atomically(kind, made(report))
    return {
        "files": {name: str(directory.place(kind)) for name, (kind, _made) in _FILES.items()},
        "summary": _summary(report),
        "numbers": _numbers(report),
    }


def _history(path: Path) -> history.History:
    """The history that is there; only its end where somebody has made it very large."""
    if not path.exists():
        return {}
    with path.open("rb") as file:
        size = min(file.seek(0, 2), history.LARGEST)
        file.seek(-size, 2)
        return history.parse(file.read(size))


def _numbers(report: FleetReport) -> dict[str, Any]:
    audit: Mapping[str, Any] = report.audit
    return {
        "hosts": len(report.computers),
        **dict(sorted(report.outcomes.items())),
        "states": dict(sorted(report.states().items())),
        "expiring": len(report.expiring),
        "verdict": audit.get("verdict", ""),
        "deviations": int((audit.get("counts") or {}).get("deviation", 0)),
    }


def _summary(report: FleetReport) -> list[str]:
    lines = []
    if expiring := report.expiring:
        names = some([one.host for one in expiring])
        lines.append(f"{len(expiring)} have a licence that ends in fewer than {report.expiring_days} days: {names}.")
    lines += [f"KMS host {one.host} has counted {one.count} clients." for one in report.kms_hosts[:10]]
    lines += [f"{mak.name}: {mak.note or f'{mak.remaining} activations are left.'}" for mak in report.maks[:10]]
    if report.audit:
        lines.append(f"Compared with the declared sites: {numbers(report.audit['counts'])}.")
    return lines
