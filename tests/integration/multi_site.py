# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the multi-site scenario ask of a lab with sites."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab import names
from lab.play import Run, run_playbook
from lab.witness import Srv, WitnessError

from .conftest import Lab

PLAYBOOK = "winops.volume_activation.kms_multi_site"
COUNTED = 50
"""What a KMS host has counted before the clients of a small park ask it: enough for clients and servers."""

VARIABLES = {
    "kms_multi_site_publish_timeout": 2,
    "kms_multi_site_alternate_url": "https://help.contoso.com",
}


def play(lab: Lab, playbook: str = PLAYBOOK, *, arguments: str = "", inventory: Path | None = None, **variables: Any) -> Run:
    """Run a playbook; KMS hosts have counted enough clients as soon as they are KMS hosts."""
    return run_playbook(
        lab.layout.root,
        playbook,
        inventory=inventory,
        arguments=f"--forks 5 {arguments}",
        variables={**VARIABLES, **variables},
        on_event=counting(lab),
    )


def counting(lab: Lab) -> Callable[[dict[str, Any]], None]:
    """For C(on_event) of a run: once the KMS hosts are activated, before clients ask, they have counted enough of them."""

    def handle(event: dict[str, Any]) -> None:
        if event["event"] == "playbook_on_task_start" and "Test whether the KMS host answers" in str(event["event_data"].get("task")):
            count_clients(lab)

    return handle


def count_clients(lab: Lab) -> None:
    """Bring the counts of all that are KMS hosts up, where they are not yet."""
    for machine in lab.options.machines:
        if machine.role == "kms" and (host := lab.control.host(machine.label))["is_kms_host"] and host["count"] != COUNTED:
            lab.control.count_clients(machine.label, COUNTED)


@contextmanager
def meanwhile(work: Callable[[], object]) -> Iterator[None]:
    """Do something again and again beside what is within."""
    over = threading.Event()

    def repeat() -> None:
        while not over.is_set():
            work()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def kms_hosts(lab: Lab, site: str = "") -> list[names.Machine]:
    """The KMS hosts of the inventory, of one site or of all."""
    return [item for item in lab.options.machines if item.role == "kms" and not item.spare and site in ("", item.site)]


def clients(lab: Lab, site: str = "") -> list[names.Machine]:
    """Clients and servers, of one site or of all."""
    return [item for item in lab.options.machines if item.role != "kms" and site in ("", item.site)]


def table_5(lab: Lab, zone: str) -> list[Srv]:
    """What the record of a site is to hold: its own hosts at 10, those of others at 90; the first has the weight 75, others share 25."""
    rest = 25 // (lab.options.site_hosts - 1)
    hosts = [(machine.site == zone, machine.number == 1, machine.fqdn) for machine in kms_hosts(lab)]
    return sorted((Srv(10 if own else 90, 75 if first else rest, 1688, fqdn) for own, first, fqdn in hosts), key=lambda value: value.target)


def world(lab: Lab) -> dict[str, Any]:
    """Everything that witnesses see: records with their rights, groups, Microsoft's counts, each machine past its WMI."""
    found: dict[str, Any] = {"microsoft": lab.control.call("microsoft")}
    for site in lab.options.site_list():
        witness = lab.witness_of(site.name)
        found[f"{site.name} srv"] = witness.srv(site.zone)
        found[f"{site.name} rights"] = _or_none(lambda: witness.rights(site.zone))  # noqa: B023
        found[f"{site.name} members"] = _or_none(lambda: witness.group_members(site.group))  # noqa: B023
    return {**found, "hosts": {machine.label: lab.control.host(machine.label) for machine in lab.options.machines}}


def _or_none(question: Callable[[], object]) -> object:
    try:
        return question()
    except WitnessError:
        return None
