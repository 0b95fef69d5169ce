# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module computer_list does: save, export, merge and inspect."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from .._core.errors import ActivationError
from .._core.plan import Step
from .._core.text import visible
from .._licensing.offline_ids import confirmation_warnings
from .inspection import explained, export_of, leaving
from .merging import Merged, merge_computers, merge_export, merge_typed, shared_installation_ids
from .model import LICENSED, MAK, Export, ExportedProduct, FullList, ListedComputer, as_time
from .reading import of_kind_export, of_kind_full
from .store import ListFile


@dataclass(slots=True)
class ListDone:
    """What one of the functions below did, or in check mode would do.

    Attributes:
        steps: The changes.
        result: Return values of the module.
        warnings: What the user should see although nothing failed.
    """

    steps: list[Step] = field(default_factory=list)
    result: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def save(file: ListFile, computers: Mapping[str, ListedComputer], replace_hardware: Iterable[str], check_mode: bool) -> ListDone:
    """Take what was read of computers into the list, which is begun where there is none."""
    if check_mode:
        return _save(file, computers, replace_hardware, True)
    with file.locked():
        return _save(file, computers, replace_hardware, False)


def _save(file: ListFile, computers: Mapping[str, ListedComputer], replace_hardware: Iterable[str], check_mode: bool) -> ListDone:
    there = file.exists
    full = of_kind_full(file.load(), file.path) if there else FullList()
    encrypts = there and file.encrypts and not file.encrypted
    plain_backups = file.plain_backups if there and file.encrypts else 0
    merged = merge_computers(full, computers, replace_hardware)
    merged.conflicts += shared_installation_ids(full, computers.keys())
    done = _merged(file, full, merged)
    if not there:
        done.steps.insert(0, Step(file.path, "computer list", None, full.list_id, "write"))
    if encrypts:
        done.steps.append(Step(file.path, "encryption", None, "Ansible Vault", "write"))
    if plain_backups:
        done.steps.append(Step(file.path, "backups without encryption", plain_backups, 0, "write"))
    if (done.steps or merged.touched) and not check_mode:
        file.save(full)
    return done


def merge(
    file: ListFile,
    answer: ListFile | None,
    typed: Sequence[tuple[str, str]],
    hosts: Collection[str] | None,
    show_confirmation_ids: bool,
    check_mode: bool,
) -> ListDone:
    """Take confirmation IDs into the list: from an export that came back, and those that a person has typed.

    Args:
        file: The list.
        answer: The export.
        typed: Installation IDs with confirmation IDs.
        hosts: The computers that are shown; C(None) for all, and without C(show_confirmation_ids) for none.
        show_confirmation_ids: Show those as well.
        check_mode: Nothing is written.
    """
    if check_mode:
        return _merge(file, answer, typed, hosts, show_confirmation_ids, True)
    with file.locked():
        return _merge(file, answer, typed, hosts, show_confirmation_ids, False)


def _merge(
    file: ListFile,
    answer: ListFile | None,
    typed: Sequence[tuple[str, str]],
    hosts: Collection[str] | None,
    show_confirmation_ids: bool,
    check_mode: bool,
) -> ListDone:
    full = of_kind_full(file.load(), file.path)
    warnings = []
    merged = Merged()
    if answer is not None:
        export = of_kind_export(answer.load(), answer.path)
        merged = merge_export(full, export, answer.path)
        warnings = _length_warnings(export)
    if typed:
        by_hand = merge_typed(full, typed)
        merged.changes += by_hand.changes
        merged.conflicts += by_hand.conflicts
        merged.new = list(dict.fromkeys(merged.new + by_hand.new))
        merged.changed = list(dict.fromkeys(merged.changed + by_hand.changed))
        merged.missing = by_hand.missing
    done = _merged(file, full, merged)
    done.warnings = warnings
    if show_confirmation_ids or hosts is not None:
        chosen = None if hosts is None else frozenset(hosts)
        done.result["computers"] = [
            _shown_computer(name, computer, show_confirmation_ids)
            for name, computer in sorted(full.computers.items())
            if chosen is None or name in chosen
        ]
    if done.steps and not check_mode:
        file.save(full)
    return done


def export(file: ListFile, target: ListFile, hosts: Collection[str] | None, check_mode: bool) -> ListDone:
    """Write what may leave. An export that is there and holds the same products stays, with the confirmation IDs that it has got."""
    full = of_kind_full(file.load(), file.path)
    leaves = export_of(full, hosts)
    if check_mode:
        return _export(full, leaves, target, True)
    with target.locked():
        return _export(full, leaves, target, False)


def _export(full: FullList, leaves: Export, target: ListFile, check_mode: bool) -> ListDone:
    before = of_kind_export(target.load(), target.path) if target.exists else None
    done = ListDone(result=_of_export(leaves) | {"counts": counts(full)})
    if before is not None:
        # Where nothing needs to leave any more, what has come back stays as well.
        if before.list_id == full.list_id and (not leaves.products or _same_products(before, leaves)):
            done.result |= _of_export(before)
            return done
        _check_nothing_lost(before, full, target.path)
    there = None if before is None else len(before.products)
    done.steps = [Step(target.path, "products that leave", there, len(leaves.products), "write")]
    if not check_mode:
        target.save(leaves)
    return done


def inspect(file: ListFile, hosts: Collection[str] | None, show_confirmation_ids: bool, unfinished: bool = False) -> ListDone:
    """What is in a list, or what leaves with an export; with C(unfinished) only the computers that C(is_unfinished)."""
    document = file.load()
    if isinstance(document, Export):
        return ListDone(result=_of_export(document) | {"kind": "export", "list_id": document.list_id})
    hosts = None if hosts is None else frozenset(hosts)
    computers = {name: computer for name, computer in document.computers.items() if hosts is None or name in hosts}
    if unfinished:
        computers = {name: computer for name, computer in computers.items() if computer.is_unfinished}
    shown = [_shown_computer(name, computer, show_confirmation_ids) for name, computer in sorted(computers.items())]
    result = {"kind": "full", "list_id": document.list_id, "computers": shown, "counts": counts(FullList(computers=computers))}
    return ListDone(result=result | _of_export(export_of(document, hosts)))


def to_read(file: ListFile, hosts: Iterable[str], max_age: int) -> list[str]:
    """The hosts whose state is unknown, at least in part, or was read longer ago than C(max_age) seconds."""
    full = of_kind_full(file.load(), file.path) if file.exists else FullList()
    oldest = datetime.now(UTC) - timedelta(seconds=max_age)
    return [name for name in hosts if _is_stale(full.computers.get(name), oldest)]


def counts(full: FullList) -> dict[str, int]:
    """How many computers and products there are, and how far they have got."""
    products = [product for _name, product in full.listed()]
    return {
        "computers": len(full.computers),
        "products": len(products),
        "licensed": sum(product.license_status == LICENSED for product in products),
        "confirmed": sum(product.confirmation_id is not None for product in products),
        "pending": sum(product.pending for product in products),
        "unknown": sum(product.unknown for product in products),
    }


def _merged(file: ListFile, full: FullList, merged: Merged) -> ListDone:
    steps = [
        Step(change.name, f"{change.attribute} of {change.activation_id}" if change.activation_id else change.attribute, change.before,
             change.after, f"computer list {file.path}")
        for change in merged.changes
    ]  # fmt: skip
    conflicts = [
        {
            "name": conflict.name,
            "activation_id": conflict.activation_id,
            "identifier": conflict.identifier,
            "reason": visible(conflict.reason),
        }
        for conflict in merged.conflicts
    ]
    result = {"list_id": full.list_id, "new": merged.new, "changed_computers": merged.changed, "missing": merged.missing}
    return ListDone(steps, {**result, "conflicting": conflicts, "counts": counts(full)})


def _of_export(leaves: Export) -> dict[str, Any]:
    return {"leaves": [entry.as_result() for entry in leaving(leaves)], "products": [explained(product) for product in leaves.products]}


def _same_products(one: Export, other: Export) -> bool:
    return [_fixed(product) for product in one.products] == [_fixed(product) for product in other.products]


def _fixed(product: ExportedProduct) -> tuple[str, ...]:
    """What of a product no answer changes."""
    return product.identifier, product.installation_id, product.extended_pid, product.activation_id


def _check_nothing_lost(before: Export, full: FullList, path: str) -> None:
    """An export that was answered is overwritten only when its answers are in the list."""
    kept = {product.identifier: product for product in full.entries()} if before.list_id == full.list_id else {}
    lost = [
        product
        for product in before.products
        if (product.confirmation_id or product.unknown)
        and (product.identifier not in kept or kept[product.identifier].confirmation_id is None)
    ]
    if lost:
        raise ActivationError(
            f"{path} holds {len(lost)} answers of Microsoft that the list does not have, so it is not overwritten; merge it first, or"
            " give another O(export_path).",
            source="file",
        )


def _length_warnings(export: Export) -> list[str]:
    return [
        text
        for product in export.products
        if product.confirmation_id
        for text in confirmation_warnings(f"Product {product.identifier}", product.confirmation_id)
    ]


def _is_stale(computer: ListedComputer | None, oldest: datetime) -> bool:
    if computer is None or computer.read is None or as_time(computer.read) < oldest:
        return True
    # Who was to be activated on line has no installation ID in the list, and needs one where that did not succeed.
    products = computer.products.values()
    return any(product.channel == MAK and product.license_status != LICENSED and not product.installation_id for product in products)


def _shown_computer(name: str, computer: ListedComputer, show_confirmation_ids: bool) -> dict[str, Any]:
    products = [
        {
            **explained(product),
            "confirmation_id": product.confirmation_id if show_confirmation_ids else "stored" if product.confirmation_id else None,
            "pending": product.pending,
            "name": product.name,
            "channel": product.channel,
            "license_status": product.license_status,
            "partial_product_key": product.partial_product_key,
            "mak": product.mak,
            "activation": {
                "began": product.activation.began,
                "ended": product.activation.ended,
                "outcome": product.activation.outcome,
            },
        }
        for _activation_id, product in sorted(computer.products.items())
    ]
    return {
        "name": name,
        "computer_name": computer.computer_name,
        "fqdn": computer.fqdn,
        "address": computer.address,
        "operating_system": computer.operating_system,
        "read": computer.read,
        "products": products,
    }
