# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variable that names the state directory, and its alias."""

from __future__ import annotations

import os
from collections.abc import Mapping

from .._core.errors import ActivationError

VARIABLE = "volume_activation_state_directory"
ALIAS = "volume_activation_state_dir"


def given(values: Mapping[str, object]) -> str:
    """The folder that the user names; empty for none.

    Args:
        values: Values by the name of the variable. A variable that is left out, C(None), and text that is empty or blank, as surveys
            send it, is not set.

    Raises:
        ActivationError: A value is no path, or the two name different folders.
    """
    folder, other = (_path(name, values.get(name)) for name in (VARIABLE, ALIAS))
    if folder and other and absolute(folder) != absolute(other):
        raise ActivationError(f"{VARIABLE} is {folder}, but its alias {ALIAS} is {other}; set only {VARIABLE}.", source="options")
    return folder or other


def absolute(path: str) -> str:
    """The same folder from the root, without C(~) and C(..)."""
    return os.path.abspath(os.path.expanduser(path))


def _path(name: str, value: object) -> str:
    text = value.strip() if isinstance(value, str) else "" if value is None else value
    if not isinstance(text, str) or not text.isprintable():
        raise ActivationError(f"{name} has to be the path of a folder, in one line of text.", source="options")
    return text
