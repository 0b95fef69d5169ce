# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists as people give them: in an inventory, as extra variables, or typed into a survey. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .errors import ActivationError, Refusals
from .text import some

# An entry in quotes, as JSON, Python and YAML have them, or a bare one up to the next comma or line.
_ENTRY = re.compile(r"""[ \t]*(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\n]|'')*)'|([^,\n"' \t][^,\n]*)?)[ \t]*(?:[,\n]|\Z)""")
_DASH = re.compile(r"-[ \t]+(?=\S)|-\Z")
# An IPv6 address, and with it a port or the place that it stands for.
_ADDRESS = re.compile(r"\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[^\[\]]*)?\](?::[0-9]+)?")
_SHAPES = "a name, a list of names, or names with commas between them"


def names_of(value: Any, variable: str) -> list[str]:
    """The names in a list, or in a text that holds one.

    A text has names with commas between them or one a line, or it is a list as YAML, JSON or Python write one: C([a, b]), C(["a", "b"]),
    C(['a', 'b']), or lines that begin with C(- ). A name with a comma in it is in quotes.

    Args:
        value: What is given; nothing, an empty list and empty text are no names.
        variable: Where it is given, for messages.

    Raises:
        ActivationError: It is something else.
    """
    if value is None:
        return []
    if isinstance(value, str):
        return list(_names_in(value.replace("\r\n", "\n").strip(), variable))
    if not isinstance(value, (list, tuple)) or not all(isinstance(name, (str, int)) and not isinstance(name, bool) for name in value):
        raise ActivationError(f"{variable} has to be {_SHAPES}.", source="options")
    return [name for entry in value if (name := str(entry).strip())]


def names_of_each(given: Mapping[str, Any], hosts: Iterable[str], variable: str) -> dict[str, list[str]]:
    """The same of a variable that each host may have its own of, by host; a host without it has no names.

    Args:
        given: The values by host.
        hosts: The hosts.
        variable: The variable.

    Raises:
        Refusals: Values are something else: one sentence for the hosts with the same one.
    """
    alike: dict[str, list[str]] = {}
    for host in hosts:
        alike.setdefault(repr(given.get(host)), []).append(host)
    found: dict[str, list[str]] = {}
    wrong: list[str] = []
    for names in alike.values():
        try:
            read = names_of(given.get(names[0]), f"{variable} of {some(names)}")
        except ActivationError as refusal:
            wrong.append(refusal.message)
            continue
        found |= {host: list(read) for host in names}
    if wrong:
        raise Refusals(wrong)
    return found


def _names_in(text: str, variable: str) -> Iterator[str]:
    in_brackets = text.startswith("[") and text.endswith("]") and not _ADDRESS.match(text)
    if in_brackets:
        text = text[1:-1].strip()
    lines = [line.strip() for line in text.split("\n")]
    if not in_brackets and all(_DASH.match(line) for line in lines if line):
        text = "\n".join(_DASH.sub("", line, count=1) for line in lines)
    place = 0
    while place < len(text):
        found = _ENTRY.match(text, place)
        if found is None:
            raise _unreadable(variable)
        double, single, bare = found.groups()
        name = _unescaped(double, variable) if double is not None else single.replace("''", "'") if single is not None else bare or ""
        if bare and not _is_plain(bare.strip()):
            raise _unreadable(variable)
        if name.strip():
            yield name.strip()
        place = found.end()


def _is_plain(bare: str) -> bool:
    """Whether an entry without quotes can be a name: no part of a list or of a dictionary."""
    return (
        not set(bare) & set("{}") and (bare[0] not in "[]" or _ADDRESS.fullmatch(bare) is not None) and bare.count("[") == bare.count("]")
    )


def _unescaped(text: str, variable: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        raise _unreadable(variable) from None


def _unreadable(variable: str) -> ActivationError:
    return ActivationError(f"{variable} can't be read as a list. Give {_SHAPES}.", source="options")
