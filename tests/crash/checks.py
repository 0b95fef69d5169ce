# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold after a fault, whatever it was; each check returns sentences about what does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .kinds import INSTALL
from .schedule import Schedule
from .world import FOREIGN, FOREIGN_SID, Seen

RUNNING = "Running"
_OWN_WORDS = 300


def _differs(value: object, wanted: object) -> str:
    """Both, and of a list or a mapping only what is not in both."""
    if isinstance(value, list) and isinstance(wanted, list):
        value, wanted = [item for item in value if item not in wanted], [item for item in wanted if item not in value]
        if len(value) == len(wanted) == 1:
            value, wanted = value[0], wanted[0]
    if isinstance(value, dict) and isinstance(wanted, dict):
        names = [name for name in {**value, **wanted} if value.get(name) != wanted.get(name)]
        value, wanted = ({name: one.get(name) for name in names} for one in (value, wanted))
    return f"{_short(value)}, and without faults {_short(wanted)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _OWN_WORDS else f"{text[:_OWN_WORDS]} …"


def lost(before: Seen, now: Seen) -> Iterator[str]:
    """Values, rights, members and list entries of others have to be there still."""
    for zone, values in before.records.items():
        for value in values:
            if FOREIGN in value and value not in now.records.get(zone, []):
                yield f"the value {value} of {zone} is lost"
    for zone, aces in before.aces.items():
        for ace in aces:
            # Ours are those of accounts of the domain; an entry of Administrators or of the zone is nobody's to remove either.
            if FOREIGN_SID[:-1] in ace and ace not in now.aces.get(zone, []):
                yield f"the ACE {ace} of the record of {zone} is lost"
    for group, members in before.members.items():
        for member in members:
            if not member.endswith("$") and member not in now.members.get(group, []):
                yield f"the member {member} of {group} is lost"
    for entry, known in before.listed.items():
        here = now.listed.get(entry)
        gone = [part for part, value in known.items() if value and not (here or {}).get(part)]
        if here is None or gone:
            yield f"the list has lost {', '.join(gone) or 'all'} of {entry}"


def wider(before: Seen, wanted: Seen, now: Seen) -> Iterator[str]:
    """No firewall rule is open that was closed, and that a run without faults does not open."""
    for label, host in now.hosts.items():
        for rule, enabled in host["firewall"].items():
            allowed = before.hosts[label]["firewall"].get(rule) or wanted.hosts[label]["firewall"].get(rule)
            if enabled and not allowed:
                yield f"the firewall of {label} has {rule} open"


def counted(wanted: Seen, now: Seen, extra: int = 0) -> Iterator[str]:
    """Microsoft has counted no activation more than in a run without faults; ``extra`` were asked for."""
    for key, count in now.spent.items():
        if count > wanted.spent.get(key, 0) + extra:
            yield f"Microsoft has counted {count} activations of {key}, and without faults {wanted.spent.get(key, 0)}"


def installs(requests: Sequence[Mapping[str, Any]], schedule: Schedule | None = None) -> Counter[str]:
    """By host how many product keys were installed: requests that were answered well, or whose work was done all the same."""
    found: Counter[str] = Counter()
    for entry in requests:
        if entry["action"] == INSTALL:
            done = schedule is not None and schedule.kind.done if entry["injected"] else not entry["fault"] and entry["status"] == 200
            found[str(entry["host"])] += done
    return found


def installed_twice(wanted: Counter[str], now: Counter[str]) -> Iterator[str]:
    """No host got a key more often than in a run without faults."""
    for host, count in now.items():
        if count > wanted[host]:
            yield f"{host} got a product key {count} times, and without faults {wanted[host]} times"


def stopped(now: Seen) -> Iterator[str]:
    """The licensing service of KMS hosts runs."""
    for label, host in now.hosts.items():
        if host["is_kms_host"] and host["up"] and host["sppsvc"] != RUNNING:
            yield f"sppsvc of the KMS host {label} is {host['sppsvc']}"


def elsewhere(wanted: Seen, now: Seen, ignore: Sequence[str] = ()) -> Iterator[str]:
    """The end is that of a run without faults."""
    goal, reached = wanted.goal(), now.goal()
    for name in sorted(goal.keys() | reached.keys()):
        if goal.get(name) != reached.get(name) and not name.startswith(tuple(ignore)):
            yield f"{name} is {_differs(reached.get(name), goal.get(name))}"
