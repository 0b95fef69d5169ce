# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A computer list from text, which is refused with what is wrong with it. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, NoReturn

from .._core.errors import ActivationError
from .._core.text import visible
from .fields import COMPUTER, EXPORTED, LISTED, check_document, is_object, wrong
from .model import EXPORT, FORMAT, FULL, VERSION, Activation, Document, Export, ExportedProduct, FullList, ListedComputer, ListedProduct
from .writing import CHECKSUM, checksum

_LONGEST_VALUE = 64
_AGAIN = "Copy it once more from where it came, or take the newest of its backups."


class _Repeated(Exception):
    """A name that stands twice in one object."""


def parse(data: bytes, path: str) -> Document:
    """The document that a file holds.

    Args:
        data: Its content.
        path: Where it is, for messages.

    Raises:
        ActivationError: The file is cut short, was changed by hand, is of another version or something else altogether; the
            sentence says which, and where.
    """
    found = _loaded(data, path)
    if not is_object(found) or "format" not in found:
        raise _refusal(f"{path} is JSON, but no computer list: it has no field format.")
    if found["format"] != FORMAT:
        raise _refusal(f"{path} is no computer list: its format is {_shown(found['format'])}, and has to be '{FORMAT}'.")
    version = found.get("version")
    if isinstance(version, bool) or not isinstance(version, int):
        raise _refusal(f"{path}: version is {_shown(version)}, and has to be a number. {_AGAIN}")
    if version > VERSION:
        raise _refusal(f"{path} is of version {_shown(version)}, and this collection knows {VERSION}; install a newer one.")
    if version < VERSION:
        raise _refusal(
            f"{path} is of version {_shown(version)}, which this collection reads no more; save it anew with the one that wrote it."
        )
    if CHECKSUM not in found or found[CHECKSUM] != checksum(found):
        raise _refusal(f"{path} was changed since it was written: its checksum does not fit. {_AGAIN}")
    if said := check_document(found):
        raise _refusal(f"{path}: {said}. {_AGAIN}")
    document = _full(found) if found["kind"] == FULL else _export(found)
    _check_identifiers(document, path)
    return document


def of_kind_full(document: Document, path: str) -> FullList:
    """The document, which has to be a full list.

    Raises:
        ActivationError: It is an export.
    """
    if isinstance(document, FullList):
        return document
    raise _refusal(f"{path} is an export (kind: {EXPORT}), and a full list is needed here (kind: {FULL}).")


def of_kind_export(document: Document, path: str) -> Export:
    """The document, which has to be an export.

    Raises:
        ActivationError: It is a full list.
    """
    if isinstance(document, Export):
        return document
    raise _refusal(f"{path} is a full list (kind: {FULL}), and an export is needed here (kind: {EXPORT}).")


def _loaded(data: bytes, path: str) -> Any:
    if not data.strip(b"\x00 \t\r\n"):
        raise _refusal(f"{path} is empty. {_AGAIN}")
    try:
        text = data.decode("utf-8")
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except UnicodeDecodeError as failure:
        said = _cut_short(path) if failure.end == len(data) else f"{path} is no computer list: byte {failure.start + 1} is not UTF-8."
    except json.JSONDecodeError as failure:
        begun, ended = text.strip()[:1], text.strip()[-1:]
        if failure.pos >= len(text.rstrip()) or (begun == "{" and ended != "}"):
            said = _cut_short(path)
        else:
            said = f"{path} is no computer list: line {failure.lineno}, column {failure.colno} is not JSON ({failure.msg})."
    except _Repeated as failure:
        said = f"{path} was changed by hand: the name {_shown(str(failure))} stands twice in one object. {_AGAIN}"
    except (RecursionError, ValueError):
        said = f"{path} is no computer list: it has a number, or so many levels, as no computer list has."
    raise _refusal(said)


def _cut_short(path: str) -> str:
    return f"{path} ends before it is complete, as a copy that was cut short does. {_AGAIN}"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _value in pairs)
        raise _Repeated(next(name for name, count in counts.items() if count > 1))
    return found


def _no_constant(text: str) -> NoReturn:
    raise ValueError(text)


def _full(found: Mapping[str, Any]) -> FullList:
    computers = {name: computer_of(computer) for name, computer in found["computers"].items()}
    return FullList(list_id=found["list_id"], saved=found["saved"], computers=computers)


def computer_of(found: Mapping[str, Any]) -> ListedComputer:
    """A computer of a full list, from JSON in which nothing is wrong."""
    products = {
        activation_id: ListedProduct(
            activation_id=activation_id,
            activation=Activation(**product["activation"]),
            **{field: product[field] for field in LISTED if field != "activation"},
        )
        for activation_id, product in found["products"].items()
    }
    return ListedComputer(products=products, **{field: found[field] for field in COMPUTER if field != "products"})


def _export(found: Mapping[str, Any]) -> Export:
    return Export(
        list_id=found["list_id"],
        products=[ExportedProduct(**{field: product[field] for field in EXPORTED}) for product in found["products"]],
    )


def _check_identifiers(document: Document, path: str) -> None:
    """Two products with one identifier could not be told apart when an answer comes back."""
    seen: set[str] = set()
    for product in document.entries():
        if product.identifier in seen:
            raise _refusal(f"{path}: {wrong('identifier', product.identifier, 'one that no other product has')}. {_AGAIN}")
        seen.add(product.identifier)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else f"'{value}'"
    return visible(text, _LONGEST_VALUE)


def _refusal(sentence: str) -> ActivationError:
    return ActivationError(sentence, source="file")
