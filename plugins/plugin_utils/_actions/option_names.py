# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which name the reader of a message can set an option of a module: its own, or that of a variable. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._core.errors import in_words

_WORD = re.compile(r"\b[a-z]+(?:_[a-z]+)*\b")


@dataclass(frozen=True, slots=True)
class OptionNames:
    """The names that a reader knows, of the options of one task.

    Attributes:
        variables: By option the variable that stands in where the task leaves it out.
        given: The options that the task itself gives.
        stood_in: Those that a variable gives in its place.
        role: The role that the task is part of; empty for a task of a user.
        of_role: The variables of that role.
        mapped: By option the variable of the role that it is given by, where that has another name.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    given: Collection[str] = ()
    stood_in: Collection[str] = ()
    role: str = ""
    of_role: Collection[str] = ()
    mapped: Mapping[str, str] = field(default_factory=dict)

    def of(self, option: str) -> str:
        """The name of an option: that of the variable which gives it, or which would in a role."""
        if self.role and option not in self.stood_in:
            own = f"{self.role}_{option}"
            name = self.mapped.get(option) or (own if own in self.of_role else "")
            if name:
                return name
        by_variable = option in self.stood_in or (self.role and option not in self.given)
        return self.variables.get(option, option) if by_variable else option

    def in_text(self, text: str, options: Iterable[str]) -> str:
        """What Ansible says of options, with these names; of one that is missing with the variable that can stand in.

        Args:
            text: The sentence.
            options: The options of the module.
        """
        known = frozenset(options)
        return _WORD.sub(lambda found: self._of_missing(found[0]) if found[0] in known else found[0], text)

    def _of_missing(self, option: str) -> str:
        name, variable = self.of(option), self.variables.get(option)
        return name if name != option or option in self.given or not variable else f"{option} (variable {variable})"

    def unset(self, spec: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]) -> str:
        """An option without a value that is required, and that a role leaves to a variable; empty where there is none. The reader of a role knows
        the variable and not the module.

        Args:
            spec: The options of the module.
            given: Their values.
        """
        return next((name for name in self.variables if self.role and spec[name].get("required") and given.get(name) is None), "")

    def in_words(self, text: str) -> str:
        """A text in which options are written as C(O(product_key))."""
        return in_words(text, self.of)
