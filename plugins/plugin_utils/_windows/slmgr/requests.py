# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user asked for, checked before a host is asked anything: each verb with its options in the form that Windows takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..._core.address import is_port, split_address
from ..._core.errors import ActivationError
from ..._licensing.kms import checked_settings
from ..._licensing.offline_ids import checked_guid, confirmation_digits
from ..._licensing.product_keys import normalise
from ..._licensing.slmgr_verbs import VERBS, Repeat, Verb
from .shown import ALL
from .work import VerbRequest

License = tuple[str, str]
"""A license file: its name and its text."""


def parse(entries: Iterable[Mapping[str, Any]], read_license: Callable[[str], License]) -> list[VerbRequest]:
    """The verbs of a task.

    Args:
        entries: Each with C(verb) and its options; those that were left out are C(None).
        read_license: Reads a license file on the control node.

    Raises:
        ActivationError: A verb works on the computer itself only, lacks an option, has one that is not its own, or one that
            Windows would refuse.
    """
    return [_request(entry, read_license) for entry in entries]


def _request(entry: Mapping[str, Any], read_license: Callable[[str], License]) -> VerbRequest:
    verb = VERBS[entry["verb"]]
    if verb.repeat is Repeat.REFUSED:
        raise ActivationError(f"{verb.name} does not work over the network. {verb.note}", source="options")
    given = {name: value for name, value in entry.items() if name != "verb" and value is not None}
    if missing := [name for name in verb.required if name not in given]:
        raise ActivationError(f"{verb.name} needs {' and '.join(missing)}.", source="options")
    if foreign := sorted(given.keys() - {*verb.required, *verb.optional}):
        raise ActivationError(f"{verb.name} takes no {' and no '.join(foreign)}.", source="options")
    return VerbRequest(verb, {name: _checked(verb, name, value, read_license) for name, value in given.items()})


def _checked(verb: Verb, name: str, value: Any, read_license: Callable[[str], License]) -> Any:
    match name:
        case "product_key":
            return normalise(value)
        case "confirmation_id":
            return confirmation_digits(value)
        case "activation_id" if value.strip().lower() == ALL and verb.name in ("dli", "dlv"):
            return ALL
        case "activation_id" | "application_id":
            return checked_guid(value, name)
        case "kms_host":
            return _kms_host(value)
        case "lookup_domain":
            return value.strip().strip(".")
        case "port":
            checked_settings({"listening_port": value})
        case "minutes":
            checked_settings({"activation_interval" if verb.name == "sai" else "renewal_interval": value})
        case "license_file":
            return read_license(value)
    return value


def _kms_host(text: str) -> tuple[str, int]:
    """Name and port; no name where the port alone is set, port 0 where none is given, which clears it.

    Raises:
        ActivationError: It is neither an address nor a port.
    """
    alone = text.strip().removeprefix(":")
    if text.strip().startswith(":") and is_port(alone):
        return "", int(alone)
    return split_address(text, 0)


def license_text(name: str, content: bytes) -> License:
    """A license file as Windows takes it. slmgr.vbs reads the same encodings: ASCII, and UTF-8 or UTF-16 with a byte order mark.

    Raises:
        ActivationError: It is no XML in one of them.
    """
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = ""
    if not text.lstrip().startswith("<"):
        raise ActivationError(f"{name} is no license file: XML in ASCII, UTF-8 or UTF-16 is expected.", source="options")
    return name, text
