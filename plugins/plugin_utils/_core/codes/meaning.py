# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a code means and what to do about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .asked import ROWS as OTHER_ROWS
from .asked import Asked
from .code import hexadecimal
from .table import ROWS


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """One row of the error table.

    Attributes:
        code: The unsigned 32 bit code.
        name: The symbolic name of the Windows SDK; empty where none is known for sure.
        meaning: What it means, as a clause without a full stop.
        remedy: What to do, as an imperative clause without a full stop.
        source: The document or header that has it.
    """

    code: int
    name: str
    meaning: str
    remedy: str
    source: str


_BY_CODE = {row[0]: ErrorInfo(*row) for row in ROWS}
_ELSEWHERE = {
    (code, place): replace(_BY_CODE[code], meaning=meaning, remedy=remedy)
    for code, places, meaning, remedy in OTHER_ROWS
    for place in places
}


def describe(code: int, asked: Asked = Asked.ACTIVATION) -> ErrorInfo | None:
    """The table's row for a code, signed or unsigned; C(None) for a code that the table lacks.

    Args:
        code: The code.
        asked: What it is the answer to.
    """
    code &= 0xFFFFFFFF
    return _ELSEWHERE.get((code, asked)) or _BY_CODE.get(code)


def name_of(code: int) -> str:
    """The symbolic name of a code, signed or unsigned; empty where none is known for sure."""
    known = describe(code)
    return known.name if known else ""


def sentence(code: int, asked: Asked = Asked.ACTIVATION) -> str:
    """A code with its name, its meaning and what to do, as a clause that ends with a full stop.

    An unknown code names the program with which Windows itself shows its text, as slmgr.vbs does.

    Args:
        code: The code, signed or unsigned.
        asked: What it is the answer to.
    """
    return "; ".join(clauses(code, asked)) + "."


def clauses(code: int, asked: Asked = Asked.ACTIVATION) -> tuple[str, str]:
    """The same as two clauses: the code with its name and meaning, and what to do."""
    known, shown = describe(code, asked), hexadecimal(code)
    if known is None:
        return f"{shown}: a code that this collection does not know", f"slui.exe 0x2a {shown} on a Windows computer shows its text"
    name = f" ({known.name})" if known.name else ""
    return f"{shown}{name}: {known.meaning}", known.remedy
