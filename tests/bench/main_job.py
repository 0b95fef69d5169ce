# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job beside a playbook of PowerShell tasks, first run and second run. The cases are in C(main_job.yml)."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from scale import bench, playbooks

from . import connections, figures, fleet, goals, rounds

CASES = Path(__file__).with_name("main_job.yml")


def measure(options: argparse.Namespace, place: connections.Place) -> dict[str, Any]:
    """The figures and goals.

    Args:
        options: Of the command line.
        place: Where things are.
    """
    data = yaml.safe_load(CASES.read_text(encoding="utf-8"))
    with fleet.serving(data["connection"], place) as reached:
        # Over one client, too: for what each further one takes, and so that caches are filled without a run over all.
        cells = [
            _cell(options, place.folder, reached, data, case, variant, hosts)
            for case, row in data["cases"].items()
            for variant in row["changes"]
            for hosts in (1, options.clients)
        ]
        found = rounds.measure(cells, options.main_job_rounds, options.seed)
    runs = {
        (case, variant): figures.with_marginal(found[case, variant, 1], many, hosts)
        for (case, variant, hosts), many in found.items()
        if hosts > 1
    }
    told = {"/".join(map(str, key)): figures.summary(numbers) for key, numbers in found.items()}
    told |= {f"{case}/{variant}/{options.clients}": figures.summary(numbers) for (case, variant), numbers in runs.items()}
    return {
        "rounds": options.main_job_rounds,
        "cells": told,
        "goals": goals.judged([goals.Goal.read(row) for row in data["goals"]], runs),
    }


def _cell(
    options: argparse.Namespace, folder: Path, reached: fleet.Reached, data: Mapping[str, Any], case: str, variant: str, hosts: int
) -> rounds.Cell:
    row, name = data["cases"][case], f"{case}-{variant}-{hosts}"
    # The port of the server is that of the name server beside it, which refuses what it is asked.
    variables = {**playbooks.variables(reached.server.port), **data["variables"]}
    command = ["ansible-playbook", "-i", str(fleet.inventory(folder, reached, hosts, **variables))]
    if "playbook" in row:
        command += ["-i", str(playbooks.kms_hosts(folder)), "--limit", "kms_clients", row["playbook"]]
    else:
        play = folder / f"{name}.yml"
        play.write_text(
            yaml.safe_dump([{"name": name, "hosts": "kms_clients", "gather_facts": False, "tasks": row["tasks"]}]), encoding="utf-8"
        )
        command.append(str(play))
    log = folder / f"{name}.log"
    before = partial(reached.server.begin_anew, data["variants"][variant], row.get("results", {}).get(variant, {}))
    after = partial(fleet.check, log, hosts, row["changes"][variant], row.get("says", "").replace("@HOSTS@", str(hosts)))
    reaches = row.get("tasks") != [{"nothing": None}]
    return rounds.Cell(case, variant, hosts, command, bench.environment(options, folder), reached.server, reaches, log, before, after)
