# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts as people write them, with or without a port. Pure. Private to the collection: it may change in any release."""

from __future__ import annotations

from ._errors import ActivationError

PORTS = range(1, 65536)


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
    if not (port.isascii() and port.isdigit() and int(port) in PORTS):
        raise ActivationError(f"'{text}' has no valid port: write a number from 1 to 65535 after the colon.", source="options")
    return host, int(port)
