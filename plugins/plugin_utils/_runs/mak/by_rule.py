# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys of a ring a computer gets by the rules of their entries: the editions and products that each entry says it is for.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core.errors import ActivationError
from ..._core.given import names_of
from ..._core.text import some
from ..._licensing.kms_groups import edition_of
from ..._licensing.setup_keys import OFFICE_KEYS, WINDOWS_KEYS, find, office_product
from ..._topology.reading import is_unset, meant
from ..registered import Result

RING, KEYS = "volume_activation_mak_ring", "volume_activation_mak"
"""The variables."""

FOR, OFFICE = "for", "office"
"""The fields of an entry that make its rule."""

_WINDOWS_PRODUCT = "windows"
_NONE_GIVEN = (None, False)
_CORE = ("Core", "Cor")


@dataclass(frozen=True, slots=True)
class Rule:
    """What an entry of a ring is for.

    Attributes:
        name: The key's name.
        place: What it is the key of: C(office), C(windows), or what the option C(product) of C(mak_client) calls an add-on.
        office: Whether it is for Office, and not for Windows.
        names: Editions and products in small letters; empty for all of Office.
    """

    name: str
    place: str
    office: bool
    names: frozenset[str]

    def fits(self, subject: Subject) -> bool:
        """Whether the key is for a product of a computer."""
        return self.office == subject.office and (not self.names or not self.names.isdisjoint(subject.names))


@dataclass(frozen=True, slots=True)
class Subject:
    """A product of a computer that a key could be for: its Windows, or a volume product of Office.

    Attributes:
        said: What it is, for people.
        office: Whether it is one of Office.
        names: By what names rules know it, in small letters.
    """

    said: str
    office: bool
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Choice:
    """What the rules give a computer.

    Attributes:
        keys: The names of its keys, in the order of the ring.
        kind: How it ended, as C(Ended) has it, where there is something to say.
        reason: What there is to say, as a sentence.
    """

    keys: Sequence[str]
    kind: str = ""
    reason: str = ""


def has_rule(entry: Any) -> bool:
    """Whether an entry of a ring says for which computers it is."""
    return isinstance(entry, Mapping) and (entry.get(FOR) is not None or entry.get(OFFICE) not in _NONE_GIVEN)


def detail_for(ring: Any) -> str:
    """How much C(license_info) has to read of a computer that gets its keys by the rules of a ring; empty where the ring has none."""
    entries = [entry for entry in ring.values() if has_rule(entry)] if isinstance(ring, Mapping) else []
    if not entries:
        return ""
    return "full" if any(_is_office(entry) for entry in entries) else "summary"


def chosen_by_rule(given: Any, ring: Any) -> bool:
    """Whether rules say which keys a computer gets. A list, also an empty one, is an assignment by hand.

    Args:
        given: Its variable C(volume_activation_mak).
        ring: The ring that it sees.
    """
    return is_unset(given) and bool(detail_for(ring))


def rules_of(ring: Any) -> list[Rule]:
    """The rules of a ring, without those that can't be read: a run stops for them."""
    entries = ring.items() if isinstance(ring, Mapping) else ()
    found = []
    for name, entry in entries:
        if has_rule(entry) and not any(blocks for _said, blocks in complaints(entry, f"{RING}.{name}")):
            names = frozenset(text.casefold() for text in names_of(entry.get(FOR), FOR))
            found.append(Rule(str(name), OFFICE if _is_office(entry) else _product(entry), _is_office(entry), names))
    return found


def complaints(entry: Mapping[str, Any], option: str) -> Iterable[tuple[str, bool]]:
    """What is wrong with the rule of an entry, and whether it stands in the way.

    Args:
        entry: The entry.
        option: Where it is, for messages.
    """
    office = entry.get(OFFICE)
    if not isinstance(office, bool) and office is not None:
        yield f"{option}.{OFFICE} has to be true or false.", True
    elif office and not is_unset(entry.get("product")) and _product(entry) == _WINDOWS_PRODUCT:
        yield f"{option} has {OFFICE}: true, and a product of Windows. Remove one of the two.", True
    if entry.get(FOR) is None:
        return
    try:
        names = names_of(entry[FOR], f"{option}.{FOR}")
    except ActivationError as refusal:
        yield refusal.message, True
        return
    if not names:
        yield f"{option}.{FOR} names no edition and no product. Name one, or remove the field.", True
    known = _known(office=_is_office(entry))
    for name in names:
        if name.casefold() not in known and (question := meant(name, known.values())):
            yield f"{option}.{FOR} has {name}, which is no edition or product that Microsoft lists.{question}", False


def choose(rules: Sequence[Rule], license_result: Result) -> Choice:
    """What the rules of a ring give a computer.

    Args:
        rules: Those of the ring that it sees.
        license_result: That of C(license_info), with as much as C(detail_for) says.
    """
    if "operating_system" not in license_result:
        kind = "not_reached" if license_result.get("unreachable") else "failed"
        return Choice([], kind, str(license_result.get("msg") or "It was not asked."))
    keys: dict[str, None] = {}
    without = []
    for subject in _subjects(license_result):
        fitting: dict[str, list[str]] = {}
        for rule in rules:
            if rule.fits(subject):
                fitting.setdefault(rule.place, []).append(rule.name)
        if twice := next((names for names in fitting.values() if len(names) > 1), None):
            return Choice([], "failed", _ambiguous(twice, subject))
        keys |= dict.fromkeys(names[0] for names in fitting.values())
        # An add-on is for some computers alone; that it fits no other one is nothing to say.
        place = OFFICE if subject.office else _WINDOWS_PRODUCT
        if place not in fitting and any(rule.place == place for rule in rules):
            without.append(_unfitting(subject))
    if not keys and not without:
        without.append(f"No entry of {RING} is for it: it has no volume product of Office.")
    order = [rule.name for rule in rules if rule.name in keys]
    return Choice(order, "not_applicable" if without else "", " ".join(without))


def lines(assigned: Mapping[str, Sequence[str]], last_fives: Mapping[str, str]) -> list[str]:
    """Which key is given to whom, for people.

    Args:
        assigned: By computer the names of the keys that rules give it.
        last_fives: By key its last five characters.
    """
    found: dict[str, list[str]] = {}
    for host, names in assigned.items():
        for name in names:
            found.setdefault(name, []).append(host)
    return [f"Key {name} (...{last_fives.get(name, '')}) by rule: {len(hosts)} ({some(hosts, 20)})" for name, hosts in found.items()]


def _is_office(entry: Mapping[str, Any]) -> bool:
    return entry.get(OFFICE) is True or str(entry.get("product") or "").strip().casefold() == OFFICE


def _product(entry: Mapping[str, Any]) -> str:
    given = entry.get("product")
    return str(given).strip().casefold() if not is_unset(given) else OFFICE if entry.get(OFFICE) is True else _WINDOWS_PRODUCT


def _subjects(license_result: Result) -> Iterable[Subject]:
    windows, system = license_result.get("windows") or {}, license_result["operating_system"]
    caption = str(system.get("caption") or "").strip()
    edition = edition_of(str(windows.get("name") or ""))
    names = {edition, _without_core(edition), caption, caption.removeprefix("Microsoft ")}
    if listed := find(edition, int(system.get("build") or 0)):
        names.add(listed.name)
    said = f"{caption or 'Windows'}, edition {edition}" if edition else f"{caption or 'Windows'}, which holds no key that tells its edition"
    yield Subject(said, office=False, names=_small(names))
    seen = set()
    for product in license_result.get("products") or ():
        found = office_product(str(product.get("name") or ""), str(product.get("activation_id") or ""))
        if found and found not in seen and product.get("application") == OFFICE:
            seen.add(found)
            full = f"Office {' '.join(found)}"
            yield Subject(full, office=True, names=_small({found[1], full}))


def _without_core(edition: str) -> str:
    """The edition of a server that was set up as Server Core: keys are the same for both."""
    ending = next((ending for ending in _CORE if edition.startswith("Server") and edition.endswith(ending)), "")
    return edition.removesuffix(ending)


def _small(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.casefold() for name in names if name)


def _known(office: bool) -> dict[str, str]:
    """The editions and products of Microsoft's lists, by their names in small letters."""
    rows = OFFICE_KEYS if office else WINDOWS_KEYS
    names = [name for row in rows for name in ((row.edition, row.name) if office else (*row.edition_ids, row.name))]
    return {name.casefold(): name for name in names}


def _ambiguous(names: Sequence[str], subject: Subject) -> str:
    return f"The entries {' and '.join(names)} of {RING} are all for {subject.said}. Name the key by {KEYS}, or correct {FOR}."


def _unfitting(subject: Subject) -> str:
    return f"No entry of {RING} is for {subject.said}. Add it to {FOR} of an entry, or name a key by {KEYS}."
