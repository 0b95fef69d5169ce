# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses as people write them: single ones, ranges and networks, up to a number.

Pure.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from .._core.errors import ActivationError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def addresses(networks: Sequence[str], exclude: Sequence[str], limit: int) -> list[str]:
    """Every address of some networks once, in rising order of where it was named first.

    Args:
        networks: Each is an address, a range such as C(192.0.2.10-192.0.2.20), or a network such as C(192.0.2.0/24).
        exclude: Addresses, ranges and networks that are left out.
        limit: How many addresses there may be at most, those that are left out not counted.

    Raises:
        ActivationError: Something is none of these, or there are more.
    """
    spans = [_span(text, "networks") for text in networks]
    without = [_span(text, "exclude") for text in exclude]
    found: dict[Address, None] = {}
    for first, last in spans:
        for address in _each(first, last, without):
            found[address] = None
            if len(found) > limit:
                raise ActivationError(
                    f"wsman_scan: networks has more than {limit} addresses ({', '.join(networks)}). Name smaller networks, leave parts out by exclude, or"
                    " raise limit.",
                    source="options",
                )
    return [str(address) for address in found]


def _each(first: Address, last: Address, without: Sequence[tuple[Address, Address]]) -> Iterator[Address]:
    """The addresses of a span that are not in others, which are stepped over whatever their size."""
    number, kind = int(first), type(first)
    skipped = sorted((int(start), int(end)) for start, end in without if start.version == first.version)
    while number <= int(last):
        past = max((end for start, end in skipped if start <= number <= end), default=None)
        if past is None:
            yield kind(number)
            number += 1
        else:
            number = past + 1


def _span(text: str, option: str) -> tuple[Address, Address]:
    """The first and the last address of what a user wrote."""
    written = text.strip()
    try:
        if "-" in written:
            start, _dash, end = written.partition("-")
            first, last = ipaddress.ip_address(start.strip()), ipaddress.ip_address(end.strip())
            if first.version != last.version or int(first) > int(last):
                raise ValueError
            return first, last
        network = ipaddress.ip_network(written)
    except ValueError:
        raise ActivationError(
            f"wsman_scan: {option}: '{text}' is no address (192.0.2.10), range (192.0.2.10-192.0.2.20) or network (192.0.2.0/24, with no bits set"
            " behind the prefix).",
            source="options",
        ) from None
    if network.num_addresses > 2 and network.version == 4:
        # The first is the network itself, and the last the broadcast address.
        return network[1], network[-2]
    return network[0], network[-1]
