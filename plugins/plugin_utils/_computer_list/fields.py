# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of a computer list and what each may hold. Pure.

The published JSON Schema (docs/computer_list.schema.json) says the same; a test holds the two together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from .._core.text import LONGEST_NAME, visible
from .._licensing.offline_ids import MOST_DIGITS
from .model import EXPORT, FORMAT, FULL, VERSION, as_time

Check = Callable[[Any], str]
"""What a value has to be, where it is not; empty where it is."""


def _matching(pattern: str, wanted: str, empty: bool = False) -> Check:
    fitting = re.compile(pattern)
    return lambda value: "" if isinstance(value, str) and (fitting.fullmatch(value) or (empty and not value)) else wanted


def _or_null(check: Check) -> Check:
    return lambda value: f"{wanted}, or null" if value is not None and (wanted := check(value)) else ""


def _text(value: Any) -> str:
    # JSON can name halves of characters, which no file can hold.
    return "" if isinstance(value, str) and not any("\ud800" <= sign <= "\udfff" for sign in value) else "a text"


def _time(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z", value):
        try:
            as_time(value)
        except ValueError:
            pass
        else:
            return ""
    return "a time such as 2026-11-27T03:42:07Z"


def is_object(value: Any) -> bool:
    """Whether it is a JSON object."""
    return isinstance(value, Mapping)


_GUID = _matching(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "a GUID in small letters such as 55c92734-d682-4d71-983e-d6ec3f16059f")
# Nothing but what an ePID is made of may leave in its place.
_EPID = r"[0-9A-Za-z.-]{1,64}"
_IDENTIFIER = _matching(r"[0-9a-f]{32}", "32 hexadecimal digits in small letters")
_DIGITS = f"[0-9]{{1,{MOST_DIGITS}}}"
_LONGEST_VALUE = 84

EXPORTED: dict[str, Check] = {
    "identifier": _IDENTIFIER,
    "installation_id": _matching(_DIGITS, "digits"),
    "extended_pid": _matching(_EPID, "an extended PID: digits, letters, dots and hyphens"),
    "activation_id": _GUID,
    "confirmation_id": _or_null(_matching(_DIGITS, "digits")),
    "asked": _or_null(_time),
}
"""The fields of a product in an export."""

ACTIVATION: dict[str, Check] = {"began": _or_null(_time), "ended": _or_null(_time), "outcome": _text}
"""The fields of an activation."""

LISTED: dict[str, Check] = {
    **{name: check for name, check in EXPORTED.items() if name != "activation_id"},
    "installation_id": _matching(_DIGITS, "digits, or empty", empty=True),
    "extended_pid": _matching(_EPID, "an extended PID (digits, letters, dots and hyphens), or empty", empty=True),
    "name": _text,
    "channel": _text,
    "license_status": _text,
    "partial_product_key": _text,
    "mak": _text,
    "activation": lambda value: "" if is_object(value) else "an object",
}
"""The fields of a product in a full list, where it stands under its activation ID."""

COMPUTER: dict[str, Check] = {
    "computer_name": _text,
    "fqdn": _text,
    "address": _text,
    "operating_system": _text,
    "read": _or_null(_time),
    "products": lambda value: "" if is_object(value) else "an object",
}
"""The fields of a computer."""

_TOP: dict[str, Check] = {
    "format": lambda value: "" if value == FORMAT else f"'{FORMAT}'",
    "version": lambda value: "" if value == VERSION and not isinstance(value, bool) else str(VERSION),
    "kind": lambda value: "" if value in (FULL, EXPORT) else f"{FULL} or {EXPORT}",
    "list_id": _GUID,
    "checksum": _matching(r"sha256:[0-9a-f]{64}", "sha256: and 64 hexadecimal digits"),
}
_OF_KIND: dict[str, dict[str, Check]] = {
    FULL: {"saved": _time, "computers": lambda value: "" if is_object(value) else "an object"},
    EXPORT: {"products": lambda value: "" if isinstance(value, list) else "a list"},
}


def check_document(found: Mapping[str, Any]) -> str:
    """The first thing that is wrong with a document, as the beginning of a sentence; empty where all is right."""
    if wanted := _TOP["kind"](found.get("kind")):
        return wrong("kind", found.get("kind"), wanted)
    kind = found["kind"]
    if said := check_fields(found, {**_TOP, **_OF_KIND[kind]}, ""):
        return said
    if kind == EXPORT:
        checks = (check_fields(product, EXPORTED, f"products[{place}]") for place, product in enumerate(found["products"]))
    else:
        checks = (check_computer(name, computer) for name, computer in found["computers"].items())
    return next(filter(None, checks), "")


def check_fields(found: Any, fields: Mapping[str, Check], where: str) -> str:
    """The first thing that is wrong with an object, which has to have exactly these fields."""
    if not is_object(found):
        return wrong(where, found, "an object")
    prefix = f"{where}." if where else ""
    for name in fields:
        if name not in found:
            return f"the field {prefix}{name} is missing"
    for name, value in found.items():
        if name not in fields:
            return f"there is no field {prefix}{visible(name, LONGEST_NAME)}"
        if wanted := fields[name](value):
            return wrong(f"{prefix}{name}", value, wanted)
    return ""


def check_computer(name: str, computer: Any) -> str:
    """The same for one computer of a full list."""
    where = f"computers.{visible(name, LONGEST_NAME)}"
    if not name or _text(name):
        return wrong("the name of a computer", name, "a text that is not empty")
    if said := check_fields(computer, COMPUTER, where):
        return said
    for activation_id, product in computer["products"].items():
        if wanted := _GUID(activation_id):
            return wrong(f"the name of a product of {visible(name, LONGEST_NAME)}", activation_id, wanted)
        here = f"{where}.products.{activation_id}"
        if said := check_fields(product, LISTED, here) or check_fields(product["activation"], ACTIVATION, f"{here}.activation"):
            return said
    return ""


def wrong(where: str, value: Any, wanted: str) -> str:
    """That a value is none of those that it may be."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return f"{where} is {visible(text, _LONGEST_VALUE)}, and has to be {wanted}"
