# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the licensing state of hosts, beside PowerShell modules, the empty action and a bare script. The cases are in C(licensing.yml)."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from scale import bench, canned, envelopes

from . import connections, figures, goals, rounds
from .connections import Connection

CASES = Path(__file__).with_name("licensing.yml")


@dataclass(frozen=True)
class _Reached:
    """A connection whose server runs."""

    name: str
    connection: Connection
    server: bench.Server


def measure(options: argparse.Namespace, place: connections.Place) -> dict[str, Any]:
    """The figures and goals.

    Args:
        options: Of the command line.
        place: Where things are that connections need; without a domain Kerberos is left out.
    """
    data = yaml.safe_load(CASES.read_text(encoding="utf-8"))
    names = [name for name in data["connections"] if name in options.connections and (name != "kerberos" or place.domain)]
    with _serving(names, place) as reached:
        cells = [
            _cell(options, place.folder, case, row, found, hosts)
            for case, row in data["cases"].items()
            for found in reached
            if found.name in row.get("connections", data["connections"])
            for hosts in (1, options.hosts)
        ]
        found = rounds.measure(cells, options.rounds, options.seed)
    runs = {
        (case, connection): figures.with_marginal(found[case, connection, 1], many, hosts)
        for (case, connection, hosts), many in found.items()
        if hosts > 1
    }
    told = {"/".join(map(str, key)): figures.summary(numbers) for key, numbers in found.items()}
    for (case, connection), numbers in runs.items():
        told[f"{case}/{connection}/{options.hosts}"]["marginal_cpu"] = figures.summary(numbers)["marginal_cpu"]
    return {"cells": told, "goals": goals.judged([goals.Goal.read(row) for row in data["goals"]], runs)}


@contextmanager
def _serving(names: list[str], place: connections.Place) -> Iterator[list[_Reached]]:
    with ExitStack() as stack:
        reached = []
        for name in names:
            connection = connections.named(name, place)
            server = bench.Server(bench.free_port(), *connection.server)
            stack.callback(server.end)
            reached.append(_Reached(name, connection, server))
        yield reached


def _cell(options: argparse.Namespace, folder: Path, case: str, row: Mapping[str, Any], reached: _Reached, hosts: int) -> rounds.Cell:
    name = f"{case}-{reached.name}-{hosts}"
    command = _script(folder, name, row, reached, hosts) if "envelopes" in row else _play(folder, name, row, reached, hosts)
    environment = {**bench.environment(options, folder), **reached.connection.environment}
    empty = row.get("tasks") == [{"nothing": None}]
    return rounds.Cell(case, reached.name, hosts, command, environment, reached.server, not empty, folder / f"{name}.log")


def _play(folder: Path, name: str, row: Mapping[str, Any], reached: _Reached, hosts: int) -> list[str]:
    inventory, play = folder / f"inventory-{reached.name}-{hosts}.json", folder / f"{name}.yml"
    listed = {f"pc-{number:05d}.contoso.com": {"ansible_host": canned.address(number)} for number in range(hosts)}
    variables = {**reached.connection.variables, "ansible_port": reached.server.port}
    inventory.write_text(json.dumps({"all": {"vars": variables, "hosts": listed}}), encoding="utf-8")
    play.write_text(yaml.safe_dump([{"name": name, "hosts": "all", "gather_facts": False, "tasks": row["tasks"]}]), encoding="utf-8")
    return ["ansible-playbook", "-i", str(inventory), str(play)]


def _script(folder: Path, name: str, row: Mapping[str, Any], reached: _Reached, hosts: int) -> list[str]:
    listed, sent = folder / f"{name}-hosts.json", folder / f"{name}-envelopes.json"
    listed.write_text(json.dumps([canned.address(number) for number in range(hosts)]), encoding="utf-8")
    sent.write_text(json.dumps(envelopes.sent_by(*row["envelopes"])), encoding="utf-8")
    command = [sys.executable, "-m", "scale.bare", "--hosts", str(listed), "--envelopes", str(sent), "--port", str(reached.server.port)]
    command += ["--threads", "10", "--transport", reached.connection.transport, "--out", str(folder / f"{name}.jsonl")]
    return [*command, *(["--ca", reached.connection.ca] if reached.connection.ca else [])]
