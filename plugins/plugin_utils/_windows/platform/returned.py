# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a method of Windows has returned."""

from __future__ import annotations

from collections.abc import Mapping

from ..._core.codes.asked import Asked
from ..._core.codes.code import hresult
from ..._core.codes.meaning import name_of, sentence
from ..._core.errors import ActivationError
from ..._wsman.cim import Value
from ..._wsman.session import Session


def check_return_value(session: Session, call: str, answer: Mapping[str, Value], asked: Asked = Asked.ACTIVATION) -> None:
    """A failure normally comes as a fault; one that comes as ReturnValue is an HRESULT all the same."""
    code = number(answer["ReturnValue"])
    if code:
        raise ActivationError(
            f"{call} failed with {sentence(code, asked)}",
            subject=session.host,
            code=hresult(code),
            name=name_of(code),
            source="windows",
        )


def number(value: Value) -> int:
    """An unsigned column; NULL counts as 0."""
    return value if isinstance(value, int) else 0
