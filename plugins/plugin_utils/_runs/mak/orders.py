# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which computer is activated with which MAK: what was read of the computers meets what Microsoft has left.

Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .pairs import Pair, PairState, Result, by_key, held_keys
from .untaken import NO_COMPUTER

REFUSED = "refused"
"""The kind of a computer without an order because no computer took the key on which it was tried."""


@dataclass(slots=True)
class Orders:
    """What is to be done.

    Attributes:
        hosts: The keys that each computer is activated with, in order.
        others: Computers that are not, as C(host), C(key), C(kind), C(reason) and C(hresult).
        stops: Sentences that say why nothing may be activated.
    """

    hosts: dict[str, list[str]] = field(default_factory=dict)
    others: list[dict[str, Any]] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)

    def as_result(self) -> dict[str, Any]:
        """As variables can hold it."""
        return {"hosts": self.hosts, "others": self.others, "stops": self.stops}

    def leave(self, pair: Pair, kind: str, reason: str, hresult: int | None = None) -> None:
        """Note that nothing is done on a computer with a key."""
        self.others.append({"host": pair.host, "key": pair.key, "kind": kind, "reason": reason.rstrip("."), "hresult": hresult})


def make_orders(
    pairs: Sequence[Pair],
    products: Mapping[str, Result],
    counts: Mapping[str, Result],
    as_many_as_remain: bool,
    refusals: Mapping[str, Result],
) -> Orders:
    """Which computer is activated with which key.

    Args:
        pairs: All computers and keys, in the order of the inventory.
        products: What C(known_products) gives, completed by what was tried.
        counts: By key the count that Microsoft gave: C(remaining), C(None) where there is no limit, and C(error) where it
            refused. A key that is not in it has not been asked for.
        as_many_as_remain: Where too few are left, activate as many computers instead of none.
        refusals: By key what the computers said that did not take it, see C(Learned).
    """
    orders, held = Orders(), held_keys(pairs)
    # What a second key for the same product would replace it does in each run anew, and spends an activation each time.
    taken = {(pair.host, _meant(products[pair.key], pair.key)): pair.key for pair in pairs if pair.installed and pair.key in products}
    for key, own in by_key(pairs).items():
        product = products.get(key)
        left = [pair for pair in own if not _is_second(orders, pair, product, taken, held)]
        takers = list(_takers(orders, left, product, refusals.get(key, {})))
        taken |= {(pair.host, _meant(product, key)): key for pair in takers if product is not None}
        # Who holds the key already is not passed over for one who does not.
        takers.sort(key=lambda pair: not (pair.installed or pair.host == products.get(key, {}).get("host")))
        for pair in _affordable(orders, key, takers, counts.get(key), as_many_as_remain):
            orders.hosts.setdefault(pair.host, []).append(key)
    return orders


def _meant(product: Result, key: str) -> str:
    """What stands for the product of a key: its activation ID, or where no computer told one the key alone."""
    return str(product["activation_id"]).lower() or f"of {key}"


def _is_second(
    orders: Orders, pair: Pair, product: Result | None, taken: Mapping[tuple[str, str], str], held: Mapping[tuple[str, str], str]
) -> bool:
    """Whether a computer has, or gets, another of its keys for the same product; this is then noted."""
    if pair.state is not PairState.OPEN or pair.installed:
        return False
    other = held.get((pair.host, pair.replaces)) if product is None else taken.get((pair.host, _meant(product, pair.key)))
    if other:
        orders.leave(pair, PairState.NOT_APPLICABLE.value, f"it has the key {other} for the same product")
    return bool(other)


def _takers(orders: Orders, pairs: Iterable[Pair], product: Result | None, refusal: Result) -> Iterable[Pair]:
    for pair in pairs:
        if pair.state is PairState.LICENSED:
            continue
        if pair.state is not PairState.OPEN:
            orders.leave(pair, pair.state.value, pair.reason)
        elif product is None and refusal:
            orders.leave(pair, REFUSED, f"{NO_COMPUTER}{refusal['reason']}", refusal["hresult"])
        elif product is not None and not pair.installed and product["activation_id"] not in pair.products:
            orders.leave(pair, PairState.NOT_APPLICABLE.value, f"the key is for {product['name']}, for which it has no license")
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


def first_with_each_key(hosts: Sequence[str], orders: Mapping[str, Sequence[str]]) -> list[str]:
    """The computers that go ahead of the others, so that what the first one with a key finds is known to the others with it.

    Args:
        hosts: All computers, in the order in which they are seen to.
        orders: The keys that each is activated with.
    """
    first = {key: host for host in reversed(hosts) for key in orders.get(host, ())}
    ahead = frozenset(first.values())
    return [host for host in hosts if host in ahead]


def batches(hosts: Sequence[str], ahead: Collection[str], largest: int = 50) -> list[int]:
    """How many computers are seen to at once. One that goes ahead ends its batch.

    Args:
        hosts: All computers, in the order in which they are seen to.
        ahead: Those that go ahead.
        largest: No batch has more.
    """
    sizes, size = [], 0
    for host in hosts:
        size += 1
        if host in ahead or size == largest:
            sizes.append(size)
            size = 0
    return [*sizes, largest]
