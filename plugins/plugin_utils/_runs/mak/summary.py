# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people and later jobs are told at the end of a MAK run.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..._condensed.alike import failure_lines
from ..._core.text import some
from ..._licensing.mak import PROXY_PLAYBOOKS
from .ends import NO_KEY, Ended, counts
from .pairs import Result

# How many computers are named to later jobs: AWX keeps this in one field, and the counts and the summary have them all.
_NAMED = 20


def numbers(ends: Sequence[Ended], before: Mapping[str, Result], after: Mapping[str, Result]) -> dict[str, Any]:
    """The same for machines: what a later job of a workflow needs. Of computers that are named there are a few at most."""
    keys = {
        key: {"remaining_before": _remaining(before, key), "remaining_after": _remaining(after, key)}
        for key in dict.fromkeys(end.key for end in ends if end.key != NO_KEY)
    }
    candidates = dict.fromkeys(end.host for end in ends if end.kind == "no_way_out")
    waiting = dict.fromkeys(end.host for end in ends if end.kind == "no_activation_left")
    return {
        **counts(ends),
        "keys": keys,
        "proxy_candidates": list(candidates)[:_NAMED],
        "without_activation": list(waiting)[:_NAMED],
    }


def _remaining(found: Mapping[str, Result], key: str) -> int | None:
    remaining = found.get(key, {}).get("remaining")
    return int(remaining) if remaining is not None else None


def summary(
    ends: Sequence[Ended],
    descriptions: Mapping[str, str],
    products: Mapping[str, Result],
    before: Mapping[str, Result],
    after: Mapping[str, Result],
    check_mode: bool,
) -> list[str]:
    """The end of a run, as lines that can be pasted into a ticket.

    Args:
        ends: What C(ended) gave.
        descriptions: By key what the ring says of it.
        products: By key what it is for.
        before: By key the count before the run.
        after: The same after it.
        check_mode: Nothing was changed.
    """
    keys: dict[str, list[Ended]] = {}
    for end in ends:
        if end.key != NO_KEY:
            keys.setdefault(end.key, []).append(end)
    return [
        "MAK activation" + (" (check mode: nothing was changed)" if check_mode else ""),
        *(_key_line(key, own, descriptions.get(key, ""), products, before, after) for key, own in keys.items()),
        *_other_lines(ends),
    ]


def _key_line(
    key: str,
    ends: Sequence[Ended],
    description: str,
    products: Mapping[str, Result],
    before: Mapping[str, Result],
    after: Mapping[str, Result],
) -> str:
    number = counts(ends)
    name = str(products.get(key, {}).get("name") or "no computer holds it")
    done = number["activated"] + number["licensed"]
    text = (
        f"Key {key}{f' ({description})' if description else ''}, {name}: {done} of {len(ends)} licensed, {number['activated']} by this run"
    )
    if number["installed"]:
        text += f", {number['installed']} hold it and were not to be activated"
    if number["planned"]:
        text += f", {number['planned']} would be activated"
    return f"{text}; activations left at Microsoft: {_shown(before, key)} -> {_shown(after, key)}"


def _shown(found: Mapping[str, Result], key: str) -> str:
    remaining = _remaining(found, key)
    if remaining is not None:
        return str(remaining)
    if key not in found:
        return "not asked"
    return "unlimited, or blocked" if found[key].get("unlimited") and not found[key].get("error") else "not told"


def _other_lines(ends: Sequence[Ended]) -> Iterable[str]:
    for reason, hosts in _by_reason(end for end in ends if end.kind == "not_applicable").items():
        yield f"Not applicable: {len(hosts)} ({', '.join(hosts)}): {reason.rstrip('.')}"
    if waiting := [end.host for end in ends if end.kind == "no_activation_left"]:
        yield f"No activation left for: {', '.join(waiting)}"
    if candidates := [end.host for end in ends if end.kind == "no_way_out"]:
        yield f"No way to Microsoft: {', '.join(candidates)}. Candidates for the playbooks {PROXY_PLAYBOOKS}"
    if absent := [end.host for end in ends if end.kind == "not_reached"]:
        yield f"Not reached: {len(absent)} ({some(absent, 20)})"
    yield from failure_lines((end.host, end.reason) for end in ends if end.kind == "failed")


def _by_reason(ends: Iterable[Ended]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for end in ends:
        found.setdefault(end.reason, []).append(end.host)
    return found
