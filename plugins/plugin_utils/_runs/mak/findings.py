# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a look at the key ring and at the computers shows, before the first change.

Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ..._licensing import given_keys
from ..._topology.reading import meant
from ..finding import Finding
from . import by_rule
from .pairs import Pair, PairState, Result

_RING = by_rule.RING
_FIELDS = ("key", "description", "product", by_rule.FOR, by_rule.OFFICE)


def ring_findings(ring: Any, keys: Mapping[str, Sequence[str]], ruled: Collection[str] = ()) -> Iterable[Finding]:
    """What is wrong with the key ring, and with who gets which key of it. Of a key only its form can be told.

    Args:
        ring: The variable C(volume_activation_mak_ring).
        keys: The names of the keys that each computer is to get.
        ruled: The computers that get theirs by the rules of the ring. To them each entry with a rule may matter.
    """
    if not isinstance(ring, Mapping):
        yield Finding(_RING, f"It has to be a dictionary of names and keys, but is {type(ring).__name__}.", True)
        return
    used = dict.fromkeys(name for names in keys.values() for name in names)
    matters = {*used, *(name for name, entry in ring.items() if ruled and by_rule.has_rule(entry))}
    for name in used:
        if name not in ring:
            yield Finding(f"key {name}", f"{_RING} has no key of this name, but volume_activation_mak of a computer has it.", True)
    for name, entry in ring.items():
        said = _key_complaint(entry, f"{_RING}.{name}.key")
        if said:
            yield Finding(f"key {name}", said, name in matters)
        if isinstance(entry, Mapping):
            for wrong, blocks in by_rule.complaints(entry, f"{_RING}.{name}"):
                yield Finding(f"key {name}", wrong, blocks and name in matters)
        for field in entry if isinstance(entry, Mapping) else ():
            if field not in _FIELDS:
                # What is near a field was meant as it, and does nothing as it stands.
                question = meant(str(field), _FIELDS)
                yield Finding(f"key {name}", f"{_RING}.{name} has no field {field}.{question}", bool(question) and name in matters)
    for host, names in keys.items():
        if not names and host not in ruled:
            yield Finding(host, "It gets no key: its variable volume_activation_mak names none.", False)


def _key_complaint(entry: Any, option: str) -> str:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("key"), str):
        return f"{_RING} has to hold the key itself under key."
    return given_keys.complaint(entry["key"], option, given_keys.MAK)


def host_findings(pairs: Iterable[Pair]) -> Iterable[Finding]:
    """What stands in the way of a computer; the others go on without it."""
    for pair in pairs:
        if pair.state in (PairState.NOT_REACHED, PairState.FAILED):
            yield Finding(pair.host, pair.reason, False)
        elif pair.state is PairState.NOT_APPLICABLE:
            yield Finding(pair.host, f"Not applicable for the key {pair.key}: {pair.reason.rstrip('.')}.", False)


def target_findings(targets: Mapping[str, Result]) -> Iterable[Finding]:
    """By which computers may soon be out of reach; nothing of it stands in the way now.

    Args:
        targets: The results of C(winrm_target) by computer; empty where it did not run.
    """
    for host, result in targets.items():
        for need in result.get("requirements") or []:
            if need["met"] is False:
                said = str(need["said"])
                yield Finding(host, said[:1].upper() + said[1:], False)
