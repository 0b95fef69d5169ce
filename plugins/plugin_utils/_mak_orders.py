# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which computer is activated with which MAK: what was read of the computers meets what Microsoft has left.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ._licensing.mak import Trouble, trouble_of
from ._licensing.offline_ids import is_extended_pid, is_guid

Result = Mapping[str, Any]
_CODE = re.compile(r"0x[0-9A-Fa-f]{1,8}")
# On how many computers of a kind a key is tried before it is said that none takes it.
_TRIALS = 3
_VOLUME_CLIENT = ("gvlk", "mak", "none")


class State(StrEnum):
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
    def state(self) -> State:
        """See C(State)."""
        if any(result.get("unreachable") for result in (self.license, self.plan)):
            return State.NOT_REACHED
        if "applicable" not in self.plan:
            return State.FAILED
        if not self.plan["applicable"] or self._kept or self._other_kind:
            return State.NOT_APPLICABLE
        return State.LICENSED if self.plan["activated"] else State.OPEN

    @property
    def reason(self) -> str:
        """Why nothing is done with it, as a clause or a sentence."""
        if self._other_kind:
            return f"its key is of the channel {self._channel}, and only KMS clients are converted"
        if self._kept:
            return "it keeps the key that it has, because overwrite is false"
        return str(self.plan.get("reason") or self.plan.get("msg") or self.license.get("msg") or "it was not looked at")

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
        steps = (step for step in self.plan.get("steps") or () if str(step.get("attribute", "")).startswith("product key"))
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


@dataclass(slots=True)
class Orders:
    """What is to be done.

    Attributes:
        hosts: The keys that each computer is activated with, in order.
        others: Computers that are not, as C(host), C(key), C(kind) and C(reason).
        stops: Sentences that say why nothing may be activated.
    """

    hosts: dict[str, list[str]] = field(default_factory=dict)
    others: list[dict[str, str]] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)

    def as_result(self) -> dict[str, Any]:
        """As variables can hold it."""
        return {"hosts": self.hosts, "others": self.others, "stops": self.stops}

    def leave(self, pair: Pair, kind: str, reason: str) -> None:
        """Note that nothing is done on a computer with a key."""
        self.others.append({"host": pair.host, "key": pair.key, "kind": kind, "reason": reason.rstrip(".")})


def known_products(pairs: Iterable[Pair]) -> dict[str, dict[str, str]]:
    """By key, what the first computer that holds it and tells it in its form does: C(host), C(extended_pid), C(activation_id) and C(name)."""
    found: dict[str, dict[str, str]] = {}
    for pair in pairs:
        if pair.installed and pair.key not in found:
            told = _told(pair.plan.get("product") or {})
            # By these all computers with the key are judged, and Microsoft is asked.
            if is_extended_pid(told["extended_pid"]) and is_guid(told["activation_id"]):
                found[pair.key] = {"host": pair.host, **told}
    return found


def _told(product: Result) -> dict[str, str]:
    return {name: str(product.get(name) or "") for name in ("extended_pid", "activation_id", "name")}


def holders_to_try(pairs: Sequence[Pair], known: Iterable[str]) -> list[dict[str, str]]:
    """Computers on which a key may be installed to learn what it is: for each key a few of every kind, in order.

    The second of a kind is there for where the first fails by itself, which says nothing about the key.

    Args:
        pairs: All computers and keys.
        known: Keys that some computer holds.
    """
    tried: dict[tuple[str, tuple[str, ...]], list[Pair]] = {}
    held = _held(pairs)
    for pair in pairs:
        if pair.state is State.OPEN and pair.key not in known and (pair.host, pair.replaces) not in held:
            tried.setdefault((pair.key, pair.products), []).append(pair)
    return [
        {"key": pair.key, "host": pair.host, "kind": f"{pair.key} {number}"}
        for number, alike in enumerate(tried.values())
        for pair in alike[:_TRIALS]
    ]


def make_orders(
    pairs: Sequence[Pair],
    products: Mapping[str, Result],
    counts: Mapping[str, Result],
    as_many_as_remain: bool,
    refusals: Mapping[str, str],
) -> Orders:
    """Which computer is activated with which key.

    Args:
        pairs: All computers and keys, in the order of the inventory.
        products: What C(known_products) gives, completed by what was tried.
        counts: By key the count that Microsoft gave: C(remaining), C(None) where there is no limit, and C(error) where it
            refused. A key that is not in it has not been asked for.
        as_many_as_remain: Where too few are left, activate as many computers instead of none.
        refusals: By key what the computers said that did not take it.
    """
    orders, held = Orders(), _held(pairs)
    # What a second key for the same product would replace it does in each run anew, and spends an activation each time.
    taken = {(pair.host, _meant(products[pair.key], pair.key)): pair.key for pair in pairs if pair.installed and pair.key in products}
    for key in dict.fromkeys(pair.key for pair in pairs):
        product = products.get(key)
        left = [pair for pair in pairs if pair.key == key and not _is_second(orders, pair, product, taken, held)]
        takers = list(_takers(orders, left, product, refusals.get(key, "")))
        taken |= {(pair.host, _meant(product, key)): key for pair in takers if product is not None}
        # Who holds the key already is not passed over for one who does not.
        takers.sort(key=lambda pair: not (pair.installed or pair.host == products.get(key, {}).get("host")))
        for pair in _affordable(orders, key, takers, counts.get(key), as_many_as_remain):
            orders.hosts.setdefault(pair.host, []).append(key)
    return orders


def _meant(product: Result, key: str) -> str:
    """What stands for the product of a key: its activation ID, or where no computer told one the key alone."""
    return str(product["activation_id"]).lower() or f"of {key}"


def _held(pairs: Iterable[Pair]) -> dict[tuple[str, str], str]:
    """The keys of the ring that computers hold, by computer and the key's last five characters."""
    return {(pair.host, pair.partial_key): pair.key for pair in pairs if pair.partial_key}


def _is_second(
    orders: Orders, pair: Pair, product: Result | None, taken: Mapping[tuple[str, str], str], held: Mapping[tuple[str, str], str]
) -> bool:
    """Whether a computer has, or gets, another of its keys for the same product; this is then noted."""
    if pair.state is not State.OPEN or pair.installed:
        return False
    other = held.get((pair.host, pair.replaces)) if product is None else taken.get((pair.host, _meant(product, pair.key)))
    if other:
        orders.leave(pair, State.NOT_APPLICABLE.value, f"it has the key {other} for the same product")
    return bool(other)


def _takers(orders: Orders, pairs: Iterable[Pair], product: Result | None, refusal: str) -> Iterable[Pair]:
    for pair in pairs:
        if pair.state is State.LICENSED:
            continue
        if pair.state is not State.OPEN:
            orders.leave(pair, pair.state.value, pair.reason)
        elif product is None and refusal:
            orders.leave(pair, State.NOT_APPLICABLE.value, f"no computer takes the key: {refusal}")
        elif product is not None and not pair.installed and product["activation_id"] not in pair.products:
            orders.leave(pair, State.NOT_APPLICABLE.value, f"the key is for {product['name']}, for which it has no license")
        else:
            yield pair


def _affordable(orders: Orders, key: str, takers: Sequence[Pair], count: Result | None, as_many_as_remain: bool) -> Sequence[Pair]:
    if count is None or not takers:
        return takers
    if count.get("error"):
        orders.stops.append(f"Key {key}: {str(count['error']).rstrip('.')}.")
        return ()
    remaining = count.get("remaining")
    # Microsoft gives no number for a key without a limit, nor for a blocked one that it does not call so.
    if remaining is None or len(takers) <= remaining:
        return takers
    if not as_many_as_remain:
        orders.stops.append(
            f"Key {key}: Microsoft has {remaining} activations left, and {len(takers)} computers are to be activated. Have its limit raised,"
            " take computers out, or set mak_independent_as_many_as_remain: true to activate as many as there are."
        )
    for pair in takers[remaining:]:
        orders.leave(pair, "no_activation_left", "no activation is left for it")
    return takers[:remaining]


def batches(hosts: Sequence[str], orders: Mapping[str, Sequence[str]], largest: int = 50) -> list[int]:
    """How many computers are seen to at once. The first one with a key ends its batch, so that what it finds is known to the others with it.

    Args:
        hosts: All computers, in the order in which they are seen to.
        orders: The keys that each is activated with.
        largest: No batch has more.
    """
    sizes, size, known = [], 0, set[str]()
    for host in hosts:
        size += 1
        keys = set(orders.get(host, ()))
        if keys - known or size == largest:
            sizes.append(size)
            size = 0
        known |= keys
    return [*sizes, largest]


def refused_keys(made: Iterable[tuple[str, Result]]) -> list[str]:
    """Keys that Microsoft does not activate any computer with, from the results of C(mak_client) with the keys' names."""
    return list(dict.fromkeys(key for key, result in made if result.get("failed") and failure_of(result) is Trouble.KEY))


def failure_of(result: Result) -> Trouble:
    """Whose trouble a failed task is."""
    code = str((result.get("error") or {}).get("code", ""))
    return trouble_of(int(code, 16)) if _CODE.fullmatch(code) else Trouble.COMPUTER
