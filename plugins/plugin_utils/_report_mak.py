# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role mak_independent tells people: findings before the first change, and one summary after the last.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ._findings import Finding
from ._licensing import given_keys
from ._licensing.mak import PROXY_PLAYBOOKS, Trouble
from ._mak_orders import Pair, Result, State, failure_of
from ._report import client_state
from ._text import failure_line, some

_RING = "volume_activation_mak_ring"
# How many computers are named to later jobs: AWX keeps this in one field, and the counts and the summary have them all.
_NAMED = 20


def ring_findings(ring: Any, keys: Mapping[str, Sequence[str]]) -> Iterable[Finding]:
    """What is wrong with the key ring, and with who gets which key of it. Of a key only its form can be told.

    Args:
        ring: The variable C(volume_activation_mak_ring).
        keys: The names of the keys that each computer is to get.
    """
    if not isinstance(ring, Mapping):
        yield Finding(_RING, f"It has to be a dictionary of names and keys, but is {type(ring).__name__}.", True)
        return
    used = list(dict.fromkeys(name for names in keys.values() for name in names))
    for name in used:
        if name not in ring:
            yield Finding(f"key {name}", f"{_RING} has no key of this name, but volume_activation_mak of a computer has it.", True)
    for name, entry in ring.items():
        said = _key_complaint(entry, f"{_RING}.{name}.key")
        if said:
            yield Finding(f"key {name}", said, name in used)
    for host, names in keys.items():
        if not names:
            yield Finding(host, "It gets no key: its variable volume_activation_mak names none.", False)


def _key_complaint(entry: Any, option: str) -> str:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("key"), str):
        return f"{_RING} has to hold the key itself under key."
    return given_keys.complaint(entry["key"], option, given_keys.MAK)


def host_findings(pairs: Iterable[Pair]) -> Iterable[Finding]:
    """What stands in the way of a computer; the others go on without it."""
    for pair in pairs:
        if pair.state in (State.NOT_REACHED, State.FAILED):
            yield Finding(pair.host, pair.reason, False)
        elif pair.state is State.NOT_APPLICABLE:
            yield Finding(pair.host, f"Not applicable for the key {pair.key}: {pair.reason.rstrip('.')}.", False)


def target_findings(targets: Mapping[str, Result]) -> Iterable[Finding]:
    """By which computers may soon be out of reach; nothing of it stands in the way now.

    Args:
        targets: The results of C(winrm_target) by computer; empty where it did not run.
    """
    for host, result in targets.items():
        for need in result.get("requirements") or []:
            if need["met"] is False:
                said = str(need["detail"]).removeprefix(f"{host}: ")
                yield Finding(host, said[:1].upper() + said[1:], False)


@dataclass(frozen=True, slots=True)
class Ended:
    """A computer and a key at the end.

    Attributes:
        host: Its inventory name.
        key: The key's name.
        kind: C(activated), C(licensed), C(not_applicable), C(no_activation_left), C(no_way_out), C(not_reached), C(failed),
            C(installed) or C(planned).
        reason: Why, where it is not licensed.
    """

    host: str
    key: str
    kind: str
    reason: str = ""


def ended(pairs: Iterable[Pair], orders: Result, made: Mapping[tuple[str, str], Result], check_mode: bool) -> list[Ended]:
    """How each computer ended.

    Args:
        pairs: All computers and keys.
        orders: What C(make_orders) gave.
        made: The results of C(mak_client) by computer and key.
        check_mode: Nothing was changed.
    """
    left = {(other["host"], other["key"]): other for other in orders["others"]}
    found = []
    for pair in pairs:
        key = (pair.host, pair.key)
        if pair.state is State.LICENSED:
            found.append(Ended(*key, "licensed"))
        elif key in left:
            found.append(Ended(*key, left[key]["kind"], left[key]["reason"]))
        elif check_mode:
            found.append(Ended(*key, "planned"))
        else:
            found.append(Ended(*key, *_came_of(made.get(key, {}))))
    return found


def _came_of(result: Result) -> tuple[str, str]:
    if not result:
        return "failed", "it was not tried, because the run stopped before it or the key was refused"
    if result.get("unreachable"):
        return "not_reached", str(result.get("msg", ""))
    if result.get("failed"):
        kind = "no_way_out" if failure_of(result) is Trouble.NO_WAY_OUT else "failed"
        return kind, str(result.get("msg", ""))
    if not result.get("applicable", True):
        return "not_applicable", str(result["reason"])
    if result["activated"]:
        return ("activated" if result["activation"]["attempted"] else "licensed"), ""
    return "installed", ""


def counts(ends: Iterable[Ended]) -> dict[str, int]:
    """How many computers ended how."""
    found = dict.fromkeys(
        ("activated", "licensed", "installed", "planned", "not_applicable", "no_activation_left", "no_way_out", "not_reached", "failed"), 0
    )
    for end in ends:
        found[end.kind] += 1
    return found


def numbers(ends: Sequence[Ended], before: Mapping[str, Result], after: Mapping[str, Result]) -> dict[str, Any]:
    """The same for machines: what a later job of a workflow needs. Of computers that are named there are a few at most."""
    keys = {
        key: {"remaining_before": _remaining(before, key), "remaining_after": _remaining(after, key)}
        for key in dict.fromkeys(end.key for end in ends)
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
    ring: Mapping[str, Any],
    products: Mapping[str, Result],
    before: Mapping[str, Result],
    after: Mapping[str, Result],
    check_mode: bool,
) -> list[str]:
    """The end of a run, as lines that can be pasted into a ticket.

    Args:
        ends: What C(ended) gave.
        ring: The key ring, of which names and descriptions are shown.
        products: By key what it is for.
        before: By key the count before the run.
        after: The same after it.
        check_mode: Nothing was changed.
    """
    keys = dict.fromkeys(end.key for end in ends)
    return [
        "MAK activation" + (" (check mode: nothing was changed)" if check_mode else ""),
        *(_key_line(key, [end for end in ends if end.key == key], ring, products, before, after) for key in keys),
        *_other_lines(ends),
    ]


def _key_line(
    key: str,
    ends: Sequence[Ended],
    ring: Mapping[str, Any],
    products: Mapping[str, Result],
    before: Mapping[str, Result],
    after: Mapping[str, Result],
) -> str:
    number = counts(ends)
    description = str((ring.get(key) or {}).get("description") or "")
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
    for end in ends:
        if end.kind == "failed":
            yield failure_line(end.host, end.reason)


def _by_reason(ends: Iterable[Ended]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for end in ends:
        found.setdefault(end.reason, []).append(end.host)
    return found


def kms_summary(clients: Mapping[str, Mapping[str, Any]], check_mode: bool) -> list[str]:
    """The end of a run that gave computers back to KMS.

    Args:
        clients: For each computer C(client), the result of C(kms_client).
        check_mode: Nothing was changed.
    """
    by_state: dict[str, list[str]] = {}
    for name, client in clients.items():
        by_state.setdefault(client_state(client), []).append(name)
    lines = ["From MAK to KMS" + (" (check mode: nothing was changed)" if check_mode else "")]
    planned = f", {len(by_state['planned'])} not asked" if "planned" in by_state else ""
    lines.append(f"Computers: {len(by_state.get('licensed', []))} of {len(clients)} licensed{planned}")
    if waiting := by_state.get("counted"):
        lines.append(
            f"Counted, but not licensed yet: {len(waiting)} ({some(waiting)}). A KMS host activates nobody before enough clients have asked it;"
            " Windows asks again by itself every two hours."
        )
    if absent := by_state.get("not_reached"):
        lines.append(f"Not reached: {len(absent)} ({some(absent, 20)})")
    return [*lines, *(failure_line(name, str(clients[name]["client"].get("msg", "no result"))) for name in by_state.get("failed", []))]
