# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rules of key rings give to the computers of a run, as steps return it.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core.text import visible_lines, visible_value
from ..registered import Result
from . import by_rule
from .assigned import Assigned


@dataclass(frozen=True, slots=True)
class Ruled:
    """What came of the rules.

    Attributes:
        assigned: The keys of all computers.
        unassigned: By computer for which there is something to say C(kind) and C(reason).
        lines: Which key is given to whom, for people.
    """

    assigned: Assigned
    unassigned: Mapping[str, Any]
    lines: Sequence[str]


def assigned_by_rule(assigned: Assigned, licenses: Mapping[str, Result]) -> Ruled:
    """The keys of all computers, with those that the rules give.

    Args:
        assigned: The keys as variables of the computers say.
        licenses: By computer that gets its keys by rules the result of C(license_info).
    """
    found, choices = assigned.by_rules(licenses)
    said = {host: {"kind": choice.kind, "reason": choice.reason} for host, choice in choices.items() if choice.reason}
    shown = by_rule.lines({host: choice.keys for host, choice in choices.items()}, found.last_fives())
    return Ruled(found, visible_value(said), visible_lines(shown))
