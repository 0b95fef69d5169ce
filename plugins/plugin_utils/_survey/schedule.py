# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is asked next, so that a wrong password locks nobody: one host for each account first, alone, the others after it was accepted.

Pure.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, Protocol, TypeVar

from .accounts import SharedAccount


class Verdict(Enum):
    """What the answer of a host tells about the account."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    ALIVE = "alive"
    """It takes connections; nothing was said to it yet."""


class AskedTarget(Protocol):
    """A host to be asked."""

    @property
    def name(self) -> str:
        """Its name in the inventory."""

    @property
    def account(self) -> SharedAccount | None:
        """Whose logon it is, where that counts elsewhere, too."""


TargetT = TypeVar("TargetT", bound=AskedTarget)

_MOST_KNOCKING = 128
"""Hosts of an account at which is knocked at once."""


@dataclass(slots=True)
class Rejected:
    """An account that is not used any more.

    Attributes:
        account: Its name.
        host: Which host did not accept it last.
        reason: What it said.
        spared: How many hosts were not asked because of that.
    """

    account: str
    host: str
    reason: str
    spared: int = 0


@dataclass(frozen=True, slots=True)
class Errand(Generic[TargetT]):
    """What is to be done with a host.

    Attributes:
        target: The host.
        knock: See only whether it takes connections. Where many hosts are dark, one that is not is found so, without a logon.
    """

    target: TargetT
    knock: bool = False


@dataclass(slots=True, eq=False)
class _Credential(Generic[TargetT]):
    waiting: deque[TargetT] = field(default_factory=deque)
    accepted: bool = False


@dataclass(slots=True, eq=False)
class _Group(Generic[TargetT]):
    """All hosts of an account.

    Attributes:
        strikes: How often it was rejected.
        rejected: It is not used any more.
        knocking: At how many hosts is knocked at this moment.
        most: At how many may be.
        alive: Hosts of a password that nobody has accepted yet, that take connections.
        asking: One of them is logged on to.
        queued: It may have something to do.
    """

    account: SharedAccount
    credentials: dict[int, _Credential[TargetT]] = field(default_factory=dict)
    strikes: int = 0
    knocking: int = 0
    most: int = 1
    alive: deque[TargetT] = field(default_factory=deque)
    asking: bool = False
    queued: bool = True
    rejected: Rejected | None = None

    def next(self) -> Errand[TargetT] | None:
        """What is to be done next before its passwords are known to be right."""
        if self.alive and not self.asking:
            self.asking = True
            return Errand(self.alive.popleft())
        if self.asking or self.alive or self.knocking >= self.most:
            return None
        for credential in self.credentials.values():
            if not credential.accepted and credential.waiting:
                self.knocking += 1
                return Errand(credential.waiting.popleft(), knock=True)
        return None

    def knocked(self, target: TargetT, alive: bool) -> None:
        """Whether the host takes connections. The more do not, the more are tried at once."""
        self.knocking -= 1
        if alive:
            self.alive.append(target)
            self.most = 1
        else:
            self.most = min(2 * self.most, _MOST_KNOCKING)


class Schedule(Generic[TargetT]):
    """Hands out hosts one by one, and learns from their answers.

    Args:
        targets: The hosts.
        logons_only: One host for each account is enough. Hosts whose bad logons count for themselves alone are left out, and those whose
            account no other host has.

    Attributes:
        rejected: The accounts that were turned down.
        spared: How many hosts were left out because C(logons_only) needs no more.
    """

    def __init__(self, targets: Iterable[TargetT], logons_only: bool = False) -> None:
        self.rejected: list[Rejected] = []
        self.spared = 0
        self._logons_only = logons_only
        self._ready: deque[TargetT] = deque()
        self._groups: dict[str, _Group[TargetT]] = {}
        self._refused: deque[tuple[TargetT, Rejected]] = deque()
        self._under_way = 0
        for target in targets:
            self._add(target)
        for group in list(self._groups.values()):
            if logons_only and sum(len(credential.waiting) for credential in group.credentials.values()) == 1:
                self.spared += 1
                del self._groups[group.account.identity]
                continue
            for credential in group.credentials.values():
                # A site that is dark has neighbours in the inventory, and hosts of all sites come first in this order.
                credential.waiting = deque(sorted(credential.waiting, key=lambda found: (zlib.crc32(found.name.encode()), found.name)))
        self._candidates = deque(self._groups.values())

    def _add(self, target: TargetT) -> None:
        account = target.account
        if account is not None:
            group = self._groups.setdefault(account.identity, _Group(account))
            group.credentials.setdefault(account.credential, _Credential()).waiting.append(target)
        elif self._logons_only:
            self.spared += 1
        else:
            self._ready.append(target)

    @property
    def finished(self) -> bool:
        """Whether nobody is left to ask and all answers are in."""
        return not (self._ready or self._candidates or self._refused or self._under_way)

    def next(self) -> Errand[TargetT] | None:
        """The next errand; C(None) where nobody may be asked before another answer is in."""
        while self._candidates:
            found = self._candidates[0].next()
            if found is not None:
                self._under_way += 1
                return found
            self._candidates.popleft().queued = False
        if self._ready:
            self._under_way += 1
            return Errand(self._ready.popleft())
        return None

    def answered(self, errand: Errand[TargetT], verdict: Verdict, reason: str = "") -> None:
        """A host that C(next) gave has answered, or will not any more."""
        self._under_way -= 1
        account = errand.target.account
        if account is None:
            return
        group = self._groups[account.identity]
        credential = group.credentials[account.credential]
        if errand.knock:
            group.knocked(errand.target, verdict is Verdict.ALIVE)
        elif credential.accepted:
            # The password is right, so that whatever this host says is about itself.
            return
        else:
            group.asking = False
            credential.accepted = verdict is Verdict.ACCEPTED
            group.strikes += verdict is Verdict.REJECTED
            if group.strikes >= account.strikes:
                group.rejected = Rejected(account.name, errand.target.name, reason)
                self.rejected.append(group.rejected)
        self._sort(group)
        if not group.queued:
            group.queued = True
            self._candidates.append(group)

    def _sort(self, group: _Group[TargetT]) -> None:
        """Whoever waited for an answer that is known by now does so no longer."""
        for credential in group.credentials.values():
            if credential.accepted or group.rejected:
                while credential.waiting:
                    self._settle(group, credential, credential.waiting.popleft())
        for _number in range(len(group.alive)):
            target = group.alive.popleft()
            credential = group.credentials[target.account.credential]  # type: ignore[union-attr]
            if credential.accepted or group.rejected:
                self._settle(group, credential, target)
            else:
                group.alive.append(target)

    def _settle(self, group: _Group[TargetT], credential: _Credential[TargetT], target: TargetT) -> None:
        if not credential.accepted and group.rejected:
            group.rejected.spared += 1
            self._refused.append((target, group.rejected))
        elif self._logons_only:
            self.spared += 1
        else:
            self._ready.append(target)

    def refused(self) -> Iterator[tuple[TargetT, Rejected]]:
        """The hosts that are not asked, since their account was rejected; each comes once."""
        while self._refused:
            yield self._refused.popleft()
