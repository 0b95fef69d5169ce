# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry: keys and values as the 64-bit view has them (the 32-bit view is its WOW6432Node keys).

Names are compared without case and kept as written. Types and codes: docs/facts/system.md#registry-provider.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

HKEY_CLASSES_ROOT = 0x80000000
HKEY_CURRENT_USER = 0x80000001
HKEY_LOCAL_MACHINE = 0x80000002
HKEY_USERS = 0x80000003
HKEY_CURRENT_CONFIG = 0x80000005
HIVES = (HKEY_CLASSES_ROOT, HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE, HKEY_USERS, HKEY_CURRENT_CONFIG)


class ValueType(IntEnum):
    """Registry value types by their numbers in EnumValues."""

    SZ = 1
    EXPAND_SZ = 2
    BINARY = 3
    DWORD = 4
    MULTI_SZ = 7
    QWORD = 11


@dataclass
class Value:
    """A value: its name as written, its type and its data (str, int, bytes or list of str)."""

    name: str
    type: ValueType
    data: Any


@dataclass
class Key:
    """A key with its values and subkeys, both by lower-case name."""

    name: str
    values: dict[str, Value] = field(default_factory=dict)
    subkeys: dict[str, Key] = field(default_factory=dict)


def _parts(path: str) -> list[str]:
    return [part for part in path.split("\\") if part]


class Registry:
    """All hives of one machine. Paths are relative to a hive, HKLM unless another is named."""

    def __init__(self) -> None:
        self._hives = {hive: Key("") for hive in HIVES}
        self._lock = threading.RLock()

    def find(self, path: str, hive: int = HKEY_LOCAL_MACHINE) -> Key | None:
        """The key, or None."""
        with self._lock:
            key = self._hives.get(hive)
            for part in _parts(path):
                key = key.subkeys.get(part.lower()) if key else None
            return key

    def create(self, path: str, hive: int = HKEY_LOCAL_MACHINE) -> Key:
        """The key, made with its parents if need be. Raises KeyError for an unknown hive."""
        with self._lock:
            key = self._hives[hive]
            for part in _parts(path):
                key = key.subkeys.setdefault(part.lower(), Key(part))
            return key

    def delete_key(self, path: str, hive: int = HKEY_LOCAL_MACHINE) -> None:
        """Remove a key. Raises KeyError if it is not there, ValueError if it has subkeys."""
        with self._lock:
            *above, last = _parts(path)
            parent = self.find("\\".join(above), hive)
            key = parent.subkeys.get(last.lower()) if parent else None
            if parent is None or key is None:
                raise KeyError(path)
            if key.subkeys:
                raise ValueError(path)
            del parent.subkeys[last.lower()]

    def get(self, path: str, name: str, hive: int = HKEY_LOCAL_MACHINE) -> Value | None:
        """A value, or None."""
        key = self.find(path, hive)
        return key.values.get(name.lower()) if key else None

    def data(self, path: str, name: str, default: Any = None) -> Any:
        """The data of a value under HKLM."""
        value = self.get(path, name)
        return default if value is None else value.data

    def set(self, path: str, name: str, value_type: ValueType, data: Any, hive: int = HKEY_LOCAL_MACHINE) -> None:
        """Write a value, making the key."""
        with self._lock:
            key = self.create(path, hive)
            written = key.values.get(name.lower())
            key.values[name.lower()] = Value(written.name if written else name, value_type, data)

    def delete(self, path: str, name: str, hive: int = HKEY_LOCAL_MACHINE) -> bool:
        """Remove a value; whether it was there."""
        with self._lock:
            key = self.find(path, hive)
            return key is not None and key.values.pop(name.lower(), None) is not None

    def copy_from(self, other: Registry) -> None:
        """Every hive as it is on another machine."""
        with other._lock:
            hives = copy.deepcopy(other._hives)
        with self._lock:
            self._hives.clear()
            self._hives.update(hives)

    def walk(self, path: str) -> Iterator[tuple[str, Value]]:
        """Every value under a key of HKLM, with the path of its key."""
        key = self.find(path)
        if key is None:
            return
        for value in list(key.values.values()):
            yield path, value
        for subkey in list(key.subkeys.values()):
            yield from self.walk(f"{path}\\{subkey.name}")
