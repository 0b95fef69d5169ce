# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting until every domain controller shows what was written to one.

What was written is looked for on each controller that holds the partition, over LDAP and with the same account: that it is
there is what a KMS host or a client meets, whatever the replication metadata say.
"""

from __future__ import annotations

import contextlib
import time
import typing as t
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from .._core.errors import ActivationError
from .._core.plan import Step, StepFailed
from .dn import parent_dn, same_dn
from .session import DirectorySession, open_session
from .settings import DirectorySettings

_HOLDINGS = ("msDS-hasMasterNCs", "hasMasterNCs", "msDS-hasFullReplicaNCs")
"""Of C(nTDSDSA) objects: the partitions that a controller holds. Application partitions stand in the first alone, those
of a read-only controller in the last (MS-ADTS 6.1.1.2.2.1.2.1.1)."""

_NOT_ARRIVED = frozenset({"noSuchObject", "insufficientAccessRights"})
"""What a controller says where the object, or the right to see or change it, is still on its way."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 3.0


@dataclass(frozen=True, slots=True)
class Awaited:
    """What has to arrive, and for how long that is waited for.

    Attributes:
        partition: The partition that was written to.
        object: What was written, as its step names it.
        what: The same for people, such as C(the rights of CONTOSO\\KMS_Hosts on _vlmcs._tcp.contoso.com).
        missing: What a controller still lacks of it: the steps that a task would make there.
        seconds: Bound of the wait; 0 for none.
    """

    partition: str
    object: str
    what: str
    missing: Callable[[DirectorySession], Sequence[Step]]
    seconds: float


def wait(session: DirectorySession, settings: DirectorySettings, awaited: Awaited, steps: list[Step]) -> list[dict[str, t.Any]]:
    """Wait until every other controller of the partition shows it.

    Args:
        session: The session that wrote.
        settings: How it was opened; the other controllers are reached in the same way.
        awaited: What to wait for.
        steps: What was done before, for the error.

    Returns:
        Each controller: C(name), and C(seconds) after which it had it. Empty where nothing was to be waited for.

    Raises:
        StepFailed: Time is up; the message names the controllers that are behind, and why one could not be asked.
    """
    if not awaited.seconds:
        return []
    begun = time.monotonic()
    behind = {name: "" for name in controllers(session, awaited.partition) if name.lower() != session.server.lower()}
    arrived: dict[str, float] = {}
    pause = _FIRST_PAUSE
    with contextlib.ExitStack() as sessions:
        opened: dict[str, DirectorySession] = {}
        while True:
            for name in sorted(behind):
                left = awaited.seconds - (time.monotonic() - begun)
                try:
                    if name not in opened:
                        there = replace(settings, server=name, others=(), timeout=max(min(settings.timeout, left), 1.0))
                        opened[name] = sessions.enter_context(open_session(there))
                    if awaited.missing(opened[name]):
                        behind[name] = ""
                    else:
                        arrived[name] = time.monotonic() - begun
                        del behind[name]
                except ActivationError as failure:
                    behind[name] = "" if failure.name in _NOT_ARRIVED else failure.message
                    if behind[name]:
                        opened.pop(name, None)
            left = awaited.seconds - (time.monotonic() - begun)
            if not behind or left <= 0:
                break
            time.sleep(min(pause, left))
            pause = min(pause * 1.5, _LONGEST_PAUSE)
    if behind:
        raise StepFailed(Step(awaited.object, "replication", sorted(behind), []), steps, []) from _late(session, awaited, behind)
    return [{"name": name, "seconds": round(seconds, 1)} for name, seconds in sorted(arrived.items())]


def controllers(session: DirectorySession, partition: str) -> list[str]:
    """DNS names of the controllers that hold a partition, the session's own among them, by the configuration partition."""
    text = "(|(objectClass=nTDSDSA)(objectClass=server))"
    found = session.search(f"CN=Sites,{session.root.configuration_dn}", text, ["dNSHostName", "objectClass", *_HOLDINGS])
    names = {entry.dn.lower(): entry.text("dNSHostName") for entry in found if "server" in entry.texts("objectClass")}
    holders = [entry for entry in found if any(same_dn(held, partition) for name in _HOLDINGS for held in entry.texts(name))]
    # What a controller that was removed by force leaves behind has no name any more.
    return sorted(name for entry in holders if (name := names.get(parent_dn(entry.dn).lower(), "")))


def _late(session: DirectorySession, awaited: Awaited, behind: dict[str, str]) -> ActivationError:
    parts = []
    if late := [name for name, trouble in sorted(behind.items()) if not trouble]:
        verb = "do" if len(late) > 1 else "does"
        parts.append(f"{', '.join(late)} {verb} not have it")
    parts += [f"{name} cannot be asked ({trouble.rstrip('.')})" for name, trouble in sorted(behind.items()) if trouble]
    return ActivationError(
        f"{session.server} has {awaited.what}, but after {awaited.seconds:g} s {' and '.join(parts)}. "
        "Look at the replication between them (repadmin /showrepl), or give O(wait_for_replication) more seconds.",
        name="replicationBehind",
        source="ldap",
    )
