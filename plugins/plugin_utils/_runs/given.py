# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users give for each host, wherever they give it, and in the forms that surveys send.

Pure.
"""

from __future__ import annotations

import json
from typing import Any

from .._errors import ActivationError


def names_of(value: Any, variable: str) -> list[str]:
    """Names that are given as a list, as one text with commas between them, or as JSON in a text.

    Args:
        value: What is given; nothing and empty text are no names.
        variable: Where it is given, for messages.

    Raises:
        ActivationError: It is something else.
    """
    if isinstance(value, str):
        value = _loaded(value, variable) if value.startswith("[") else [name.strip() for name in value.split(",")]
    if value is None:
        return []
    if not isinstance(value, (list, tuple)) or not all(isinstance(name, (str, int)) for name in value):
        raise ActivationError(f"{variable} has to be a name, a list of names, or names with commas between them.", source="options")
    return [str(name) for name in value if name != ""]


def _loaded(text: str, variable: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as failure:
        raise ActivationError(f"{variable} begins as a JSON list and is none: {failure}.", source="options") from failure
