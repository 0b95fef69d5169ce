# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A computer and a key that it is to get, as tasks have seen them.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..._core.plan import StepKind
from ..registered import Registered

Result = Mapping[str, Any]
_VOLUME_CLIENT = ("gvlk", "mak", "none")


class PairState(StrEnum):
    """How a computer stands to a key before anything is done."""

    OPEN = "open"
    LICENSED = "licensed"
    NOT_APPLICABLE = "not_applicable"
    NOT_REACHED = "not_reached"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Pair:
    """A computer and a key that it is to get.

    Attributes:
        host: Its inventory name.
        key: The key's name in the ring.
        license: The result of C(license_info).
        plan: That of C(mak_client) in check mode.
        clients_only: Whether only computers are to be changed that are KMS clients, or have a MAK already.
    """

    host: str
    key: str
    license: Result
    plan: Result
    clients_only: bool = False

    @property
    def state(self) -> PairState:
        """See C(PairState)."""
        if any(result.get("unreachable") for result in (self.license, self.plan)):
            return PairState.NOT_REACHED
        if "applicable" not in self.plan:
            return PairState.FAILED
        if not self.plan["applicable"] or self._kept or self._other_kind:
            return PairState.NOT_APPLICABLE
        return PairState.LICENSED if self.plan["activated"] else PairState.OPEN

    @property
    def reason(self) -> str:
        """Why nothing is done with it, as a clause or a sentence."""
        if self._other_kind:
            return f"its key is of the channel {self._channel}, and only KMS clients are converted"
        if self._kept:
            return "it keeps the key that it has, because overwrite is false"
        return str(self.plan.get("reason") or self.plan.get("msg") or self.license.get("msg") or "it was not checked")

    @property
    def installed(self) -> bool:
        """Whether it holds the key."""
        return bool(self.plan.get("installed"))

    @property
    def products(self) -> tuple[str, ...]:
        """The activation IDs of what the key could be for on it."""
        return tuple(self.plan.get("mak_products") or ())

    @property
    def partial_key(self) -> str:
        """The last five characters of the key, where it holds it."""
        return str((self.plan.get("product") or {}).get("partial_product_key") or "") if self.installed else ""

    @property
    def replaces(self) -> str:
        """The last five characters of the key that would give way; empty where none would."""
        steps = (step for step in self.plan.get("steps") or () if step.get("kind") == StepKind.KEY)
        return next((str(step.get("before") or "") for step in steps), "")

    @property
    def _channel(self) -> str:
        """That of Windows; C(none) where it holds no key, and C(unknown) where that was not read."""
        windows = self.license.get("windows", {})
        return "none" if windows is None else str(windows.get("channel") or "unknown")

    @property
    def _other_kind(self) -> bool:
        return self.clients_only and not self.installed and self._channel not in _VOLUME_CLIENT

    @property
    def _kept(self) -> bool:
        return bool(self.plan.get("applicable")) and not self.installed and not self.plan.get("steps")


def pairs_of(found: Registered, keys: Mapping[str, Sequence[str]], clients_only: bool = False) -> list[Pair]:
    """The computers that were read, each with the keys that it is to get, in order.

    Args:
        found: The results C(license) and C(plan), the latter of a loop over the names of keys.
        keys: By computer the names of its keys.
        clients_only: See C(Pair).
    """
    pairs = []
    for host in found.hosts:
        license_result, plans = found.of("license", host), found.items("plan", host)
        pairs += [Pair(host, key, license_result, plans.get(key, {}), clients_only) for key in keys.get(host, ())]
    return pairs


def by_key(pairs: Iterable[Pair]) -> dict[str, list[Pair]]:
    """The same by the name of the key, in the order in which keys come first."""
    found: dict[str, list[Pair]] = {}
    for pair in pairs:
        found.setdefault(pair.key, []).append(pair)
    return found


def held_keys(pairs: Iterable[Pair]) -> dict[tuple[str, str], str]:
    """The keys of the ring that computers hold, by computer and the key's last five characters."""
    return {(pair.host, pair.partial_key): pair.key for pair in pairs if pair.partial_key}
