# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KeyManagementServiceVersion, by which monitoring finds KMS hosts. slmgr.vbs writes and removes it; Windows itself does not."""

from __future__ import annotations

from ..._wsman.session import Session
from ..platform.registry import KeyMissing, delete_value, read_string, write_string
from ..platform.versions import WindowsVersion
from .licensing import platform_keys

_NAME = "KeyManagementServiceVersion"


def read(session: Session, version: WindowsVersion) -> dict[str, str | None]:
    """The value by registry key, for each view that this Windows has."""
    found: dict[str, str | None] = {}
    for key in platform_keys(version):
        try:
            found[key] = read_string(session, key, _NAME)
        except KeyMissing:
            continue
    return found


def attribute(key: str) -> str:
    """What a plan calls the value of one of the keys."""
    return f"HKLM\\{key}\\{_NAME}"


def write(session: Session, key: str, version: str) -> None:
    """Mark the computer as a KMS host."""
    write_string(session, key, _NAME, version)


def remove(session: Session, key: str) -> None:
    """Take the mark away."""
    delete_value(session, key, _NAME)
