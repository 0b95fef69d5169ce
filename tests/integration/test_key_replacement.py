# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another KMS host key for hosts that serve: one of them in each run, and no site without one at any moment."""

from __future__ import annotations

import itertools
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lab import names
from lab.play import Run, run_playbook
from lab.windows import data

from .conftest import Lab
from .multi_site import COUNTED, PLAYBOOK, VARIABLES, clients, count_clients, kms_hosts, meanwhile, play

NEW = data.key_named("csvlk_2022_second").key
OLD = data.key_named("csvlk_2022").key
ORDER = ["kms-e2", "kms-w2", "kms-e1", "kms-w1"]
"""By their share of the clients, and by name."""


@pytest.fixture
def lab(zones_lab: Lab) -> Iterator[Lab]:
    zones_lab.control.reset()
    run = play(zones_lab, arguments="--limit kms_hosts")
    assert run.rc == 0, run.output[-3000:]
    count_clients(zones_lab)
    yield zones_lab
    zones_lab.control.reset()


def serves(host: dict[str, Any]) -> bool:
    counted = COUNTED // 2 <= (host["count"] or 0) <= COUNTED
    return bool(host["is_kms_host"] and host["license_status"] == 1 and host["open_port"] and counted)


def is_reached(machine: names.Machine) -> bool:
    try:
        socket.create_connection((machine.address, 1688), timeout=2).close()
    except OSError:
        return False
    return True


@contextmanager
def watched(lab: Lab) -> Iterator[tuple[list[int], Counter[str]]]:
    """Meanwhile somebody looks again and again how many hosts of a site serve and take a connection, and all clients ask in turn.

    Gives each number, and how often clients got which HRESULT.
    """
    seen: list[int] = []
    codes: Counter[str] = Counter()
    everybody = itertools.cycle(clients(lab))

    def look() -> None:
        seen.extend(
            sum(serves(lab.control.host(machine.label)) and is_reached(machine) for machine in kms_hosts(lab, site))
            for site in ("east", "west")
        )

    def ask() -> None:
        codes[lab.control.activate(next(everybody).label)] += 1

    with meanwhile(look), meanwhile(ask):
        yield seen, codes


def replace(lab: Lab, key: str = NEW, arguments: str = "") -> Run:
    """Run the playbook with another key, without clients that it sets up."""
    variables = {**VARIABLES, "kms_multi_site_csvlk": key}
    return run_playbook(lab.layout.root, PLAYBOOK, arguments=f"--limit kms_hosts --forks 5 {arguments}", variables=variables)


def held(lab: Lab) -> dict[str, str]:
    return {machine.label: lab.control.host(machine.label)["partial_key"] for machine in kms_hosts(lab)}


@pytest.mark.tier("soak")
def test_one_host_in_each_run_and_the_next_when_that_serves(lab: Lab) -> None:
    with watched(lab) as (seen, codes):
        for number, label in enumerate(ORDER, 1):
            run = replace(lab)
            assert run.rc == 0, run.output[-3000:]
            assert {name for name, key in held(lab).items() if key == NEW[-5:]} == set(ORDER[:number])
            left = sorted(machine.fqdn for machine in kms_hosts(lab) if machine.label in ORDER[number:])
            assert sorted(run.custom_stats["kms_multi_site"]["kms_hosts_waiting"]) == left
            assert not serves(lab.control.host(label))
            # It counts from 0: the next run leaves all others as they are.
            again = replace(lab)
            assert (again.rc, again.changed()) == (0, 0), again.output[-3000:]
            count_clients(lab)
    assert len(seen) > 50
    assert min(seen) >= 1
    # A host that counts anew answers that it has counted too few, and whoever is licensed stays so.
    assert set(codes) <= {"0x00000000", "0xC004F038"}
    assert codes["0x00000000"] > 50


@pytest.mark.tier("test")
def test_check_mode_names_the_one_and_a_key_that_is_refused_stops_after_it(lab: Lab) -> None:
    check = replace(lab, arguments="--check --diff")
    assert check.rc == 0, check.output[-3000:]
    (first,) = [machine.fqdn for machine in kms_hosts(lab) if machine.label == ORDER[0]]
    assert {(step["object"], step["attribute"]) for step in check.steps()} == {(first, "product key"), (first, "license status")}
    lab.control.set_key_state("csvlk_2022_second", "blocked")
    run = replace(lab)
    assert run.rc != 0
    assert {name for name, key in held(lab).items() if key != OLD[-5:]} == {ORDER[0]}


@pytest.mark.tier("soak")
@pytest.mark.parametrize("key", ["mak_server_2022_datacenter", "csvlk_2008r2_b"])
def test_a_key_of_the_wrong_kind_stops_after_one_host(lab: Lab, key: str) -> None:
    run = replace(lab, data.key_named(key).key)
    assert run.rc != 0
    assert len({name for name, now in held(lab).items() if now != OLD[-5:]}) <= 1
