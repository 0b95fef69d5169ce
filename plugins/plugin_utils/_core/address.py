# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts as people write them, with or without a port. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from .errors import ActivationError

PORTS = range(1, 65536)
# What Windows accepts of names: letters, digits, hyphens inside, and underscores, which old computer names have.
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LONGEST_NAME = 253
_MOST_DIGITS = 9


def split_address(text: str, default_port: int) -> tuple[str, int]:
    """A host with or without a port, as slmgr.vbs /skms takes it: C(kms-1.contoso.com:1688), C([2001:db8::1]:1688).

    A bare IPv6 address may stand without brackets when it has no port.

    Raises:
        ActivationError: There is no host, or the port is no number from 1 to 65535.
    """
    text = text.strip()
    host, port = text, ""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ActivationError(f"'{text}' is no address: write an IPv6 address with a port as [address]:port.", source="options")
        port = rest[1:] if rest else ""
        if rest == ":":
            port = "missing"
    elif text.count(":") == 1:
        host, _colon, port = text.partition(":")
        port = port or "missing"
    if not host or any(character.isspace() for character in host):
        raise ActivationError(f"'{text}' names no host: write host or host:port.", source="options")
    if not port:
        return host, default_port
    if not is_port(port):
        raise ActivationError(f"'{text}' has no valid port: write a number from 1 to 65535 after the colon.", source="options")
    return host, int(port)


def is_port(text: str) -> bool:
    """Whether a text is the number of a port. Of one with thousands of digits Python reads no number at all."""
    return len(text) <= _MOST_DIGITS and text.isascii() and text.isdigit() and int(text) in PORTS


def checked_domain(text: str, option: str) -> str:
    """A DNS domain name in lower case, without a dot at its end.

    Raises:
        ActivationError: It is none.
    """
    name = text.strip().removesuffix(".").lower()
    if len(name) > _LONGEST_NAME or _NAME.fullmatch(name) is None:
        raise ActivationError(f"O({option}) is '{text}', which is no DNS domain name such as contoso.com.", source="options")
    return name


def checked_host(text: str, option: str) -> str:
    """A host's name or address in the form in which Windows keeps it: IPv6 in brackets, as slmgr.vbs /skms takes it.

    Raises:
        ActivationError: It is neither, or there is a port with it.
    """
    name = text.strip().lower()
    if plain := _address(name.removeprefix("[").removesuffix("]")):
        return f"[{plain.compressed}]" if plain.version == 6 else plain.compressed
    name = name.removesuffix(".")
    # What looks like an IPv4 address and is none is a slip, not a name: no top-level domain is a number.
    if len(name) > _LONGEST_NAME or _NAME.fullmatch(name) is None or name.rpartition(".")[2].isdigit():
        raise ActivationError(
            f"O({option}) is '{text}', which is neither a host name nor an IP address; a port has an option of its own.", source="options"
        )
    return name


def same_host(one: str, other: str) -> bool:
    """Whether two texts are the same name or address, however they are written."""
    return _comparable(one) == _comparable(other)


def is_address(text: str) -> bool:
    """Whether a text is an IP address, IPv6 also in brackets."""
    return _address(text.strip().removeprefix("[").removesuffix("]")) is not None


def _comparable(text: str) -> str:
    name = text.strip().lower().removesuffix(".")
    address = _address(name.removeprefix("[").removesuffix("]"))
    return address.compressed if address else name


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def names_in(option: str | Sequence[str] | None) -> list[str]:
    """The servers that an option names, in their order, each once and without a final dot; a text can name several with commas between."""
    given = option.split(",") if isinstance(option, str) else option or ()
    return list(dict.fromkeys(name for text in given if (name := text.strip().rstrip("."))))
