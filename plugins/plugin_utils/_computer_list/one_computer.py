# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One computer out of a full list of thousands, for the task that every one of them runs: found by its place in the text.

To take the whole list apart and check it takes half a second with 10,000 computers, and the playbook has done it before. Pure.
"""

from __future__ import annotations

import json

from .fields import check_computer
from .model import FORMAT, FULL, VERSION, ListedComputer
from .reading import computer_of

# How what C(writing.render) makes begins: one value a line, one space for each level. In JSON no text holds a line break, so that a
# line break with the spaces of a level is never part of a name or value.
_BEGINS = f'{{\n "format": {json.dumps(FORMAT)},\n "version": {VERSION},\n "kind": {json.dumps(FULL)},\n'.encode()
_COMPUTERS = b'\n "computers": {\n'


def computer_in(data: bytes, name: str) -> ListedComputer | None:
    """A computer of a list; C(None) where the text is another one than this collection writes, or has no such computer.

    Args:
        data: The content of a full list.
        name: The inventory name of the computer.
    """
    start = data.find(_COMPUTERS) if data.startswith(_BEGINS) else -1
    if start < 0:
        return None
    key = f"\n  {json.dumps(name, ensure_ascii=False)}: ".encode()
    found = data.find(key, start)
    end = data.find(b"\n  }", found)
    if found < 0 or end < 0:
        return None
    try:
        computer = json.loads(data[found + len(key) : end + len(b"\n  }")])
    except (ValueError, RecursionError):
        return None
    return None if check_computer(name, computer) else computer_of(computer)
