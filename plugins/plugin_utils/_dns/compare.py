# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several DNS servers hold under one name, and where they differ. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .._core.errors import ActivationError
from .._srv.value import SrvValue, plain_name
from .srv import Server, SrvAnswer


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the servers hold together.

    Attributes:
        values: Every value that at least one server holds, sorted, with the longest time to live in seconds that a server gave.
        lacking: Server to the values that it lacks although another one holds them; only servers that lack any.
        failed: Server to its error.
        addresses: Addresses of targets that came along.
    """

    values: dict[SrvValue, int]
    lacking: dict[Server, tuple[SrvValue, ...]]
    failed: dict[Server, ActivationError]
    addresses: dict[str, tuple[str, ...]]


def compare(servers: Sequence[Server], answers: Sequence[SrvAnswer | ActivationError]) -> Comparison:
    """Put the servers' answers side by side; C(answers) are in the order of C(servers)."""
    values: dict[SrvValue, int] = {}
    addresses: dict[str, set[str]] = {}
    failed: dict[Server, ActivationError] = {}
    held: dict[Server, frozenset[SrvValue]] = {}
    for server, answer in zip(servers, answers, strict=True):
        if isinstance(answer, ActivationError):
            failed[server] = answer
            continue
        held[server] = frozenset(answer.values)
        for value in answer.values:
            values[value] = max(values.get(value, 0), answer.ttl or 0)
        for host, found in answer.addresses.items():
            addresses.setdefault(host, set()).update(found)
    lacking = {server: tuple(sorted(values.keys() - own)) for server, own in held.items() if values.keys() - own}
    return Comparison(
        values=dict(sorted(values.items())),
        lacking=lacking,
        failed=failed,
        addresses={host: tuple(sorted(found)) for host, found in addresses.items()},
    )


def missing_hosts(expected: Iterable[str], answers: Iterable[SrvAnswer | ActivationError]) -> list[str]:
    """The expected hosts that at least one of the servers that answered lacks as a target, in the order given."""
    held = [{value.target for value in answer.values} for answer in answers if isinstance(answer, SrvAnswer)]
    return [host for host in dict.fromkeys(map(plain_name, expected)) if not all(host in targets for targets in held)]


def unexpected_hosts(expected: Iterable[str], values: Iterable[SrvValue]) -> list[str]:
    """The targets that nobody expected, sorted."""
    return sorted({value.target for value in values} - set(map(plain_name, expected)))
