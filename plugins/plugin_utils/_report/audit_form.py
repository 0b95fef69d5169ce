# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a file is the report of an audit in all that a report of the fleet shows of it: it may have been cut short or changed by hand. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .model import MOST_NUMBER

_Form = Callable[[Any], bool]


def _plain(value: Any) -> bool:
    """A text, a number or nothing."""
    return value is None or isinstance(value, (str, bool)) or _number(value)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= MOST_NUMBER


def _whole(value: Any) -> bool:
    return isinstance(value, int) and _number(value)


def _list_of(form: _Form) -> _Form:
    return lambda value: isinstance(value, list) and all(map(form, value))


def _by_name(form: _Form) -> _Form:
    return lambda value: isinstance(value, Mapping) and all(map(form, value.values()))


def _object(fields: Mapping[str, _Form], optional: Mapping[str, _Form] | None = None) -> _Form:
    """An object with these fields, whatever it has beside them."""
    may = optional or {}
    return lambda value: (
        isinstance(value, Mapping)
        and all(name in value and form(value[name]) for name, form in fields.items())
        and all(value.get(name) is None or form(value[name]) for name, form in may.items())
    )


_HOST = _object({"target": _text, "port": _whole, "weight": _whole, "share": _number})
_SITE = _object(
    {"record": _plain, "kms_hosts": _list_of(_text), "order": _list_of(_object({"priority": _whole, "hosts": _list_of(_HOST)}))}
)
_DEVIATION = _object({"object": _plain, "attribute": _plain, "severity": _plain, "text": _plain})
_LINK = _object({"from_site": _text, "to_host": _plain, "port": _whole, "state": _plain}, {"evidence": _plain, "date": _plain})
_ENDPOINT = _object({"host": _plain, "port": _whole, "state": _plain})

is_audit: _Form = _object(
    {"counts": _by_name(_whole), "deviations": _list_of(_DEVIATION)},
    {"verdict": _plain, "topology": _by_name(_SITE), "links": _list_of(_LINK), "endpoints": _list_of(_ENDPOINT)},
)
"""Whether a value has the form of the report of an audit."""
