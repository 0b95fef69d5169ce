# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Microsoft's BatchActivation service answers instead of a confirmation ID, in our own words (docs/facts/mak.md#answer-codes).

The service is not documented; its codes are those that public clients know. A symbolic name stands only where a header of the
Windows or .NET SDK has it for exactly this number. Pure.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from .._core.codes.code import Code, CodeKind
from .._core.codes.meaning import describe as describe_windows_code


class ErrorKind(enum.StrEnum):
    """What an error is about, and so whether the same request can do better later: only a service changes by itself."""

    KEY = "key"
    IID = "iid"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class BatchError:
    """One row of the table.

    Attributes:
        code: The code, unsigned.
        name: Its symbolic name; empty where none is known for sure.
        meaning: What it means, as a clause without a full stop.
        remedy: What to do, as an imperative clause without a full stop.
        kind: What it is about.
    """

    code: int
    name: str
    meaning: str
    remedy: str
    kind: ErrorKind


_ASK = "ask Microsoft's licensing center about the key"
_RAISE = "ask Microsoft's licensing center to raise the key's limit, or use another MAK"
_LATER = "try again later"

# A row stays on few lines, so that the table can be read as one.
# fmt: off
ROWS: tuple[BatchError, ...] = (
    BatchError(0x67, "", "the product key is blocked", _ASK, ErrorKind.KEY),
    BatchError(0x68, "", "the service does not know the product key",
               "compare the extended PID with the one that the computer shows now", ErrorKind.KEY),
    BatchError(0x71, "", "the product key has no activations left", _RAISE, ErrorKind.KEY),
    BatchError(0x7F, "", "the MAK has no activations left", _RAISE, ErrorKind.KEY),
    BatchError(0x86, "", "the service does not serve product keys of this type", "install a MAK on the computer", ErrorKind.KEY),
    BatchError(0x90, "", "the installation ID is wrong, or belongs to another extended PID",
               "read installation ID and extended PID from the computer again, both at the same time", ErrorKind.IID),
    BatchError(0xD5, "", "the product key has reached the limit of its override (ROT)", _RAISE, ErrorKind.KEY),
    BatchError(0xD6, "", "the MAK has reached the limit of its override (DMAK)", _RAISE, ErrorKind.KEY),
    BatchError(0xC004C017, "SL_E_CHPA_PRODUCT_KEY_BLOCKED_IPLOCATION", "the product key is blocked for this place", _ASK, ErrorKind.KEY),
    BatchError(0x80131600, "COR_E_APPLICATION", "the service failed, as it also does on an extended PID that it cannot read",
               "compare the extended PID with the one that the computer shows, and try again later", ErrorKind.SERVICE),
    BatchError(0x80004003, "E_POINTER", "the service is out of order", _LATER, ErrorKind.SERVICE),
)
# fmt: on
_BY_CODE = {row.code: row for row in ROWS}


def describe(code: int) -> BatchError | None:
    """The table's row for a code; C(None) for one that the table lacks."""
    return _BY_CODE.get(code)


def of_service(number: int) -> Code:
    """A code of the service, which it writes as C(0x7F), C(0xC004C017)."""
    return Code(CodeKind.SERVICE, number)


def name_of(code: int) -> str:
    """The symbolic name of a code, from this table or from that of Windows; empty where none is known."""
    known = describe(code) or describe_windows_code(code)
    return known.name if known else ""


def sentence(code: int) -> str:
    """A code with its name, its meaning and what to do, as a clause that ends with a full stop.

    A code that is not in the table may be one that Windows shows for the same reason.
    """
    known = describe(code) or describe_windows_code(code)
    if known is None:
        return f"{of_service(code)}: a code that this collection does not know; ask Microsoft's licensing center."
    name = f" ({known.name})" if known.name else ""
    return f"{of_service(code)}{name}: {known.meaning}; {known.remedy}."
