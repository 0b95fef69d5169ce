# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""StdRegProv: the registry over WMI, with its return codes (docs/facts/system.md#registry-provider)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..wsman.backend import CimClass
from .provider import Instance, Provider
from .registry import HIVES, HKEY_LOCAL_MACHINE, Key, Registry, ValueType

OK = 0
VALUE_NOT_FOUND = 1
KEY_NOT_FOUND = 2
ACCESS_DENIED = 5
TYPE_MISMATCH = 0x80041005
INVALID_PARAMETER = 0x80041008

_GETTERS = {
    "GetStringValue": (ValueType.SZ, "sValue"),
    "GetExpandedStringValue": (ValueType.EXPAND_SZ, "sValue"),
    "GetMultiStringValue": (ValueType.MULTI_SZ, "sValue"),
    "GetDWORDValue": (ValueType.DWORD, "uValue"),
    "GetQWORDValue": (ValueType.QWORD, "uValue"),
    "GetBinaryValue": (ValueType.BINARY, "uValue"),
}
_SETTERS = {
    "SetStringValue": (ValueType.SZ, "sValue", ""),
    "SetExpandedStringValue": (ValueType.EXPAND_SZ, "sValue", ""),
    "SetMultiStringValue": (ValueType.MULTI_SZ, "sValue", []),
    "SetDWORDValue": (ValueType.DWORD, "uValue", 0),
    "SetQWORDValue": (ValueType.QWORD, "uValue", 0),
    "SetBinaryValue": (ValueType.BINARY, "uValue", []),
}


class StdRegProv(Provider):
    """The static methods of StdRegProv on one registry."""

    def __init__(self, cim_class: CimClass, language: str, registry: Callable[[], Registry], environment: Mapping[str, str]) -> None:
        super().__init__(cim_class, language)
        self._registry = registry
        self._environment = environment

    def call(self, instance: Instance | None, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run a method; a failure is a ReturnValue, never an error of WMI."""
        hive = HKEY_LOCAL_MACHINE if arguments.get("hDefKey") is None else int(arguments["hDefKey"])
        path = arguments.get("sSubKeyName") or ""
        if hive not in HIVES:
            return {"ReturnValue": INVALID_PARAMETER}
        if method == "CreateKey":
            self._registry().create(path, hive)
            return {"ReturnValue": OK}
        if method == "DeleteKey":
            return {"ReturnValue": self._delete_key(path, hive)}
        key = self._registry().find(path, hive)
        if key is None:
            return {"ReturnValue": KEY_NOT_FOUND}
        return self._on_key(key, path, hive, method, arguments)

    def _on_key(self, key: Key, path: str, hive: int, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        name = arguments.get("sValueName") or ""
        if method == "EnumKey":
            return {"ReturnValue": OK, "sNames": [item.name for item in key.subkeys.values()] or None}
        if method == "EnumValues":
            values = list(key.values.values())
            return {
                "ReturnValue": OK,
                "sNames": [item.name for item in values] or None,
                "Types": [int(item.type) for item in values] or None,
            }
        if method == "CheckAccess":
            return {"ReturnValue": OK, "bGranted": True}
        if method == "DeleteValue":
            # The documentation's error for a missing value is 1, RegDeleteValue's own is 2: slmgr expects 2 (docs/facts/system.md#registry-provider).
            return {"ReturnValue": OK if self._registry().delete(path, name, hive) else KEY_NOT_FOUND}
        if method in _SETTERS:
            value_type, parameter, empty = _SETTERS[method]
            data: Any = arguments.get(parameter)
            data = empty if data is None else data
            self._registry().set(path, name, value_type, bytes(data) if value_type is ValueType.BINARY else data, hive)
            return {"ReturnValue": OK}
        value_type, parameter = _GETTERS[method]
        value = key.values.get(name.lower())
        if value is None:
            return {"ReturnValue": VALUE_NOT_FOUND}
        if value.type is not value_type:
            return {"ReturnValue": TYPE_MISMATCH}
        return {"ReturnValue": OK, parameter: self._read(value.type, value.data)}

    def _read(self, value_type: ValueType, data: Any) -> Any:
        if value_type is ValueType.EXPAND_SZ:
            for variable, text in self._environment.items():
                data = data.replace(f"%{variable}%", text)
        return list(data) if value_type in (ValueType.BINARY, ValueType.MULTI_SZ) else data

    def _delete_key(self, path: str, hive: int) -> int:
        try:
            self._registry().delete_key(path, hive)
        except KeyError:
            return KEY_NOT_FOUND
        except ValueError:
            return ACCESS_DENIED
        return OK
