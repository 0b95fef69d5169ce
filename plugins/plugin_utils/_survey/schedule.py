# Copyright: (c) 2026, winops contributors
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

from .accounts import Account


class Verdict(Enum):
    """What the answer of a host tells about the account."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class Target(Protocol):
    """A host to be asked."""

    @property
    def name(self) -> str:
        """Its name in the inventory."""

    @property
    def account(self) -> Account | None:
        """Whose logon it is, where that counts elsewhere, too."""


TargetT = TypeVar("TargetT", bound=Target)


@dataclass(frozen=True, slots=True)
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
    spared: int


@dataclass(slots=True)
class _Credential(Generic[TargetT]):
    waiting: deque[TargetT] = field(default_factory=deque)
    accepted: bool = False


@dataclass(slots=True)
class _Group(Generic[TargetT]):
    """All hosts of an account."""

    account: Account
    credentials: dict[int, _Credential[TargetT]] = field(default_factory=dict)
    strikes: int = 0

    @property
    def has_waiting(self) -> bool:
        """Whether there is such a host."""
        return any(not credential.accepted and credential.waiting for credential in self.credentials.values())

    def next(self) -> TargetT | None:
        """A host of a password that nobody has accepted yet."""
        for credential in self.credentials.values():
            if not credential.accepted and credential.waiting:
                return credential.waiting.popleft()
        return None


class Schedule(Generic[TargetT]):
    """Hands out hosts one by one, and learns from their answers.

    Args:
        targets: The hosts.
        logons_only: One host for each account is enough; hosts whose bad logons count for themselves alone are left out.

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
        for group in self._groups.values():
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

    def next(self) -> TargetT | None:
        """The next host to ask; C(None) where nobody may be asked before another answer is in."""
        while self._candidates:
            found = self._candidates.popleft().next()
            if found is not None:
                self._under_way += 1
                return found
        if self._ready:
            self._under_way += 1
            return self._ready.popleft()
        return None

    def answered(self, target: TargetT, verdict: Verdict, reason: str = "") -> None:
        """A host that C(next) gave has answered, or will not any more."""
        self._under_way -= 1
        account = target.account
        if account is None:
            return
        group = self._groups[account.identity]
        credential = group.credentials[account.credential]
        if credential.accepted:
            # The password is right, so that whatever this host says is about itself.
            return
        if verdict is Verdict.ACCEPTED:
            self._accept(credential)
        elif verdict is Verdict.REJECTED:
            group.strikes += 1
            if group.strikes >= account.strikes:
                self._reject(group, target, reason)
        if group.has_waiting:
            self._candidates.append(group)

    def refused(self) -> Iterator[tuple[TargetT, Rejected]]:
        """The hosts that are not asked, since their account was rejected; each comes once."""
        while self._refused:
            yield self._refused.popleft()

    def _accept(self, credential: _Credential[TargetT]) -> None:
        credential.accepted = True
        if self._logons_only:
            self.spared += len(credential.waiting)
        else:
            self._ready.extend(credential.waiting)
        credential.waiting.clear()

    def _reject(self, group: _Group[TargetT], target: TargetT, reason: str) -> None:
        waiting = [found for credential in group.credentials.values() if not credential.accepted for found in credential.waiting]
        rejected = Rejected(group.account.name, target.name, reason, len(waiting))
        self.rejected.append(rejected)
        self._refused.extend((found, rejected) for found in waiting)
        for credential in group.credentials.values():
            credential.waiting.clear()
