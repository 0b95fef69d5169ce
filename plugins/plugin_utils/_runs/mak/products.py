# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the keys of a ring are for, which only a computer that holds one tells.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._licensing.offline_ids import is_extended_pid, is_guid
from .pairs import Pair, PairState, Result, held_keys

# On how many computers of a kind a key is tried before it is said that none takes it.
_TRIALS = 3


@dataclass(frozen=True, slots=True)
class Learned:
    """What is known of the keys.

    Attributes:
        products: By key what it is for, see C(known_products).
        refusals: By key what the last computer said that did not take it: C(reason), and C(hresult) where Windows refused it.
        judged: The kinds of computers that do not take a key, see C(holders_to_try), and the keys that are no MAK.
    """

    products: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    refusals: Mapping[str, Result] = field(default_factory=dict)
    judged: Sequence[str] = ()

    @classmethod
    def of(cls, result: Result) -> Learned:
        """What C(as_result) made."""
        return cls(result.get("products") or {}, result.get("refusals") or {}, result.get("judged") or ())

    def as_result(self) -> dict[str, Any]:
        """As variables can hold it; with C(extended_pids), by which Microsoft is asked."""
        told = {key: product["extended_pid"] for key, product in self.products.items()}
        pids = [{"name": key, "extended_pid": pid} for key, pid in told.items() if is_extended_pid(pid)]
        return {"products": dict(self.products), "refusals": dict(self.refusals), "judged": list(self.judged), "extended_pids": pids}

    def with_trial(self, trial: Result, held: Result) -> Learned:
        """The same after a key was tried on a computer.

        Args:
            trial: An entry of C(holders_to_try).
            held: The result of C(mak_client); empty where it did not run.
        """
        if not held:
            return self
        key = str(trial["key"])
        if held.get("installed"):
            return Learned(
                {**self.products, key: {"host": str(trial["host"]), **_told(held.get("product") or {})}}, self.refusals, self.judged
            )
        # A computer that fails by itself says nothing of the others of its kind. A key that turned out to be no MAK is one nowhere.
        judged = () if held.get("applicable", True) else (str(trial["kind"]),)
        if held.get("failed") and (held.get("error") or {}).get("source") == "options":
            judged = (key,)
        refusal = {"reason": str(held.get("reason") or held.get("msg") or ""), "hresult": held.get("reason_hresult")}
        return Learned(self.products, {**self.refusals, key: refusal}, (*self.judged, *judged))


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
    held = held_keys(pairs)
    for pair in pairs:
        if pair.state is PairState.OPEN and pair.key not in known and (pair.host, pair.replaces) not in held:
            tried.setdefault((pair.key, pair.products), []).append(pair)
    return [
        {"key": pair.key, "host": pair.host, "kind": f"{pair.key} {number}"}
        for number, alike in enumerate(tried.values())
        for pair in alike[:_TRIALS]
    ]
