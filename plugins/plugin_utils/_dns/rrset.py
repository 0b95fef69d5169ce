# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an SRV RRset is to hold, and by which changes of single values it gets there. Pure."""

from __future__ import annotations

import ipaddress
import typing as t
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .._core.address import PORTS
from .._core.errors import ActivationError
from .._srv.order import NO_SERVICE
from .._srv.value import NUMBERS, SrvValue, is_plain_name, plain_name

DEFAULT_TTL = 3600
_TTLS = range(2**31)
"""RFC 2181 8."""

Held = Mapping[SrvValue, int]
"""Each value of an RRset with its time to live in seconds."""


@dataclass(frozen=True, slots=True)
class RrsetWish:
    """What the task asks for.

    Attributes:
        values: Values, each once.
        state: C(present), C(absent) or C(exact).
        ttl: Their time to live in seconds; C(None) leaves that of the values that are there, and gives a new one that of the others.
        by_target: Whether every value of the same target is meant, whatever its port, priority and weight.
    """

    values: tuple[SrvValue, ...]
    state: str = "present"
    ttl: int | None = None
    by_target: bool = False


@dataclass(frozen=True, slots=True)
class RrsetChange:
    """What becomes of one value.

    Attributes:
        value: The value.
        before: Its time to live now; C(None) where it is not there.
        after: Its time to live afterwards; C(None) where it goes.
    """

    value: SrvValue
    before: int | None
    after: int | None


def changes(wish: RrsetWish, held: Held) -> list[RrsetChange]:
    """What has to be done, new values first, so that a client finds a host at any time."""
    wanted = set(wish.values)
    targets = {value.target for value in wanted}
    alike = {value for value in held if wish.by_target and value.target in targets}
    if wish.state == "absent":
        return [RrsetChange(value, held[value], None) for value in sorted(held) if value in wanted | alike]
    new_ttl = wish.ttl if wish.ttl is not None else min(held.values(), default=DEFAULT_TTL)
    added = [RrsetChange(value, None, new_ttl) for value in wish.values if value not in held]
    timed = [
        RrsetChange(value, held[value], wish.ttl) for value in wish.values if wish.ttl is not None and held.get(value, wish.ttl) != wish.ttl
    ]
    gone = set(held) if wish.state == "exact" else alike
    return added + timed + [RrsetChange(value, held[value], None) for value in sorted(gone - wanted)]


def changed(held: Held, made: Iterable[RrsetChange]) -> dict[SrvValue, int]:
    """What an RRset holds after changes."""
    after = dict(held)
    for change in made:
        if change.after is None:
            after.pop(change.value, None)
        else:
            after[change.value] = change.after
    return after


def outstanding(made: Iterable[RrsetChange], held: Held) -> list[RrsetChange]:
    """Those of the changes that do not show in what is held.

    A new value may show with another time to live than it was added with: some servers keep one for the whole RRset, and others
    change it too.
    """
    return [change for change in made if held.get(change.value) != change.after and not (change.before is None and change.value in held)]


def checked_wish(values: Sequence[Mapping[str, t.Any]], state: str, ttl: int | None, by_target: bool) -> RrsetWish:
    """A wish from the options of a task.

    Raises:
        ActivationError: Something in it can't be; the text says what.
    """
    if not values and state != "exact":
        raise ActivationError(f"values is empty, and state {state} needs at least one.", source="options")
    if ttl is not None and ttl not in _TTLS:
        raise ActivationError(f"O(ttl) is {ttl}; it has to be a number of seconds from 0 to {_TTLS[-1]}.", source="options")
    checked = [_checked_value(value) for value in values]
    for value, count in Counter(checked).items():
        if count > 1:
            raise ActivationError(f"values holds '{value}' more than once.", source="options")
    if ttl is not None and state == "absent":
        raise ActivationError("ttl has no meaning with state absent.", source="options")
    return RrsetWish(tuple(checked), state, ttl, by_target)


def doubtful_targets(wish: RrsetWish) -> list[str]:
    """Targets that some servers refuse: a host's name has no underscore (RFC 1123 2.1), which BIND checks by default."""
    return sorted({value.target for value in wish.values if "_" in value.target and wish.state != "absent"})


def owner_name(zone: str, record: str) -> str:
    """The whole name of a record in a zone.

    Args:
        zone: The zone.
        record: A name relative to it, the whole name, or C(@) for the zone's own.

    Raises:
        ActivationError: It can't lie in the zone.
    """
    zone, name = plain_name(zone), record.strip().lower()
    if not is_plain_name(zone):
        raise ActivationError(f"'{zone}' is no name of a DNS zone.", source="options")
    if name == "@" or name.rstrip(".") == zone:
        return zone
    whole = name.rstrip(".") if name.endswith((".", f".{zone}")) else f"{name}.{zone}"
    if not whole.endswith(f".{zone}"):
        raise ActivationError(f"The record {record} does not lie in the zone {zone}. Name the zone that it lies in.", source="options")
    if not is_plain_name(whole):
        raise ActivationError(f"'{record}' is no DNS name.", source="options")
    return whole


def _checked_value(given: Mapping[str, t.Any]) -> SrvValue:
    target, port = plain_name(given["target"]), given["port"]
    for name in ("priority", "weight"):
        if given[name] not in NUMBERS:
            raise ActivationError(f"The {name} of {target} is {given[name]}; it has to be a number from 0 to 65535.", source="options")
    if port not in PORTS and not (target == NO_SERVICE and port == 0):
        raise ActivationError(f"The port of {target} is {port}; it has to be a number from 1 to 65535.", source="options")
    if target != NO_SERVICE:
        _check_target(target)
    return SrvValue(given["priority"], given["weight"], port, target)


def _check_target(target: str) -> None:
    try:
        ipaddress.ip_address(target.strip("[]"))
    except ValueError:
        if not is_plain_name(target) or "." not in target:
            raise ActivationError(
                f"The target '{target}' is no full name of a host, such as kms-1.contoso.com; nothing completes it.", source="options"
            ) from None
        return
    raise ActivationError(f"The target {target} is an address; an SRV record names a host.", source="options")
