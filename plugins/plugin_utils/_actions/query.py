# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JMESPath questions to a result."""

from __future__ import annotations

import typing as t

from .._core.errors import ActivationError

try:
    import jmespath

    JMESPATH_ERROR: ImportError | None = None
except ImportError as error:
    JMESPATH_ERROR = error


def search(expression: str, document: t.Any) -> t.Any:
    """The answer of a JMESPath expression.

    Raises:
        ActivationError: The package jmespath is missing, or the expression is wrong.
    """
    if JMESPATH_ERROR:
        raise ActivationError(
            "The option query needs the Python package jmespath on the control node.", source="options"
        ) from JMESPATH_ERROR
    try:
        return jmespath.search(expression, document)
    except jmespath.exceptions.JMESPathError as error:
        raise ActivationError(f"The option query is no JMESPath expression: {error}", source="options") from None
