# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security identifiers (MS-DTYP 2.4.2)."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from .._core.errors import ActivationError

_TEXT = re.compile(r"S-1-(0x[0-9A-Fa-f]{1,12}|[0-9]{1,15})((?:-[0-9]{1,10}){0,15})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sid:
    """A security identifier of revision 1, the only one there is.

    Attributes:
        authority: The identifier authority, 48 bits.
        subauthorities: Up to 15 numbers of 32 bits; the last one of an account is its RID.
    """

    authority: int
    subauthorities: tuple[int, ...]

    @classmethod
    def from_bytes(cls, data: bytes) -> Sid:
        """The SID at the start of C(data); what follows it is ignored.

        Raises:
            ActivationError: The bytes are no SID.
        """
        if len(data) < 8 or data[0] != 1 or data[1] > 15 or len(data) < 8 + 4 * data[1]:
            raise ActivationError("A security identifier from the directory is malformed.", source="ldap")
        return cls(int.from_bytes(data[2:8], "big"), struct.unpack_from(f"<{data[1]}I", data, 8))

    @classmethod
    def from_text(cls, text: str) -> Sid:
        """The SID written as C(S-1-5-21-…).

        Raises:
            ActivationError: The text is no SID.
        """
        match = _TEXT.fullmatch(text)
        parts = [int(part) for part in match[2].split("-")[1:]] if match else []
        authority = int(match[1], 0) if match else -1
        if match is None or authority >= 1 << 48 or any(part >= 1 << 32 for part in parts):
            raise ActivationError(f"{text} is not a security identifier of the form S-1-5-21-1-2-3-1104.", source="options")
        return cls(authority, tuple(parts))

    def to_bytes(self) -> bytes:
        """The packet representation."""
        count = len(self.subauthorities)
        return bytes((1, count)) + self.authority.to_bytes(6, "big") + struct.pack(f"<{count}I", *self.subauthorities)

    @property
    def domain(self) -> Sid | None:
        """The SID of the account's domain; C(None) for what belongs to no domain, such as C(S-1-5-11)."""
        if self.authority == 5 and len(self.subauthorities) == 5 and self.subauthorities[0] == 21:
            return Sid(5, self.subauthorities[:-1])
        return None

    def __str__(self) -> str:
        authority = str(self.authority) if self.authority < 1 << 32 else f"0x{self.authority:012x}"
        return "-".join(("S-1", authority, *map(str, self.subauthorities)))


def looks_like_sid(text: str) -> bool:
    """Whether a user wrote a SID where a name could stand as well."""
    return _TEXT.fullmatch(text) is not None
