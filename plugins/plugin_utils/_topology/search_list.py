# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS suffix search lists as DHCP servers and policies take them. Pure.

Windows itself does not ask for DHCP option 119; it takes the list from a policy or from the network adapter's settings.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from .._core.errors import Refusals
from .reading import Section

OPTION = 119
# A DHCP option's length is one byte (RFC 2132 2); what is longer goes into several options with the same code, whose values the
# client puts together again before it follows pointers (RFC 3396, RFC 3397 2).
_MOST_IN_ONE_OPTION = 255
# A compression pointer has 14 bits for the place in the value, behind two that mark it (RFC 1035 4.1.4).
_POINTER, _FARTHEST = 0xC000, 0x3FFF

POLICY_KEY = r"SOFTWARE\Policies\Microsoft\Windows NT\DNSClient"
POLICY_VALUE = "SearchList"


def read_suffixes(raw: Any) -> list[str]:
    """The suffixes, each once, in the order given.

    Raises:
        Refusals: There is none, or one is no DNS name; one sentence a line.
    """
    problems: list[str] = []
    found = list(dict.fromkeys(Section(problems, "", {"suffixes": raw}, ("suffixes",)).domains("suffixes")))
    if not found and not problems:
        problems.append("suffixes: give at least one DNS domain.")
    if problems:
        raise Refusals(problems)
    return found


def encoded(suffixes: Sequence[str]) -> bytes:
    """The value of option 119: names as DNS messages have them, an end that occurred before being a pointer to it."""
    value, places = bytearray(), dict[str, int]()
    for suffix in suffixes:
        rest = suffix
        while rest and rest not in places:
            if len(value) <= _FARTHEST:
                places[rest] = len(value)
            label, _dot, rest = rest.partition(".")
            value += bytes([len(label)]) + label.encode("ascii")
        value += (_POINTER | places[rest]).to_bytes(2, "big") if rest else b"\0"
    return bytes(value)


def option_119(suffixes: Sequence[str]) -> dict[str, Any]:
    """Option 119 as bytes and in the words of DHCP servers."""
    value = encoded(suffixes)
    quoted = ", ".join(f'"{suffix}"' for suffix in suffixes)
    return {
        "hex": value.hex(),
        "options": [part.hex() for part in _parts(value)],
        "dhcpd": f"option domain-search {quoted};",
        "kea": json.dumps({"name": "domain-search", "data": ", ".join(suffixes)}),
        "windows": _windows(value),
    }


def suffix_policy(suffixes: Sequence[str], gpo: str) -> dict[str, str]:
    """The policy "DNS suffix search list" as its registry value, as a .reg file and as a command that puts it into a group policy object."""
    data = ",".join(suffixes)
    lines = ["Windows Registry Editor Version 5.00", "", rf"[HKEY_LOCAL_MACHINE\{POLICY_KEY}]", f'"{POLICY_VALUE}"="{data}"', ""]
    return {
        "key": rf"HKLM\{POLICY_KEY}",
        "value": POLICY_VALUE,
        "type": "REG_SZ",
        "data": data,
        "reg": "\r\n".join(lines),
        "powershell": (
            rf"Set-GPRegistryValue -Name {_quoted(gpo)} -Key 'HKLM\{POLICY_KEY}' -ValueName {POLICY_VALUE} -Type String -Value {_quoted(data)}"
        ),
    }


def _parts(value: bytes) -> Iterator[bytes]:
    return (value[start : start + _MOST_IN_ONE_OPTION] for start in range(0, len(value), _MOST_IN_ONE_OPTION))


def _windows(value: bytes) -> str:
    """Commands for a Windows DHCP server, which holds one value for each option; empty where the value needs more than one."""
    if len(value) > _MOST_IN_ONE_OPTION:
        return ""
    listed = ",".join(f"0x{byte:02X}" for byte in value)
    return (
        f"Add-DhcpServerv4OptionDefinition -Name 'DNS Search List' -OptionId {OPTION} -Type Byte -MultiValued\n"
        f"Set-DhcpServerv4OptionValue -OptionId {OPTION} -Value {listed}"
    )


def _quoted(text: str) -> str:
    """A text as PowerShell takes it literally. It takes typographic quotes for the plain one."""
    return "'" + "".join(character * 2 if character in "'\u2018\u2019\u201a\u201b" else character for character in text) + "'"
