# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was read of computers, and what came back from Microsoft, goes into a full list. Pure.

Nothing here overwrites a confirmation ID by nothing, and nothing that contradicts the list is taken over unasked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .._core.errors import ActivationError
from .._core.text import some
from .model import Activation, Export, ExportedProduct, FullList, ListedComputer, ListedProduct, new_identifier

_OF_COMPUTER = ("computer_name", "fqdn", "address", "operating_system")
_OF_PRODUCT = ("name", "channel", "license_status", "partial_product_key", "extended_pid", "mak")


@dataclass(frozen=True, slots=True)
class ListChange:
    """One value of the list that is another one afterwards.

    Attributes:
        name: The computer.
        activation_id: The product; empty where it is a value of the computer itself.
        attribute: Which value.
        before: The value of before; C(None) where there was none.
        after: That of afterwards. Of confirmation IDs both say only whether there is one.
    """

    name: str
    activation_id: str
    attribute: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something that contradicts the list, so that the list was left as it was.

    Attributes:
        name: The computer; empty where the list knows none.
        activation_id: The product.
        identifier: Its random identifier.
        reason: One sentence.
    """

    name: str
    activation_id: str
    identifier: str
    reason: str


@dataclass(slots=True)
class Merged:
    """What a merge came to.

    Attributes:
        changes: What is different now.
        new: Names of computers that were added, or that got a confirmation ID.
        changed: Names of computers of which another value is different.
        missing: Names of computers without what was expected of them: a product that is gone, or a confirmation ID.
        conflicts: What contradicts the list.
        touched: Whether there is something to save that is no change: a computer was read again and is as it was.
    """

    changes: list[ListChange] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    touched: bool = False
    _noted: set[tuple[int, str]] = field(default_factory=set, init=False, repr=False, compare=False)

    def note(self, names: list[str], name: str) -> None:
        """Add a name to one of the lists, once."""
        if (id(names), name) not in self._noted:
            self._noted.add((id(names), name))
            names.append(name)


def merge_computers(full: FullList, read: Mapping[str, ListedComputer], replace_hardware: Iterable[str] = ()) -> Merged:
    """Take over what was read of computers.

    What is empty was not read, and leaves what the list has. A computer is known by its inventory name. If a product of it
    answers with another installation ID than the list has, the hardware or the key is another one: that is a conflict, and the
    product stays as it is.

    Args:
        full: The list, which is changed.
        read: What was read, by inventory name. Identifiers in it are not checked.
        replace_hardware: Names of computers for which a conflict is settled in favour of what was read: the product begins
            anew, without the confirmation ID that belonged to the other hardware.
    """
    merged, settled = Merged(), set(replace_hardware)
    for name, computer in read.items():
        known = full.computers.get(name)
        if known is None:
            full.computers[name] = _fresh(computer)
            merged.changes.append(ListChange(name, "", "computer", None, computer.computer_name or name))
            merged.note(merged.new, name)
            continue
        for attribute in _OF_COMPUTER:
            value = getattr(computer, attribute)
            if value and value != getattr(known, attribute):
                _change(merged, known, name, "", attribute, value)
        if computer.read is not None and computer.read != known.read:
            known.read, merged.touched = computer.read, True
        _merge_products(merged, name, known, computer, name in settled)
    return merged


def shared_installation_ids(full: FullList, names: Collection[str]) -> list[Conflict]:
    """The installation IDs that several computers of the list have, one of C(names) among them.

    Windows computes one from the hardware and the key, so that it belongs to one computer: the others are copies of it, or one
    of them tells what it was told to.
    """
    found: dict[str, list[tuple[str, ListedProduct]]] = {}
    for name, listed in full.listed():
        if listed.installation_id:
            found.setdefault(listed.installation_id, []).append((name, listed))
    shared = []
    for installation_id, entries in found.items():
        owners = list(dict.fromkeys(name for name, _listed in entries))
        if len(owners) > 1 and not set(owners).isdisjoint(names):
            reason = (
                f"{some(owners)} have one installation ID, {_short(installation_id)}, although each computer has its own. They are copies"
                " of one virtual machine, or one of them does not tell its own; find out which, before a confirmation ID is applied."
            )
            shared.append(Conflict(owners[0], entries[0][1].activation_id, entries[0][1].identifier, reason))
    return shared


def _merge_products(merged: Merged, name: str, known: ListedComputer, computer: ListedComputer, replace_hardware: bool) -> None:
    for activation_id, found in computer.products.items():
        listed = known.products.get(activation_id)
        if listed is None:
            known.products[activation_id] = replace(found, identifier=new_identifier())
            merged.changes.append(ListChange(name, activation_id, "product", None, found.name or activation_id))
            merged.note(merged.changed, name)
        elif listed.installation_id and found.installation_id and found.installation_id != listed.installation_id:
            _merge_other_hardware(merged, name, known, found, replace_hardware)
        else:
            _merge_product(merged, name, listed, found)
    if computer.read is not None and known.products.keys() - computer.products.keys():
        merged.note(merged.missing, name)


def _merge_product(merged: Merged, name: str, listed: ListedProduct, found: ListedProduct) -> None:
    if found.installation_id and not listed.installation_id:
        _change(merged, listed, name, listed.activation_id, "installation_id", found.installation_id)
    for attribute in _OF_PRODUCT:
        value = getattr(found, attribute)
        if value and value != getattr(listed, attribute):
            _change(merged, listed, name, listed.activation_id, attribute, value)
    if found.activation != Activation() and found.activation != listed.activation:
        # Who ended the same way as before was looked at again, and nothing of it has changed but the time.
        if found.activation.outcome == listed.activation.outcome:
            merged.touched = True
        else:
            merged.changes.append(ListChange(name, listed.activation_id, "activation", listed.activation.outcome, found.activation.outcome))
            merged.note(merged.changed, name)
        listed.activation = replace(found.activation)


def _merge_other_hardware(merged: Merged, name: str, known: ListedComputer, found: ListedProduct, replace_hardware: bool) -> None:
    listed = known.products[found.activation_id]
    if replace_hardware:
        # A new identifier as well: an answer for the old installation ID that is still under way must not find it.
        known.products[found.activation_id] = replace(found, identifier=new_identifier())
        merged.changes.append(ListChange(name, found.activation_id, "installation_id", listed.installation_id, found.installation_id))
        if listed.confirmation_id is not None:
            merged.changes.append(ListChange(name, found.activation_id, "confirmation_id", "stored", None))
        merged.note(merged.changed, name)
        return
    keys = found.partial_product_key, listed.partial_product_key
    other = "the key or the hardware is" if not all(keys) else "the key is" if keys[0] != keys[1] else "the hardware is"
    reason = (
        f"{name} answers with another installation ID for {listed.name or found.activation_id} than the list has, so {other} another one;"
        " the list was left as it is."
    )
    merged.conflicts.append(Conflict(name, found.activation_id, listed.identifier, reason))


def merge_export(full: FullList, answer: Export, path: str) -> Merged:
    """Take over the confirmation IDs, and when they were asked for, that an export has come back with.

    Args:
        full: The list, which is changed.
        answer: The export.
        path: Where it is, for the message.

    Raises:
        ActivationError: It was not made from this list.
    """
    if answer.list_id != full.list_id:
        raise ActivationError(
            f"{path} was not exported from this list: it belongs to the list {answer.list_id}, and this one is {full.list_id}.",
            source="file",
        )
    merged = Merged()
    answers = {product.identifier: product for product in answer.products}
    for name, listed in full.listed():
        product = answers.pop(listed.identifier, None)
        if product is None:
            continue
        if reason := _contradiction(name, listed, product):
            merged.conflicts.append(Conflict(name, listed.activation_id, listed.identifier, reason))
        else:
            _take_answer(merged, name, listed, product)
    for identifier, product in sorted(answers.items()):
        reason = "The list has no product with this identifier; its computer was taken out, or read anew with other hardware."
        merged.conflicts.append(Conflict("", product.activation_id, identifier, reason))
    _note_missing(merged, full)
    return merged


def _note_missing(merged: Merged, full: FullList) -> None:
    for name, listed in full.listed():
        if listed.pending:
            merged.note(merged.missing, name)


def _contradiction(name: str, listed: ListedProduct, product: ExportedProduct) -> str:
    """Why an answer is none for a product of the list; empty where it is one."""
    for attribute, text in (("installation_id", "installation ID"), ("activation_id", "activation ID"), ("extended_pid", "extended PID")):
        if getattr(product, attribute) != getattr(listed, attribute):
            return f"The answer for {name} is for another {text} than the list has now; read the computer again and export anew."
    if product.confirmation_id and listed.confirmation_id and product.confirmation_id != listed.confirmation_id:
        return f"The answer for {name} holds another confirmation ID than the list; the list kept its own."
    return ""


def _take_answer(merged: Merged, name: str, listed: ListedProduct, product: ExportedProduct) -> None:
    if product.asked and product.asked != listed.asked and listed.confirmation_id is None:
        _change(merged, listed, name, listed.activation_id, "asked", product.asked)
    if product.confirmation_id and listed.confirmation_id is None:
        listed.confirmation_id = product.confirmation_id
        merged.changes.append(ListChange(name, listed.activation_id, "confirmation_id", None, "stored"))
        merged.note(merged.new, name)


def merge_typed(full: FullList, typed: Iterable[tuple[str, str]]) -> Merged:
    """Take over confirmation IDs that a person has typed.

    Args:
        full: The list, which is changed.
        typed: Installation IDs and confirmation IDs, digits only.
    """
    merged = Merged()
    by_installation_id: dict[str, list[tuple[str, ListedProduct]]] = {}
    for name, product in full.listed():
        by_installation_id.setdefault(product.installation_id, []).append((name, product))
    for key, confirmation_id in typed:
        found = by_installation_id.get(key, [])
        if not found:
            reason = f"The list has no product with the installation ID {_short(key)}; look for a digit that was mistyped."
            merged.conflicts.append(Conflict("", "", "", reason))
        for name, listed in found:
            if listed.confirmation_id not in (None, confirmation_id):
                reason = f"The confirmation ID that was typed for {name} is another one than the list has; the list kept its own."
                merged.conflicts.append(Conflict(name, listed.activation_id, listed.identifier, reason))
            else:
                _take_answer(merged, name, listed, _confirmed(listed, confirmation_id))
    _note_missing(merged, full)
    return merged


def _confirmed(product: ExportedProduct, confirmation_id: str) -> ExportedProduct:
    """What leaves of a product, with this confirmation ID."""
    return ExportedProduct(
        product.identifier, product.activation_id, product.installation_id, product.extended_pid, confirmation_id, product.asked
    )


def _fresh(computer: ListedComputer) -> ListedComputer:
    """A computer as it comes into the list, whose products get identifiers of their own."""
    products = {key: replace(product, identifier=new_identifier()) for key, product in computer.products.items()}
    return replace(computer, products=products)


def _change(merged: Merged, owner: Any, name: str, activation_id: str, attribute: str, value: Any) -> None:
    merged.changes.append(ListChange(name, activation_id, attribute, getattr(owner, attribute) or None, value))
    setattr(owner, attribute, value)
    merged.note(merged.changed, name)


def _short(text: str) -> str:
    return f"{text[:12]}..." if len(text) > 12 else text
