# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that a machine and Microsoft have in common: extended PID, installation ID, confirmation ID.

They are the lab's own, made by a hash; only their shapes are Windows's (activation-facts §7: an installation ID of 54 or 63
digits, a confirmation ID of 48, bound to the pair of installation ID and PID).
"""

from __future__ import annotations

import hashlib
import random
import uuid

CONFIRMATION_ID_DIGITS = 48


def _digits(text: str, count: int) -> str:
    number = int.from_bytes(hashlib.sha512(text.encode()).digest(), "big")
    return str(number % 10**count).zfill(count)


def make_guid(generator: random.Random) -> str:
    """A random GUID in Windows's spelling."""
    return str(uuid.UUID(int=generator.getrandbits(128), version=4))


def key_serial(key: str) -> str:
    """The part of an extended PID that tells keys apart."""
    digits = _digits(f"lab pid {key}", 14)
    return f"{digits[:5]}-{digits[5:8]}-{digits[8:14]}"


def extended_pid(key: str, build: str, is_volume: bool) -> str:
    """The extended PID (ePID) of a key on a build of Windows."""
    return f"{_digits(build, 4).zfill(5)}-{key_serial(key)}-{'03' if is_volume else '00'}-1033-{build}.0000-0012026"


def serial_of_pid(pid: str) -> str:
    """The key's part of an extended PID; empty if the text is none."""
    parts = pid.split("-")
    return "-".join(parts[1:4]) if len(parts) == 8 else ""


def installation_id(hardware_id: str, key: str, is_windows_8: bool) -> str:
    """What ``OfflineInstallationId`` computes: digits only, 63 since Windows 8, 54 before."""
    return _digits(f"lab iid {hardware_id} {key}", 63 if is_windows_8 else 54)


def confirmation_id(installation: str, pid: str) -> str:
    """Microsoft's answer to an installation ID and a PID."""
    return _digits(f"lab cid {installation} {serial_of_pid(pid)}", CONFIRMATION_ID_DIGITS)
