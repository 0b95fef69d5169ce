# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of the registry, through StdRegProv.

WinRM is a 64-bit service, so these are the 64-bit registry's; the 32-bit view is reached by its real path below
C(SOFTWARE\\WOW6432Node).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._core.codes.code import of_windows, plain
from ..._core.errors import ActivationError
from ..._wsman.cim import Form, OddValue, Value
from ..._wsman.fault import WsmanFault
from ..._wsman.session import Session
from .classes import HKEY_LOCAL_MACHINE, STD_REG_PROV

# Win32 codes that StdRegProv returns. A missing value answers 1, a missing key 2; DeleteValue answers 2 for either.
_SUCCESS, _NO_VALUE, _NO_KEY = 0, 1, 2
# WBEM_E_TYPE_MISMATCH, for a value of another type than was asked for.
_TYPE_MISMATCH = 0x80041005


class KeyMissing(ActivationError):
    """The registry key itself is absent."""


class OtherType(ActivationError):
    """The value is there, but of another type."""


def read_string(session: Session, key: str, name: str, form: Form | None = None) -> str | None:
    """A REG_SZ value below HKEY_LOCAL_MACHINE; C(None) where the key has no such value.

    Args:
        session: The host.
        key: The key.
        name: The value's name.
        form: What it has to look like where it is there.

    Raises:
        KeyMissing: There is no such key.
        OddValue: The value has another form.
    """
    answer = _call(session, "GetStringValue", key, name)
    value = answer["sValue"] if _exists(session, answer, key, name) else None
    if value is not None and form is not None:
        try:
            form.check(value)
        except OddValue as odd:
            about = f"{name} in HKLM\\{key} does not have its form"
            raise OddValue(odd.detail, subject=session.host, about=about, remedy="Correct it on the host.") from None
    return None if value is None else str(value)


def read_number(session: Session, key: str, name: str) -> int | None:
    """A REG_DWORD value below HKEY_LOCAL_MACHINE; C(None) where the key has no such value.

    Raises:
        KeyMissing: There is no such key.
    """
    answer = _call(session, "GetDWORDValue", key, name)
    value = answer["uValue"] if _exists(session, answer, key, name) else None
    return value if isinstance(value, int) else None


def read_strings(session: Session, key: str, name: str) -> list[str] | None:
    """A REG_MULTI_SZ value below HKEY_LOCAL_MACHINE; C(None) where the key has no such value.

    Raises:
        KeyMissing: There is no such key.
        OtherType: The value is no REG_MULTI_SZ.
    """
    try:
        answer = _call(session, "GetMultiStringValue", key, name)
    except WsmanFault as fault:
        if fault.hresult != _TYPE_MISMATCH:
            raise
        raise OtherType(f"{name} in HKLM\\{key} is no REG_MULTI_SZ.", subject=session.host, code=fault.code, source="windows") from fault
    # An empty one comes as NULL.
    return [str(line) for line in answer["sValue"] or ()] if _exists(session, answer, key, name) else None


def write_string(session: Session, key: str, name: str, value: str) -> None:
    """Set a REG_SZ value below HKEY_LOCAL_MACHINE. The key has to exist.

    Raises:
        KeyMissing: There is no such key.
    """
    _write(session, "SetStringValue", key, name, value)


def write_strings(session: Session, key: str, name: str, lines: Sequence[str]) -> None:
    """Set a REG_MULTI_SZ value below HKEY_LOCAL_MACHINE, of whatever type it was. The key has to exist.

    Raises:
        KeyMissing: There is no such key.
    """
    _write(session, "SetMultiStringValue", key, name, list(lines))


def write_number(session: Session, key: str, name: str, value: int) -> None:
    """Set a REG_DWORD value below HKEY_LOCAL_MACHINE. The key has to exist.

    Raises:
        KeyMissing: There is no such key.
    """
    answer = _call(session, "SetDWORDValue", key, name, uValue=value)
    _check(session, answer["ReturnValue"] or 0, f"writing {name}", key)


def subkeys(session: Session, key: str) -> list[str] | None:
    """The names of the keys right below one of HKEY_LOCAL_MACHINE; C(None) where there is no such key."""
    answer = session.invoke(STD_REG_PROV, "EnumKey", {"hDefKey": HKEY_LOCAL_MACHINE, "sSubKeyName": key}, repeatable=True)
    code = answer["ReturnValue"] or 0
    if code == _NO_KEY:
        return None
    _check(session, code, "listing its keys", key)
    return [str(name) for name in answer["sNames"] or ()]


def delete_value(session: Session, key: str, name: str) -> None:
    """Remove a value below HKEY_LOCAL_MACHINE. One that is not there is no failure, and neither is a missing key."""
    code = _call(session, "DeleteValue", key, name)["ReturnValue"] or 0
    if code not in (_NO_VALUE, _NO_KEY):
        _check(session, code, f"deleting {name}", key)


def _exists(session: Session, answer: Mapping[str, Any], key: str, name: str) -> bool:
    """Whether a Get method found the value."""
    code = answer["ReturnValue"] or 0
    if code != _NO_VALUE:
        _check(session, code, f"reading {name}", key)
    return bool(code != _NO_VALUE)


def _write(session: Session, method: str, key: str, name: str, value: Value) -> None:
    answer = _call(session, method, key, name, sValue=value)
    _check(session, answer["ReturnValue"] or 0, f"writing {name}", key)


def create_key(session: Session, key: str) -> None:
    """Make a key below HKEY_LOCAL_MACHINE, with those above it; one that is there already stays as it is."""
    answer = session.invoke(STD_REG_PROV, "CreateKey", {"hDefKey": HKEY_LOCAL_MACHINE, "sSubKeyName": key}, repeatable=True)
    _check(session, answer["ReturnValue"] or 0, "creating it", key)


def _call(session: Session, method: str, key: str, name: str, **more: Value) -> dict[str, Any]:
    arguments: dict[str, Value] = {"hDefKey": HKEY_LOCAL_MACHINE, "sSubKeyName": key, "sValueName": name, **more}
    try:
        return session.invoke(STD_REG_PROV, method, arguments, repeatable=True)
    except OddValue as odd:
        about = f"{STD_REG_PROV.name}.{method} of {name} in HKLM\\{key}"
        raise OddValue(odd.detail, subject=session.host, about=about, remedy=odd.remedy) from None


def _check(session: Session, code: int, action: str, key: str) -> None:
    if code == _SUCCESS:
        return
    if code == _NO_KEY:
        raise KeyMissing(
            f"{action} failed: HKLM\\{key} does not exist.",
            subject=session.host,
            code=plain(_NO_KEY),
            name="ERROR_FILE_NOT_FOUND",
            source="windows",
        )
    if code == 5:
        raise ActivationError(
            f"{action} in HKLM\\{key} was denied (ERROR_ACCESS_DENIED); the WinRM account has to be an administrator.",
            subject=session.host,
            code=plain(5),
            name="ERROR_ACCESS_DENIED",
            source="windows",
        )
    raise ActivationError(
        f"{action} in HKLM\\{key} failed with {of_windows(code)}.", subject=session.host, code=of_windows(code), source="windows"
    )
