# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a grant on a DNS record costs in LDAP messages, with all due and with nothing due. The case is in C(rights.yml)."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from scale import bench

from lab import names

from . import connections, directory, figures, ldap_relay, rounds

CASES = Path(__file__).with_name("rights.yml")


def measure(options: argparse.Namespace, place: connections.Place) -> dict[str, Any]:
    """The figures; empty without a domain.

    Args:
        options: Of the command line.
        place: Where things are.
    """
    if place.domain is None:
        print("without rights: there is no domain", file=sys.stderr)
        return {"cells": {}, "goals": {}}
    data = yaml.safe_load(CASES.read_text(encoding="utf-8"))
    environment = {
        **bench.environment(options, place.folder),
        "KRB5_CONFIG": str(place.domain.layout.krb5_conf),
        "VOLUME_ACTIVATION_DOMAIN_USERNAME": directory.USER,
        "VOLUME_ACTIVATION_DOMAIN_PASSWORD": directory.PASSWORD,
    }
    with ldap_relay.running(place.folder / "relay", names.DC_FQDN, names.DC_ADDRESS) as relay:
        reset = relay.within(_play(place.folder, "reset", data["reset"]))
        granted = relay.within(_play(place.folder, data["case"], data["task"]))
        cells = []
        for variant in data["variants"]:
            due, log = not variant.endswith("not_due"), place.folder / f"{data['case']}-{variant}.log"
            before = partial(_run, reset if due else granted, environment)
            after = partial(_check, log, due)
            cells.append(rounds.Cell(data["case"], variant, 1, granted, environment, relay, False, log, before, after))
        found = rounds.measure(cells, options.rounds, options.seed)
    return {"cells": {"/".join(map(str, key)): figures.summary(numbers) for key, numbers in found.items()}, "goals": {}}


def _play(folder: Path, name: str, task: Mapping[str, Any]) -> list[str]:
    play = folder / f"rights-{name}.yml"
    variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    plays = [{"name": name, "hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": [task]}]
    play.write_text(yaml.safe_dump(plays), encoding="utf-8")
    return ["ansible-playbook", "-i", "localhost,", str(play)]


def _run(command: list[str], environment: Mapping[str, str]) -> None:
    subprocess.run(command, env=dict(environment), check=True, stdout=subprocess.DEVNULL)


def _check(log: Path, due: bool) -> None:
    if f"changed={int(due)} " not in log.read_text(encoding="utf-8"):
        raise RuntimeError(f"the grant was {'not made' if due else 'made again'}, see {log}")
