# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The value DnsDomainPublishList of one host, for which there is no WMI method: read, planned and written in the registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..._core.plan import Step
from ..._licensing.publish_list import VALUE_NAME, LineChange, ListPlan, ListWish, plan_list
from ..._wsman.session import Session
from ..platform import registry
from ..platform.versions import WindowsVersion
from ..spp.licensing import platform_keys


@dataclass(frozen=True, slots=True)
class HeldList:
    """The value as the registry has it.

    Attributes:
        lines: Its lines; none where there is no such value.
        mistyped: Whether it is there with another type than REG_MULTI_SZ, which Windows does not read.
    """

    lines: tuple[str, ...] = ()
    mistyped: bool = False


def read_list(session: Session, version: WindowsVersion) -> HeldList:
    """The list, in one request."""
    try:
        return HeldList(tuple(registry.read_strings(session, platform_keys(version)[0], VALUE_NAME) or ()))
    except registry.OtherType:
        return HeldList(mistyped=True)


def planned(wish: ListWish, held: HeldList) -> ListPlan:
    """The list as it should be."""
    plan = plan_list(wish, held.lines)
    if not held.mistyped:
        return plan
    typed = LineChange(f"type of {VALUE_NAME}", "not REG_MULTI_SZ", "REG_MULTI_SZ" if plan.lines else None)
    return ListPlan(plan.lines, plan.foreign, (typed, *plan.changes))


def steps(host: str, plan: ListPlan) -> list[Step]:
    """One step for each line that changes. They are made by one write."""
    how = f"StdRegProv.{'SetMultiStringValue' if plan.lines else 'DeleteValue'}"
    return [Step(host, change.attribute, change.before, change.after, how) for change in plan.changes]


def writer(session: Session, version: WindowsVersion, plan: ListPlan) -> Callable[[], None]:
    """Writes the whole list; an empty one is removed."""
    key = platform_keys(version)[0]
    if plan.lines:
        return lambda: registry.write_strings(session, key, VALUE_NAME, plan.lines)
    return lambda: registry.delete_value(session, key, VALUE_NAME)
