# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures as tables of a documentation page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs/docsite/rst/speed.rst"
BEGIN, END = ".. The tables are written by make bench.", ".. Here they end."
_NAMES = {
    "basic": "Basic",
    "basic_tls": "Basic over TLS",
    "basic_tls_unchecked": "Basic over TLS, certificate not checked",
    "ntlm": "NTLM, encrypted messages",
    "kerberos": "Kerberos, encrypted messages",
    "psrp": "psrp, NTLM, encrypted messages",
    "client_due": "KMS clients, all settings, key and license to be made",
    "client_not_due": "KMS clients, nothing to do",
    "host_due": "KMS hosts, all settings, key and license to be made",
    "host_not_due": "KMS hosts, nothing to do",
    "first_run": "KMS for one site, first run, all clients ask",
    "second_run": "KMS for one site, second run, nothing to do",
    "one_value_due": "A record with one value, to be made",
    "one_value_not_due": "A record with one value, nothing to do",
    "hundred_values_due": "A record with 100 values, to be made",
    "hundred_values_not_due": "A record with 100 values, nothing to do",
    "hundred_names_due": "100 records, to be made",
    "hundred_names_not_due": "100 records, nothing to do",
    "grant_due": "Rights on a record, to be granted",
    "grant_not_due": "Rights on a record, nothing to do",
}
_HEADS = ("Task", "Seconds", "CPU seconds", "CPU for each further host, ms", "Requests", "of them logon", "KB", "Messages", "Connections")


def written(told: Mapping[str, Any]) -> str:
    """The text between the marks.

    Args:
        told: What C(bench.json) holds.
    """
    machine = told["machine"]
    versions = ", ".join(f"{name} {machine[name]}" for name in machine if name not in ("system", "processor", "cores", "commit"))
    others = "".join(
        f" ({part['rounds']} of {name})" for name, part in told["parts"].items() if part.get("rounds", told["rounds"]) != told["rounds"]
    )
    lines = [
        f"{told['rounds']} rounds{others}, {told['forks']} forks, {machine['system']}, {machine['cores']} cores of {machine['processor']};",
        f"{versions}. Figures are medians. Requests and KB are those of one host.",
        "",
    ]
    for part in told["parts"].values():
        for (connection, hosts), rows in _grouped(part["cells"]).items():
            of_hosts = any("requests" in cell for cell in rows.values())
            title = f"{_NAMES.get(connection, connection)}, {_hosts(hosts)}" if of_hosts else _NAMES.get(connection, connection)
            table = _without_empty([list(_HEADS), *(_row(case, cell, hosts) for case, cell in rows.items())])
            lines += [title, "~" * len(title), "", *_table(table[0], table[1:])]
    title = "Goals"
    heads = ("Ratio", "Median", "Least and greatest", "Goal", "Met")
    rows = (
        [name, _number(goal["measured"]), _between(goal), _number(goal["goal"]), "yes" if goal["met"] else "no"]
        for name, goal in told["goals"].items()
    )
    return "\n".join([*lines, title, "~" * len(title), "", *_table(heads, rows)]).rstrip() + "\n"


def put(page: str, text: str) -> str:
    """The page with another text between its marks.

    Raises:
        ValueError: It has no marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks the lines {BEGIN!r} and {END!r}")
    return f"{before}{begin}\n\n{text}\n{end}{after}"


def _grouped(cells: Mapping[str, Any]) -> dict[tuple[str, int], dict[str, Any]]:
    """By connection and number of hosts the cases."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for key, cell in cells.items():
        case, connection, hosts = key.split("/")
        found.setdefault((connection, int(hosts)), {})[case] = cell
    return dict(sorted(found.items(), key=lambda item: (list(_NAMES).index(item[0][0]) if item[0][0] in _NAMES else 99, item[0][1])))


def _row(case: str, cell: Mapping[str, Any], hosts: int) -> list[str]:
    def median(measure: str, factor: float = 1.0) -> str:
        return _number(cell[measure]["median"] * factor) if measure in cell else ""

    logon = (cell["requests"]["median"] - cell["messages"]["median"]) / hosts if "requests" in cell else 0.0
    requests = (median("requests", 1 / hosts), _number(logon) if "requests" in cell else "")
    # Of a name server; those of hosts are requests.
    messages = ("", "") if "requests" in cell else (median("messages"), median("connections"))
    return [
        f"``{case}``",
        median("wall"),
        median("cpu"),
        median("marginal_cpu", 1000),
        *requests,
        median("bytes", 1 / hosts / 1000),
        *messages,
    ]


def _without_empty(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """A table without the columns that say nothing below their heads."""
    kept = [place for place in range(len(rows[0])) if any(row[place] for row in rows[1:])]
    return [[row[place] for place in kept] for row in rows]


def _hosts(number: int) -> str:
    return "1 host" if number == 1 else f"{number:,} hosts"


def _between(goal: Mapping[str, Any]) -> str:
    return f"{_number(goal['min'])} to {_number(goal['max'])}"


def _number(value: float) -> str:
    """Three digits, or all of a greater integer."""
    return f"{value:.0f}" if value == 0 or abs(value) >= 100 else f"{value:.3g}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (heads, *rows):
        lines += [f"   {'*' if place == 0 else ' '} - {cell}".rstrip() for place, cell in enumerate(row)]
    return [*lines, ""]
