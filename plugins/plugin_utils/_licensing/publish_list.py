# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DnsDomainPublishList: the DNS domains in which a KMS host publishes itself, compared line by line.

A line is C(domain, priority, weight), where priority and weight may be left out and are 0 then (Microsoft, Volume Activation
Technical Reference, "Registry settings"). Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._core.errors import ActivationError
from .._core.text import LONGEST_NAME, visible
from .._srv.value import NUMBERS, is_plain_name, plain_name

VALUE_NAME = "DnsDomainPublishList"


@dataclass(frozen=True, slots=True)
class PublishLine:
    """One line: where the host appears, and with which numbers.

    Attributes:
        domain: The DNS domain, in lower case and without the final dot.
        priority: 0 to 65535; lower ones are tried first.
        weight: 0 to 65535; the share among hosts of the same priority.
    """

    domain: str
    priority: int = 0
    weight: int = 0

    def __str__(self) -> str:
        return f"{self.domain}, {self.numbers}"

    @property
    def numbers(self) -> str:
        """Priority and weight as the line has them."""
        return f"{self.priority}, {self.weight}"


@dataclass(frozen=True, slots=True)
class ListWish:
    """What the list has to hold.

    Attributes:
        lines: Its lines in their order, each domain once.
        exact: Whether lines of other domains go. Otherwise they stay, behind these.
        absent: Domains whose lines go in any case.
    """

    lines: tuple[PublishLine, ...]
    exact: bool = False
    absent: frozenset[str] = frozenset()

    def removes(self, line: PublishLine | None) -> bool:
        """Whether a line that is none of C(lines) goes; C(None) for what is no line."""
        return self.exact or (line is not None and line.domain in self.absent)


@dataclass(frozen=True, slots=True)
class LineChange:
    """What becomes of one line, or of the order of the lines.

    Attributes:
        attribute: What is changed, as a plan names it.
        before: Priority and weight now, or the text of a line that is none; C(None) where there is no such line. For the order
            the names of the lines.
        after: The same afterwards.
    """

    attribute: str
    before: str | list[str] | None
    after: str | list[str] | None


@dataclass(frozen=True, slots=True)
class ListPlan:
    """A list as it should be.

    Attributes:
        lines: Every line. One that says what it should keeps its spelling.
        foreign: Those among them that the wish does not name.
        changes: What is different now.
    """

    lines: tuple[str, ...]
    foreign: tuple[str, ...]
    changes: tuple[LineChange, ...]


def parse_line(text: str) -> PublishLine | None:
    """A line, whatever blanks, case and final dot it is written with; C(None) for what is none."""
    domain, *numbers = (part.strip() for part in text.split(","))
    name = plain_name(domain)
    if not is_plain_name(name) or len(numbers) > 2 or not all(_is_number(number) for number in numbers):
        return None
    return PublishLine(name, *map(int, numbers))


def is_unusable(text: str) -> bool:
    """Whether a line names no DNS domain with a priority and a weight, so that no host publishes itself by it."""
    return parse_line(text) is None


def checked_lines(given: Sequence[Mapping[str, Any]], option: str) -> tuple[PublishLine, ...]:
    """Lines from the entries of an option; what is left out is 0.

    Raises:
        ActivationError: A domain is no name or there twice, or a number is out of its range.
    """
    lines: list[PublishLine] = []
    for entry in given:
        line = PublishLine(plain_name(entry["domain"]), entry["priority"] or 0, entry["weight"] or 0)
        if not is_plain_name(line.domain):
            raise ActivationError(f"O({option}): '{entry['domain']}' is no name of a DNS domain.", source="options")
        for name, number in (("priority", line.priority), ("weight", line.weight)):
            if number not in NUMBERS:
                raise ActivationError(
                    f"O({option}): the {name} of {line.domain} is {number}, but has to be from 0 to 65535.", source="options"
                )
        if any(line.domain == other.domain for other in lines):
            raise ActivationError(f"O({option}) names {line.domain} more than once.", source="options")
        lines.append(line)
    return tuple(lines)


def plan_list(wish: ListWish, held: Sequence[str]) -> ListPlan:
    """What a list has to become.

    Args:
        wish: What it has to hold.
        held: Its lines now.
    """
    wanted = {line.domain for line in wish.lines}
    ours: dict[str, list[str]] = {}
    foreign: list[str] = []
    order_before: list[str] = []
    for text in filter(str.strip, held):
        parsed = parse_line(text)
        if parsed is None or parsed.domain not in wanted:
            foreign.append(text)
            if not wish.removes(parsed):
                order_before.append(_name(text))
            continue
        if parsed.domain not in ours:
            order_before.append(parsed.domain)
        ours.setdefault(parsed.domain, []).append(text)
    lines: list[str] = []
    changes: list[LineChange] = []
    for line in wish.lines:
        texts = ours.get(line.domain, [])
        right = next((text for text in texts if parse_line(text) == line), None)
        lines.append(right or str(line))
        if right is None or len(texts) > 1:
            changes.append(_change(line.domain, "; ".join(map(_numbers, texts)) or None, line.numbers))
    changes += [_change(_name(text), _numbers(text), None) for text in foreign if wish.removes(parse_line(text))]
    foreign = [text for text in foreign if not wish.removes(parse_line(text))]
    order_after = [line.domain for line in wish.lines if line.domain in ours] + [_name(text) for text in foreign]
    if order_before != order_after:
        changes.append(LineChange(f"order of {VALUE_NAME}", order_before, order_after))
    return ListPlan((*lines, *foreign), tuple(foreign), tuple(changes))


def _change(name: str, before: str | None, after: str | None) -> LineChange:
    return LineChange(f"{VALUE_NAME} {name}", before, after)


def _name(text: str) -> str:
    """What a line is called: its domain, or all of it where it is none."""
    parsed = parse_line(text)
    return visible(parsed.domain if parsed else text.strip(), LONGEST_NAME)


def _numbers(text: str) -> str:
    parsed = parse_line(text)
    return parsed.numbers if parsed else text.strip()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 9 and int(text) in NUMBERS
