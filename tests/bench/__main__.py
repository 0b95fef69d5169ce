# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the collection beside what one would use instead, prints the goals, and writes bench.json and bench.rst of the build folder.

python -m bench --build ../build [--only licensing] [--rounds 3] [--hosts 20] [--connections basic ntlm] [--write-page]

It ends with 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import clients, connections, directory, licensing, machine, main_job, page, records, rights, rounds

_PARTS = {
    "licensing": licensing.measure,
    "clients": clients.measure,
    "records": records.measure,
    "rights": rights.measure,
    "main_job": main_job.measure,
}

MAIN_JOB_ROUNDS = 1
"""A round over 1,000 clients takes minutes, and a run over so many is long enough to be little disturbed."""


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures the collection beside what one would use instead.")
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=_PARTS, default=tuple(_PARTS), help="parts of it")
    parser.add_argument("--rounds", type=int, default=7, help="how often each case runs")
    parser.add_argument("--hosts", type=int, default=200, help="how many hosts, where there are many")
    parser.add_argument("--clients", type=int, default=1_000, help="how many clients the main job has")
    parser.add_argument("--main-job-rounds", type=int, help=f"how often each case of the main job runs; {MAIN_JOB_ROUNDS} unless given")
    parser.add_argument("--connections", nargs="+", choices=connections.NAMES, default=connections.NAMES)
    parser.add_argument("--records", nargs="+", choices=records.VARIANTS, default=records.VARIANTS, help="how many names and values")
    parser.add_argument("--forks", type=int, default=10, help="those of ansible-playbook")
    parser.add_argument("--seed", type=int, default=1, help="what the order in a round is drawn from")
    parser.add_argument("--write-page", action="store_true", help=f"put the tables into {page.PAGE.name} of the documentation as well")
    options = parser.parse_args(arguments)
    options.build = options.build.resolve()
    options.main_job_rounds = options.main_job_rounds or MAIN_JOB_ROUNDS
    return options


@contextmanager
def _place(options: argparse.Namespace, folder: Path) -> Iterator[connections.Place]:
    """Where things are, with a domain where one is needed and can be had."""
    needed = {"records", "rights"} & set(options.only) or ("licensing" in options.only and "kerberos" in options.connections)
    reason = directory.lacking() if needed else "nothing that is measured needs it"
    if reason:
        print(f"without a domain: {reason}", file=sys.stderr)
        yield connections.Place(folder)
        return
    with directory.running(folder / "domain") as domain:
        yield connections.Place(folder, domain)


def main() -> int:
    """The program."""
    # Who ends it wants the servers to end as well.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = parsed()
    rounds.allow_files()
    sys.path.insert(0, str(options.build / "collections"))
    folder = options.build / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    with _place(options, folder) as place:
        parts = {name: _PARTS[name](options, place) for name in options.only}
    goals = {name: goal for part in parts.values() for name, goal in part.pop("goals").items()}
    chosen = {name: getattr(options, name) for name in ("rounds", "hosts", "forks", "seed")}
    told = {**chosen, "machine": machine.described(), "parts": parts, "goals": goals}
    (options.build / "bench.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    tables = page.written(told)
    (options.build / "bench.rst").write_text(tables, encoding="utf-8")
    if options.write_page:
        page.PAGE.write_text(page.put(page.PAGE.read_text(encoding="utf-8"), tables), encoding="utf-8")
    for name, goal in goals.items():
        print(
            f"{'met   ' if goal['met'] else 'MISSED'} {name}: {goal['measured']} ({goal['min']} to {goal['max']}), at most {goal['goal']}"
        )
    return 0 if all(goal["met"] for goal in goals.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
