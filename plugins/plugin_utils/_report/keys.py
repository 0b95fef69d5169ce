# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of the key ring in a report: who holds them, and what Microsoft has left of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._core.errors import ActivationError
from .._core.text import LONGEST_NAME, visible
from .._licensing.offline_ids import is_extended_pid
from .._licensing.product_keys import last_five
from .model import MakLeft, ReportedComputer, holders

Results = Sequence[Mapping[str, Any]]

_NO_HOLDER = "No computer that was read holds this key, and only one that does tells its extended PID."


def ring_of(given: Any) -> dict[str, tuple[str, str]]:
    """By the name of a key its last five characters, or else why it has none.

    Args:
        given: The variable C(volume_activation_mak_ring).

    Raises:
        ActivationError: It is no dictionary.
    """
    if not isinstance(given, Mapping):
        raise ActivationError("volume_activation_mak_ring is no dictionary. Give one of names, each with key.", source="options")
    return {str(name): _last_five(entry) for name, entry in given.items()}


def first_holders(ring: Mapping[str, tuple[str, str]], computers: Iterable[ReportedComputer]) -> list[dict[str, str]]:
    """For each key that some computer holds one that does, as C(key) and C(host)."""
    found = holders({name: last for name, (last, _why) in ring.items() if last}, computers)
    return [{"key": name, "host": hosts[0]} for name, hosts in found.items() if hosts]


def extended_pids(held: Results) -> list[dict[str, str]]:
    """The keys whose extended PIDs are known, as C(mak_info) takes them.

    Args:
        held: The results of C(mak_client) on their holders, each with its C(item).
    """
    pids = {str(result["item"]["key"]): str((result.get("product") or {}).get("extended_pid") or "") for result in held}
    return [{"name": name, "extended_pid": pid} for name, pid in pids.items() if is_extended_pid(pid)]


def maks_left(
    ring: Mapping[str, tuple[str, str]], computers: Iterable[ReportedComputer], held: Results, asked: Mapping[str, Any]
) -> list[MakLeft]:
    """What is known of each key, in the order of the ring.

    Args:
        ring: The ring.
        computers: All computers.
        held: As above.
        asked: The result of C(mak_info); empty where Microsoft was not asked.
    """
    found = holders({name: last for name, (last, _why) in ring.items() if last}, computers)
    counts = {str(entry["name"]): entry for entry in asked.get("counts") or ()}
    told = {str(result["item"]["key"]): result for result in held}
    made = []
    for name, (last, why) in ring.items():
        count = counts.get(name, {})
        remaining = count.get("remaining")
        note = "" if remaining is not None else why or _why_unknown(bool(found.get(name)), told.get(name, {}), count, asked)
        made.append(MakLeft(visible(name, LONGEST_NAME), last, len(found.get(name, ())), remaining, visible(note)))
    return made


def _why_unknown(is_held: bool, told: Mapping[str, Any], count: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    if count:
        return str(count["error"]) or "Microsoft tells no number: the key has no limit, or is blocked."
    if not is_held:
        return _NO_HOLDER
    return str(asked.get("msg") or told.get("msg") or "The computer that holds this key did not tell its extended PID.")


def _last_five(entry: Any) -> tuple[str, str]:
    try:
        return last_five(str(entry.get("key") or "") if isinstance(entry, Mapping) else ""), ""
    except ActivationError as failure:
        return "", failure.message
