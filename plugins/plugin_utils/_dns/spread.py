# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting until every name server of a zone shows what was written to one.

The zone's own NS records say who they are (RFC 1034 4.2.1). Each is asked without recursion and has to answer from its own
zone, so that no cache speaks for it. The questions are not signed: a key of the one server need not be known to the others.
"""

from __future__ import annotations

import time
import typing as t
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from .._core.errors import ActivationError
from .._core.plan import Step, StepFailed
from .._srv.value import plain_name
from .addresses import read_all_addresses
from .rrset import RrsetWish, changes
from .srv import Server, read_srv_from_all, server_of
from .srv_record import Record

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 3.0
_SHORTEST_QUESTION = 0.5
_AT_ONCE = 16
_MOST_UNKNOWN = 64
_TOO_MANY = "the zone has too many name servers that nobody knows"


def wait(record: Record, wish: RrsetWish, known: Sequence[Server], seconds: float, done: list[Step]) -> list[dict[str, t.Any]]:
    """Wait until every other name server of the record's zone shows the values; their times to live are not compared.

    Args:
        record: The record as it was written.
        wish: What it shall hold.
        known: DNS servers that are asked for the addresses of the others, after the record's own.
        seconds: Bound of the wait; 0 for none.
        done: What was done before, for the error.

    Returns:
        Each server: C(name), and C(seconds) after which it had them. Empty where nothing was to be waited for.

    Raises:
        ActivationError: The record's own server does not tell the zone's NS records.
        StepFailed: Time is up; the message names the servers that are behind, and why one could not be asked.
    """
    if seconds <= 0:
        return []
    begun = time.monotonic()
    zone, values = record.zone, replace(wish, ttl=None)
    behind = _others(record, known)
    trouble: dict[str, str] = {}
    arrived: list[dict[str, t.Any]] = []
    pause = _FIRST_PAUSE
    while behind:
        left = seconds - (time.monotonic() - begun)
        timeout = max(min(zone.channel.timeout, left), _SHORTEST_QUESTION)
        names = sorted(behind)
        answers = read_srv_from_all([behind[name] for name in names], record.owner, timeout=timeout, authoritative=True)
        passed = time.monotonic() - begun
        for name, answer in zip(names, answers, strict=True):
            trouble[name] = answer.message if isinstance(answer, ActivationError) else ""
            if not isinstance(answer, ActivationError) and not changes(values, dict.fromkeys(answer.values, 0)):
                arrived.append({"name": name, "seconds": round(passed, 1)})
                del behind[name]
        if behind and passed >= seconds:
            late = _late(record, seconds, {name: trouble[name] for name in sorted(behind)})
            raise StepFailed(Step(f"SRV {record.owner}", "replication", sorted(behind), []), done, []) from late
        if behind:
            time.sleep(min(pause, seconds - passed))
            pause = min(pause * 1.5, _LONGEST_PAUSE)
    return sorted(arrived, key=lambda server: str(server["name"]))


def _others(record: Record, known: Sequence[Server]) -> dict[str, Server]:
    """The zone's name servers but the record's own, by name; on its port, which only a test bed has otherwise than 53."""
    own = record.zone.channel.server
    found = {}
    names = record.zone.name_servers()
    found_addresses = read_all_addresses([own, *known], names, timeout=record.zone.channel.timeout)
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        # The resolver can take long over a name that has no address.
        unknown = [name for name in names if not found_addresses.get(name)]
        by_resolver = dict(zip(unknown, pool.map(server_of, unknown[:_MOST_UNKNOWN]), strict=False))
    for name in names:
        addresses = found_addresses.get(name, ())
        resolved = (
            Server(name, addresses[0], own.port)
            if addresses
            else replace(by_resolver.get(name, Server(name, "", trouble=_TOO_MANY)), port=own.port)
        )
        if resolved.address != own.address and own.address not in addresses and name != plain_name(own.name):
            found[name] = resolved
    return found


def _late(record: Record, seconds: float, behind: Mapping[str, str]) -> ActivationError:
    silent = [f"{name} cannot be asked ({trouble.rstrip('.')})" for name, trouble in behind.items() if trouble]
    late = [name for name, trouble in behind.items() if not trouble]
    parts = [f"{', '.join(late)} {'do' if len(late) > 1 else 'does'} not show it"] if late else []
    return ActivationError(
        f"{record.zone.channel.server} shows {record.owner} as it should be, but after {seconds:g} s {' and '.join([*parts, *silent])}. "
        "Look at the replication or the zone transfers between them, or give O(wait_for_replication) more seconds.",
        name="replicationBehind",
        source="dns",
    )
