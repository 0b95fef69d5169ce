# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SRV records beside C(community.general.nsupdate), with nothing due and with all due. The cases are in C(records.yml)."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from scale import bench

from . import connections, directory, figures, goals, name_server, rounds

CASES = Path(__file__).with_name("records.yml")
VARIANTS = ("one_value", "hundred_values", "hundred_names")


def measure(options: argparse.Namespace, place: connections.Place) -> dict[str, Any]:
    """The figures and goals; empty without a domain and a name server.

    Args:
        options: Of the command line.
        place: Where things are.
    """
    reason = "there is no domain" if place.domain is None else name_server.lacking()
    if place.domain is None or reason:
        print(f"without records: {reason}", file=sys.stderr)
        return {"cells": {}, "goals": {}}
    data = yaml.safe_load(CASES.read_text(encoding="utf-8"))
    layout = place.domain.layout
    around = {"KRB5_CONFIG": str(layout.krb5_conf), "KRB5CCNAME": f"FILE:{place.folder / 'ticket'}"}
    kinit = ["kinit", directory.USER]
    subprocess.run(kinit, env={**os.environ, **around}, input=directory.PASSWORD, text=True, check=True, capture_output=True)
    environment = {**bench.environment(options, place.folder), **around}
    with name_server.running(place.folder / "name-server", layout) as server:
        cells = [
            _cell(place.folder, environment, server, case, row, f"{variant}_{due}", sizes)
            for variant, sizes in data["variants"].items()
            if variant in options.records
            for due in ("due", "not_due")
            for case, row in data["cases"].items()
        ]
        found = rounds.measure(cells, options.rounds, options.seed)
    runs = {(case, variant): numbers for (case, variant, _hosts), numbers in found.items()}
    told = {"/".join(map(str, key)): figures.summary(numbers) for key, numbers in found.items()}
    return {"cells": told, "goals": goals.judged([goals.Goal.read(row) for row in data["goals"]], runs)}


def _cell(
    folder: Path,
    environment: Mapping[str, str],
    server: name_server.NameServer,
    case: str,
    row: Mapping[str, Any],
    variant: str,
    sizes: Mapping[str, int],
) -> rounds.Cell:
    # Each case has names of its own, so that what is not due for it was made by itself.
    labels = [f"{case}-{variant}-{number:03d}".replace("_", "-") for number in range(sizes["names"])]
    values = [_filled(row["value"], "@NUMBER@", f"{number:03d}") for number in range(sizes["values"])]
    several = [{"record": label, "values": values} for label in labels]
    if len(labels) == 1:
        task = _filled(_filled(row["task"], "@VALUES@", values), "@NAME@", labels[0])
    elif "task_of_names" in row:
        task = _filled(row["task_of_names"], "@RECORDS@", several)
    else:
        task = {**_filled(_filled(row["task"], "@VALUES@", values), "@NAME@", "{{ item }}"), "loop": labels}
    play = folder / f"{case}-{variant}.yml"
    # Of a module that is copied, Python has to be told where its packages are.
    variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    play.write_text(
        yaml.safe_dump([{"name": case, "hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": [task]}]), encoding="utf-8"
    )
    command = server.within(["ansible-playbook", "-i", "localhost,", str(play)])
    before = partial(server.delete, labels) if variant.endswith("_due") and not variant.endswith("not_due") else _nothing
    return rounds.Cell(case, variant, 1, command, environment, server, False, folder / f"{case}-{variant}.log", before)


def _nothing() -> None:
    """Nothing is due, because the run before has made it."""


def _filled(data: Any, mark: str, given: Any) -> Any:
    """The data with something in the place of a mark."""
    if isinstance(data, dict):
        return {name: _filled(value, mark, given) for name, value in data.items()}
    if data == mark:
        return given
    return data.replace(mark, given) if isinstance(data, str) and isinstance(given, str) else data
