# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order KMS hosts are changed, because what one of them shows can't be taken back, and clients need one that serves at every moment.

A host that gets another key has to count its clients anew, and answers until then that it has counted too few: a client that got an answer does
not ask the next host (docs/facts/kms.md#count). The key before can't be read back. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..._core.text import some
from ..._licensing.kms import CLIENT_THRESHOLD, SERVER_THRESHOLD
from ..._topology.sites import CSVLK_HOSTS
from ..finding import Finding
from ..registered import Result
from .work import hosts_of


@dataclass(frozen=True, slots=True)
class KmsHosts:
    """The KMS hosts of a run as they were seen before the first change.

    Attributes:
        names: By their names in the inventory, in the order of the run.
        licenses: Results of C(license_info).
        keys: What C(key_facts) tells of the key that each is to get.
        silent: Those that did not answer on their port.
        threshold: How many clients a host has to have counted before it activates all kinds that there are.
    """

    names: Sequence[str]
    licenses: Mapping[str, Result]
    keys: Mapping[str, Result]
    silent: Collection[str] = ()
    threshold: int = CLIENT_THRESHOLD

    def held(self, host: str) -> str:
        """The last characters of the KMS host key by which it is licensed; empty where it is no KMS host that is."""
        windows = self.licenses.get(host, {}).get("windows") or {}
        is_host = windows.get("channel") == "csvlk" and windows.get("status") == "licensed"
        return str(windows.get("partial_key") or "") if is_host else ""

    def wanted(self, host: str) -> str:
        """The last characters of the key that it is to have: the one it holds where none is given."""
        windows = self.licenses.get(host, {}).get("windows") or {}
        return str(
            self.keys.get(host, {}).get("last_five") or (windows.get("partial_key") if windows.get("channel") == "csvlk" else "") or ""
        )

    def count(self, host: str) -> int:
        """How many clients it has counted."""
        return int((self.licenses.get(host, {}).get("service") or {}).get("current_count") or 0)

    def serves(self, host: str) -> bool:
        """Whether a client that asks it is activated."""
        return bool(self.held(host)) and host not in self.silent and self.count(host) >= self.threshold


@dataclass(slots=True)
class Rollout:
    """What is done when.

    Attributes:
        first: The hosts that are changed alone, one after the other, before the others.
        replaced: Those of them that get another key, with the last characters of the one before.
        left: The hosts that keep their key in this run, each with the hosts that it waits for; those have the new key and do not serve yet.
        rounds: All others: at once what clients do not use yet, and then each host that may serve alone.
    """

    first: list[str] = field(default_factory=list)
    replaced: dict[str, str] = field(default_factory=dict)
    left: dict[str, list[str]] = field(default_factory=dict)
    rounds: list[list[str]] = field(default_factory=list)


def threshold_of(clients: Mapping[str, Result]) -> int:
    """How many clients a KMS host has to have counted to activate them all: fewer where all are servers."""
    systems = [entry["operating_system"] for entry in clients.values() if "operating_system" in entry]
    return SERVER_THRESHOLD if systems and all(system.get("server") for system in systems) else CLIENT_THRESHOLD


def rollout(topology: Result, hosts: KmsHosts, one_at_a_time: bool = False) -> Rollout:
    """In which order the hosts of a run are changed.

    Args:
        topology: The sites.
        hosts: The hosts.
        one_at_a_time: Windows may be restarted on them.
    """
    found = Rollout()
    by_key: dict[str, list[str]] = {}
    for host in hosts.names:
        by_key.setdefault(hosts.wanted(host), []).append(host)
    for key, names in by_key.items():
        fresh = [name for name in names if not hosts.held(name)]
        proven = [name for name in names if hosts.held(name) == key]
        pending = [name for name in names if hosts.held(name) not in ("", key)]
        if not proven and len(fresh) > 1:
            found.first.append(fresh[0])
        # One of all keys in a run: two that go at once may be the last that serve in a record.
        waits_for = [*fresh, *(name for name in proven if not hosts.serves(name)), *found.replaced]
        if pending and not waits_for:
            following = min(pending, key=lambda name: (_share(topology, hosts, name), name))
            found.first.append(following)
            found.replaced[following] = hosts.held(following)
            waits_for = [following]
        found.left |= {name: waits_for for name in pending if name not in found.replaced}
    others = [name for name in hosts.names if name not in found.first]
    quiet = [name for name in others if not (hosts.held(name) or one_at_a_time)]
    found.rounds = [quiet] * bool(quiet) + [[name] for name in others if name not in frozenset(quiet)]
    return found


def rollout_findings(topology: Result, hosts: KmsHosts, due: Rollout, allow_outage: str) -> Iterator[Finding]:
    """What the owner has to know before keys are replaced, and what stands in the way.

    Args:
        topology: The sites.
        hosts: The hosts.
        due: In which order they are changed.
        allow_outage: The variable that lets a site be without a host that serves; empty where it does.
    """
    for host, before in due.replaced.items():
        text = (
            f"Its KMS host key that ends in {before} is replaced by the one that ends in {hosts.wanted(host)}, on this host alone. Keep the old one at"
            " hand, because Windows can't give it back. The new one spends an activation, and the host counts its clients from 0."
        )
        yield Finding(host, text, False)
        if allow_outage:
            yield from _outages(topology, hosts, host, allow_outage)
    for waits_for in {tuple(names) for names in due.left.values()}:
        names = [name for name, others in due.left.items() if tuple(others) == waits_for]
        text = (
            f"It keeps its key until {some(list(waits_for))} has its new one and has counted {hosts.threshold} clients. Run it again then."
        )
        yield Finding(some(names), text, False)


def many_hosts_of_a_key(hosts: KmsHosts, variable: str) -> Iterator[Finding]:
    """Keys that are to be on more hosts than Microsoft's terms have it; C(variable) gives the key of a host."""
    given: dict[str, list[str]] = {}
    for host in hosts.names:
        given.setdefault(hosts.wanted(host), []).append(host)
    for key, names in given.items():
        if key and len(names) > CSVLK_HOSTS:
            text = (
                f"{len(names)} KMS hosts are to have the key that ends in {key}, and Microsoft's terms are {CSVLK_HOSTS} for a key, unless more were"
                f" granted. Give some of them another key by {variable}."
            )
            yield Finding(some(names), text, False)


def _outages(topology: Result, hosts: KmsHosts, host: str, variable: str) -> Iterator[Finding]:
    """The records in which nobody serves but the host that gets another key."""
    if not hosts.serves(host):
        return
    targets = {entry["name"]: name for name, entry in hosts_of(topology, hosts.names).items()}
    own = next((target for target, name in targets.items() if name == host), "")
    for zone in topology["zones"].values():
        there = [str(value["target"]) for value in zone["values"]]
        if own in there and not any(target in targets and hosts.serves(targets[target]) for target in there if target != own):
            text = (
                f"It is the only host in it that serves, so until {hosts.threshold} clients have asked it with its new key, none is activated. Set up"
                f" another KMS host first, or set {variable} to true."
            )
            yield Finding(f"{host} in {zone['record']}", text, True)


def records_without_service(topology: Result, hosts: KmsHosts) -> list[str]:
    """The records that name hosts of the run of which none serves."""
    serving = {entry["name"]: hosts.serves(name) for name, entry in hosts_of(topology, hosts.names).items()}
    named = {str(zone["record"]): [str(value["target"]) for value in zone["values"]] for zone in topology["zones"].values()}
    known = {record: [serving[target] for target in targets if target in serving] for record, targets in named.items()}
    return [record for record, seen in known.items() if seen and not any(seen)]


def _share(topology: Result, hosts: KmsHosts, host: str) -> float:
    """Of the clients of all sites, the percentage that asks the host first, added up."""
    name = next((entry["name"] for mine, entry in hosts_of(topology, hosts.names).items() if mine == host), "")
    first = (groups[0]["hosts"] for groups in topology["orders"].values() if groups)
    return sum(float(entry["share"]) for entries in first for entry in entries if entry["target"] == name)
