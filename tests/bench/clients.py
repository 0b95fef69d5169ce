# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KMS clients and KMS hosts beside tasks of PowerShell modules, with nothing due and with all due. The cases are in C(clients.yml)."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from scale import bench

from . import connections, figures, fleet, goals, rounds

CASES = Path(__file__).with_name("clients.yml")


def measure(options: argparse.Namespace, place: connections.Place) -> dict[str, Any]:
    """The figures and goals.

    Args:
        options: Of the command line.
        place: Where things are.
    """
    data = yaml.safe_load(CASES.read_text(encoding="utf-8"))
    environment = bench.environment(options, place.folder)
    with fleet.serving(data["connection"], place) as reached:
        cells = []
        for case, row in data["cases"].items():
            for variant, changes in row["changes"].items():
                among = data["variants"][variant]
                hosts = min(among["hosts"], options.hosts)
                name = f"{case}-{variant}"
                play, log = place.folder / f"{name}.yml", place.folder / f"{name}.log"
                plays = [{"name": name, "hosts": "windows", "gather_facts": False, "tasks": row["tasks"]}]
                play.write_text(yaml.safe_dump(plays), encoding="utf-8")
                command = ["ansible-playbook", "-i", str(fleet.inventory(place.folder, reached, hosts)), str(play)]
                before = partial(reached.server.begin_anew, among["kind"], row.get("results", {}).get(variant, {}))
                after = partial(fleet.check, log, hosts, changes)
                cells.append(rounds.Cell(case, variant, hosts, command, environment, reached.server, True, log, before, after))
        found = rounds.measure(cells, options.rounds, options.seed)
    runs = {(case, variant): numbers for (case, variant, _hosts), numbers in found.items()}
    told = {"/".join(map(str, key)): figures.summary(numbers) for key, numbers in found.items()}
    return {"cells": told, "goals": goals.judged([goals.Goal.read(row) for row in data["goals"]], runs)}
