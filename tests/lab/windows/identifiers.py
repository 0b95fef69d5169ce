# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that a machine and Microsoft have in common: extended PID, installation ID, confirmation ID.

They are the lab's own, made by a hash; only their shapes are Windows's (docs/facts/mak.md#installation-id: an installation ID of 54 or 63
digits, a confirmation ID of 48, bound to the pair of installation ID and PID). The shape of the extended PID is in no reference, and the
confirmation ID is bound to the key's part of it alone: the lab's own choice. The last group of an installation ID is the
lab's check of the digits before it and of the key, so that Microsoft can tell one that was mistyped or is sent with another
machine's PID without knowing the machine.
"""

from __future__ import annotations

import hashlib
import random
import uuid

CONFIRMATION_ID_DIGITS = 48
INSTALLATION_ID_DIGITS = (54, 63)


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
    """What ``OfflineInstallationId`` computes: digits only, nine groups of 7 since Windows 8, of 6 before."""
    group = 7 if is_windows_8 else 6
    body = _digits(f"lab iid {hardware_id} {key}", 8 * group)
    return body + _check_group(body, key_serial(key), group)


def is_installation_id(installation: str, pid: str) -> bool:
    """Whether it is an installation ID of some machine with that PID's key."""
    if len(installation) not in INSTALLATION_ID_DIGITS or not installation.isdecimal():
        return False
    group = len(installation) // 9
    return installation[-group:] == _check_group(installation[:-group], serial_of_pid(pid), group)


def _check_group(body: str, serial: str, digits: int) -> str:
    return _digits(f"lab iid check {body} {serial}", digits)


def confirmation_id(installation: str, pid: str) -> str:
    """Microsoft's answer to an installation ID and a PID."""
    return _digits(f"lab cid {installation} {serial_of_pid(pid)}", CONFIRMATION_ID_DIGITS)
