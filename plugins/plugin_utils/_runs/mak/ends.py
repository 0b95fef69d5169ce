# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How each computer of a MAK run ended.

Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from ..._core.text import LONGEST_LINE, visible
from ..._licensing.mak import Trouble, trouble_of
from .orders import REFUSED
from .pairs import Pair, PairState, Result
from .refusals import failure_of
from .untaken import NO_COMPUTER, Takers

KINDS = ("activated", "licensed", "installed", "planned", "not_applicable", "no_activation_left", "no_way_out", "not_reached", "failed")
"""The ways to end, in the order of a summary."""

NO_KEY = ""
"""The key of a computer that got none."""

_REFUSES = "refuses"
"""The kind of a computer that was to get the key and whose Windows refused it, until all others are known."""
_TAKEN = ("activated", "licensed", "installed", "planned", "no_activation_left", "no_way_out")


@dataclass(frozen=True, slots=True)
class Ended:
    """A computer and a key at the end.

    Attributes:
        host: Its inventory name.
        key: The key's name; C(NO_KEY) where it got none.
        kind: C(activated), C(licensed), C(not_applicable), C(no_activation_left), C(no_way_out), C(not_reached), C(failed),
            C(installed) or C(planned).
        reason: Why, where it is not licensed.
        hresult: The HRESULT by which Windows refused the key.
    """

    host: str
    key: str
    kind: str
    reason: str = ""
    hresult: int | None = None


def ended(
    pairs: Iterable[Pair], orders: Result, made: Mapping[tuple[str, str], Result], check_mode: bool, known: Collection[str] = ()
) -> list[Ended]:
    """How each computer ended.

    Args:
        pairs: All computers and keys.
        orders: What C(make_orders) gave.
        made: The results of C(mak_client) by computer and key.
        check_mode: Nothing was changed.
        known: The keys that some computer took before.
    """
    left = {(other["host"], other["key"]): other for other in orders["others"]}
    found = []
    for pair in pairs:
        key = (pair.host, pair.key)
        if pair.state is PairState.LICENSED:
            found.append(Ended(*key, "licensed"))
        elif key in left:
            found.append(Ended(*key, left[key]["kind"], left[key]["reason"], left[key]["hresult"]))
        elif check_mode:
            found.append(Ended(*key, "planned"))
        else:
            found.append(Ended(*key, *_came_of(made.get(key, {}))))
    took = [end for end in found if end.kind in _TAKEN]
    takers = Takers({*known, *(end.key for end in took)}, {end.host for end in took})
    return [_judged(end, takers) if end.kind in (REFUSED, _REFUSES) else end for end in found]


def unassigned(found: Mapping[str, Result]) -> list[Ended]:
    """How computers ended for which the rules of the ring have something to say. They have no key.

    Args:
        found: By computer C(kind) and C(reason).
    """
    return [Ended(host, NO_KEY, str(said["kind"]), str(said["reason"])) for host, said in found.items()]


def _judged(end: Ended, takers: Takers) -> Ended:
    """A computer whose Windows refused the key, by what became of all others."""
    if not takers.fails(end.host, end.key, end.hresult):
        return replace(end, kind="not_applicable")
    return replace(end, kind="failed", reason=f"{NO_COMPUTER}{end.reason}" if end.kind == _REFUSES else end.reason)


def _came_of(result: Result) -> tuple[str, str] | tuple[str, str, int | None]:
    if not result:
        return "failed", "it was not tried, because the run stopped before it or the key was refused"
    if result.get("unreachable"):
        return "not_reached", str(result.get("msg", ""))
    if result.get("failed"):
        kind = "no_way_out" if failure_of(result) is Trouble.NO_WAY_OUT else "failed"
        return kind, str(result.get("msg", ""))
    if not result.get("applicable", True):
        hresult = result.get("reason_hresult")
        return _REFUSES if trouble_of(hresult) is Trouble.OTHER_PRODUCT else "not_applicable", str(result["reason"]), hresult
    if result["activated"]:
        return ("activated" if result["activation"]["attempted"] else "licensed"), ""
    return "installed", ""


def counts(ends: Iterable[Ended]) -> dict[str, int]:
    """How many computers ended how."""
    found = dict.fromkeys(KINDS, 0)
    for end in ends:
        found[end.kind] += 1
    return found


def failures(ends: Iterable[Ended]) -> dict[str, str]:
    """By computer why it failed, in one text; one that has no way to Microsoft, was not reached, takes no MAK or for which no
    activation is left has not.
    """
    found: dict[str, list[str]] = {}
    for end in ends:
        if end.kind == "failed":
            found.setdefault(end.host, []).append(visible(end.reason, LONGEST_LINE))
    return {host: " ".join(reasons) for host, reasons in found.items()}
