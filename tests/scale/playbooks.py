# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures playbooks over a fleet that is licensed already, each beside a play of the empty action with as many host-tasks.

Of each 100 hosts one never answers, and one answers HTTP 503.

C(mak_independent): the hosts hold the MAK of the ring and are licensed, so that nobody is activated. Microsoft is simulated nowhere here, and
C(mak_independent_count) is false, because a run asks how many activations are left even where nobody needs one.

C(kms_single_site), C(kms_multi_site): the hosts are KMS clients, licensed and set up as the site has them, so that nobody asks. A limit leaves out
the KMS host, because setting one up takes a directory, which the laboratory has.

C(audit): the hosts are KMS clients of a site, licensed and set up as the site has them. The site's DNS server refuses all questions, so that
its records, its domain controller and its KMS host can't be asked, which adds some findings. Looking at these grows with the sites and not
with the clients, and is tested on the laboratory. An audit has no host-task, because the survey reads; it is compared with an empty play that
has one for each client, which is what it is allowed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from . import bench, canned
from .server import NAME_SERVER

MAX_GROWTH = 1.05
MAX_REGISTERED_BYTES = 1024
_COLLECTION = "winops.volume_activation"
_TROUBLE = ("--silent-every", "100", "--failing-every", "100")


def variables(port: int) -> dict[str, Any]:
    """Those of the inventory.

    Args:
        port: That of the server of canned answers.
    """
    site = {
        "domain": canned.DOMAIN,
        "domain_controllers": [f"dc1.{canned.DOMAIN}"],
        "dns_servers": [f"{NAME_SERVER}:{port}"],
        "kms_hosts": [{"name": f"kms-e1.{canned.DOMAIN}"}],
    }
    return {
        "volume_activation_mak_ring": {"enterprise": {"key": canned.MAK, "description": "Windows Enterprise"}},
        "volume_activation_mak": "enterprise",
        "mak_independent_count": False,
        "volume_activation_sites": {"east": site},
        "kms_audit_fail": False,
        "kms_single_site_domain": canned.DOMAIN,
        "kms_single_site_dns_servers": site["dns_servers"],
    }


@dataclass(frozen=True)
class Measured:
    """A playbook that is measured.

    Attributes:
        name: Its name in the collection.
        kind: How the hosts answer, see C(scale.canned).
        endings: The exit codes that it may have.
        host_tasks: How many host-tasks it may cost a host.
        logons: How many logons it may cost a host.
        beside: How many host-tasks the empty play has; C(None) for as many as the playbook had at the median.
        limited: Whether a limit leaves out the KMS host of the site.
        read: The number in what it leaves to later jobs that tells on how many hosts all was well; empty where none does.
    """

    name: str
    kind: str
    endings: Sequence[int]
    host_tasks: int
    logons: int
    beside: int | None = None
    limited: bool = False
    read: str = ""


PLAYBOOKS = (
    # Hosts that answer HTTP 503 fail the run at its end.
    Measured("mak_independent", "mak_client", (0, 2), host_tasks=4, logons=2, read="licensed"),
    Measured("kms_single_site", "kms_client", (0, 2), host_tasks=4, logons=2, beside=1, limited=True, read="licensed"),
    Measured("kms_multi_site", "kms_client", (0, 2), host_tasks=4, logons=2, beside=1, limited=True, read="licensed"),
    Measured("audit", "kms_client", (0,), host_tasks=1, logons=1, beside=1),
)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """The figures of all playbooks at all sizes, and the goals."""
    found: dict[str, Any] = {"forks": options.forks, "sizes": options.sizes, "goals": {}}
    for playbook in (playbook for playbook in PLAYBOOKS if playbook.name in options.only):
        sizes = {size: _at(options, playbook, size) for size in options.sizes}
        growth = _growths(sizes, options.growth)
        found[playbook.name] = {"growth": growth, **{str(size): figures for size, figures in sizes.items()}}
        found["goals"] |= {f"{playbook.name}_{name}": goal for name, goal in _goals(playbook, sizes, growth).items()}
    return found


def _at(options: argparse.Namespace, playbook: Measured, size: int) -> dict[str, Any]:
    """The figures of a playbook at a size, and those of the empty play."""
    runner = _Runner(options, size)
    with bench.serving(options.port, "--kind", playbook.kind, *_TROUBLE) as served:
        figures = runner.run(playbook.name, f"{_COLLECTION}.{playbook.name}", playbook.endings, playbook.limited)
    figures |= {"logons": served["logons_of"], "requests": served["requests"], "connections": served["connections"]}
    number = figures["host_tasks"]["median"] if playbook.beside is None else playbook.beside
    return {"playbook": figures, "empty": runner.run_nothing(number)} if options.empty else {"playbook": figures}


def kms_hosts(folder: Path) -> Path:
    """An inventory of the KMS host alone, which a limit leaves out.

    Args:
        folder: Where it is written.
    """
    path = folder / "kms_hosts.json"
    hosts = {site["name"]: {} for site in variables(0)["volume_activation_sites"]["east"]["kms_hosts"]}
    path.write_text(json.dumps({"kms_hosts": {"hosts": hosts}}), encoding="utf-8")
    return path


class _Runner:
    """Runs plays over so many hosts."""

    def __init__(self, options: argparse.Namespace, size: int) -> None:
        self.folder = Path(options.build / "scale" / f"playbooks-{size}")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._environment = {
            **bench.environment(options, self.folder),
            "ANSIBLE_CALLBACKS_ENABLED": "counting",
            "VOLUME_ACTIVATION_FIRST_CONTACT_TIMEOUT": str(options.first_contact),
        }
        self._inventory = self.folder / "inventory.json"
        self._inventory.write_text(json.dumps(bench.inventory(size, options.port, **variables(options.port))), encoding="utf-8")

    def run(self, name: str, play: str, endings: Sequence[int] = (0,), limited: bool = False) -> dict[str, Any]:
        """What a play cost, and what the callback has counted."""
        counts = self.folder / f"{name}.json"
        environment = {**self._environment, "SCALE_COUNTS": str(counts)}
        command = ["ansible-playbook", "-i", str(self._inventory), play]
        if limited:
            command += ["-i", str(kms_hosts(self.folder)), "--limit", "kms_clients"]
        cost = bench.run(command, environment, self.folder / f"{name}.log", endings)
        # The peak of the process is that of the callback: what wait4 gives is the largest of all workers.
        return {**cost.as_data(), **json.loads(counts.read_text(encoding="utf-8"))}

    def run_nothing(self, tasks: int) -> dict[str, Any]:
        """The same of the empty action."""
        path = self.folder / f"nothing-{tasks}.yml"
        play = {"name": "nothing", "hosts": "windows", "gather_facts": False}
        path.write_text(yaml.safe_dump([{**play, "tasks": [{"name": "nothing", "nothing": None}] * tasks}]), encoding="utf-8")
        return self.run(path.stem, str(path))


def _growths(sizes: Mapping[int, Mapping[str, Any]], growth: tuple[int, int]) -> dict[str, float]:
    """By how much more CPU time the playbook and the empty play take at the larger size."""
    small, large = (sizes[size] for size in growth)
    return {name: round(large[name]["cpu_s"] / small[name]["cpu_s"], 3) for name in small}


def _goals(playbook: Measured, sizes: Mapping[int, Mapping[str, Any]], growth: Mapping[str, float]) -> dict[str, Any]:
    size = max(sizes)
    figures = sizes[size]["playbook"]
    goals = {
        "peak_mib": bench.goal(bench.MAX_PEAK_MIB, figures["peak_mib"]),
        "registered_bytes": bench.goal(MAX_REGISTERED_BYTES, figures["registered_bytes"]["max"]),
        "host_tasks": bench.goal(playbook.host_tasks, figures["host_tasks"]["max"]),
        "logons": bench.goal(playbook.logons, figures["logons"]["max"]),
    }
    if "empty" in growth:
        goals["growth"] = bench.goal(round(MAX_GROWTH * growth["empty"], 3), growth["playbook"])
    if playbook.read:
        well, expected = figures["stats"][playbook.name][playbook.read], sum(number % 100 not in (37, 73) for number in range(size))
        goals[playbook.read] = {"goal": expected, "measured": well, "met": well == expected}
    return goals
