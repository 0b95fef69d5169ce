# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module C(confirmation_id) does: confirmation IDs from Microsoft into a computer list, each as it comes."""

from __future__ import annotations

import typing as t
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field

from .._computer_list.model import Document, ExportedProduct, FullList, utc_now
from .._computer_list.store import ListFile
from .._core.errors import ActivationError
from .._core.plan import Step, StepKind
from .._licensing.offline_ids import confirmation_warnings, grouped
from .batch_request import Question
from .confirmation import Ask, Asker, Item, Keeper, first_failure_of_all
from .failures import Fate, RequestFailed
from .settings import MicrosoftSettings
from .sorting import Sorted, sort_out

HOW = "BatchActivate"
UNKNOWN = (
    "Microsoft was asked at {asked}, and the outcome is unknown; it may have been counted, so that only ask_again: true asks for this"
    " confirmation ID again."
)
IMPOSSIBLE = "The list has no {lacks} for it; read the computer again, and save what was read."


@dataclass(frozen=True, slots=True)
class Way:
    """How Microsoft is asked, and how the user hears of it.

    Attributes:
        ask: Sends one request, once.
        settings: How many at once, and how often again.
        progress: See C(Asker.ask_all).
        ask_again: Whether to ask also where an earlier answer was lost.
        check_mode: Ask nothing and save nothing.
    """

    ask: Ask
    settings: MicrosoftSettings
    progress: Callable[[int, int, int], None] | None = None
    ask_again: bool = False
    check_mode: bool = False


@dataclass
class Acquired:
    """What came of it, or in check mode would.

    Attributes:
        steps: The changes.
        result: The module's return values.
        confirmation_ids: Identifier to confirmation ID, of all products that have one.
        warnings: What people should see.
    """

    steps: list[Step] = field(default_factory=list)
    result: dict[str, t.Any] = field(default_factory=dict)
    confirmation_ids: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


@dataclass
class Source:
    """Products, and where their confirmation IDs are kept.

    Attributes:
        products: All of them.
        names: Identifier to the name of the computer, where that is known.
        save: Writes everything down for good.
    """

    products: list[ExportedProduct]
    names: Mapping[str, str] = field(default_factory=dict)
    save: Callable[[], None] = lambda: None

    @classmethod
    def of_document(cls, document: Document, file: ListFile) -> Source:
        """Those of a list, which are saved into its file."""
        names = {product.identifier: name for name, product in document.listed()} if isinstance(document, FullList) else {}
        return cls(list(document.entries()), names, lambda: file.save(document))

    def called(self, product: ExportedProduct) -> str:
        """What a product goes by in a message: its computer where that is known."""
        return self.names.get(product.identifier) or product.identifier

    def row(self, product: ExportedProduct, reason: str, code: str = "") -> dict[str, str]:
        """A product in the result, with why it has no confirmation ID."""
        name = self.names.get(product.identifier, "")
        return {"identifier": product.identifier, "name": name, "reason": reason, "code": code}


def acquire_into_file(file: ListFile, way: Way) -> Acquired:
    """Ask for every confirmation ID that a list lacks, and save each as it comes; nobody else changes the list meanwhile.

    Args:
        file: A full list or an export.
        way: How to ask.

    Raises:
        ActivationError: The list cannot be read or saved, or not one request could be sent.
    """
    with nullcontext() if way.check_mode else file.locked():
        return acquire(Source.of_document(file.load(), file), way)


def acquire(source: Source, way: Way) -> Acquired:
    """The same for products from anywhere."""
    found = sort_out(source.products, way.ask_again)
    items = [Item(group[0].identifier, Question(group[0].extended_pid, group[0].installation_id)) for group in found.to_ask]
    if way.check_mode:
        # What Microsoft will answer is not known before it is asked.
        return _report(source, found, {})
    if found.known:
        for product, confirmation_id in found.known:
            product.confirmation_id = confirmation_id
        source.save()
    keeping = _Keeping(source, {group[0].identifier: group for group in found.to_ask})
    try:
        Asker(way.ask, way.settings, Keeper(keeping.before, keeping.after)).ask_all(items, way.progress)
    finally:
        keeping.save_the_rest()
    failure = first_failure_of_all(items)
    if failure and not found.known:
        raise failure
    return _report(source, found, {item.identifier: item.failure for item in items if item.failure})


class _Keeping:
    """Writes into the list that a request is about to be sent, and what came of it."""

    def __init__(self, source: Source, groups: Mapping[str, list[ExportedProduct]]) -> None:
        self._source = source
        self._groups = groups
        self._asked_before: dict[str, str | None] = {}
        self._unsaved: list[ExportedProduct] = []

    def before(self, item: Item) -> None:
        """A request is about to be sent: whatever happens now, it is known that it may have been."""
        group = self._groups[item.identifier]
        for product in group:
            self._asked_before[product.identifier] = product.asked
            product.asked = utc_now()
        try:
            self._source.save()
        except BaseException:
            # It will not be sent, and a later save must not say that it was.
            self._forget(group)
            raise

    def after(self, item: Item) -> None:
        """It is known what came of it, or that nobody will know."""
        group = self._groups[item.identifier]
        if item.answer:
            for product in group:
                product.confirmation_id = item.answer.confirmation_id
            self._unsaved += group
        elif item.failure and item.failure.fate != Fate.LOST:
            self._forget(group)
        self._source.save()
        self._unsaved.clear()

    def _forget(self, group: Iterable[ExportedProduct]) -> None:
        """Nothing was counted; what an earlier request may have been stays."""
        for product in group:
            product.asked = self._asked_before[product.identifier]

    def save_the_rest(self) -> None:
        """Try once more to save what came while nothing could be saved. What cannot be is told to the user, who has paid for it."""
        if not self._unsaved:
            return
        try:
            self._source.save()
        except ActivationError as failure:
            came = ", ".join(f"{self._source.called(product)} {grouped(product.confirmation_id or '')}" for product in self._unsaved)
            raise failure.followed_by(f"These confirmation IDs came and are not saved, so write them down: {came}.") from failure


def _report(source: Source, found: Sorted, failures: Mapping[str, RequestFailed]) -> Acquired:
    done = Acquired([_stored(source, product) for product, _confirmation_id in found.known])
    missing = [source.row(product, IMPOSSIBLE.format(lacks=_lacks(product))) for product in found.impossible]
    unknown = [source.row(product, UNKNOWN.format(asked=product.asked)) for product in found.unknown]
    for group in found.to_ask:
        failure = failures.get(group[0].identifier)
        for product in group:
            if failure is None:
                done.steps.append(_stored(source, product))
                if product.confirmation_id:
                    done.warnings += confirmation_warnings(source.called(product), product.confirmation_id)
            elif failure.fate == Fate.LOST:
                done.steps.append(Step(source.called(product), "request without an answer", None, product.asked, HOW))
                unknown.append(source.row(product, failure.message, failure.shown_code))
            else:
                # Of one that is asked for again, the earlier request may still have been counted.
                (unknown if product.asked else missing).append(source.row(product, failure.message, failure.shown_code))
    unsent = [failure for failure in failures.values() if failure.fate == Fate.NOT_SENT]
    obtained = sum(step.kind is StepKind.CONFIRMATION for step in done.steps)
    done.result = {
        "asked": len(found.to_ask) - len(unsent),
        "obtained": obtained,
        "kept": len(found.kept),
        "missing": missing,
        "unknown": unknown,
        "summary": _summary(obtained + len(found.kept), len(missing), len(unknown)),
    }
    done.confirmation_ids = {product.identifier: product.confirmation_id for product in source.products if product.confirmation_id}
    return done


def _stored(source: Source, product: ExportedProduct) -> Step:
    return Step(source.called(product), "confirmation ID", None, "stored", HOW, kind=StepKind.CONFIRMATION)


def _lacks(product: ExportedProduct) -> str:
    return " and no ".join(
        words for words, value in (("installation ID", product.installation_id), ("extended PID", product.extended_pid)) if not value
    )


def _summary(have: int, missing: int, unknown: int) -> str:
    """One line for people."""
    without = f"{missing + unknown} without" if missing or unknown else "none without"
    unclear = f", for {unknown} of them it is unknown whether Microsoft counted it" if unknown else ""
    return f"Confirmation IDs: {have} of {have + missing + unknown}, {without}{unclear}."


def given_products(rows: Iterable[tuple[str, str, str]]) -> list[ExportedProduct]:
    """Products that come from no list.

    Args:
        rows: Identifier, installation ID and extended PID of each; the identifier may be empty.

    Raises:
        ActivationError: Two have the same identifier.
    """
    products = [ExportedProduct(identifier or str(place), "", iid, pid) for place, (identifier, iid, pid) in enumerate(rows, start=1)]
    for name, count in Counter(product.identifier for product in products).items():
        if count > 1:
            raise ActivationError(f"products: the identifier {name} stands there more than once.", source="options")
    return products
