# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""String values of the registry, through StdRegProv.

WinRM is a 64-bit service, so these are the 64-bit registry's; the 32-bit view is reached by its real path below
C(SOFTWARE\\WOW6432Node).
"""

from __future__ import annotations

from .._errors import ActivationError
from .._licensing.errors import hexadecimal
from .._wsman.cim import Value
from .._wsman.session import Session
from .classes import HKEY_LOCAL_MACHINE, STD_REG_PROV

# Win32 codes that StdRegProv returns. A missing value answers 1, a missing key 2.
_SUCCESS, _NO_VALUE, _NO_KEY = 0, 1, 2


class KeyMissing(ActivationError):
    """The registry key itself is absent."""


def read_string(session: Session, key: str, name: str) -> str | None:
    """A REG_SZ value below HKEY_LOCAL_MACHINE; C(None) where the key has no such value.

    Raises:
        KeyMissing: There is no such key.
    """
    answer = session.invoke(
        STD_REG_PROV, "GetStringValue", {"hDefKey": HKEY_LOCAL_MACHINE, "sSubKeyName": key, "sValueName": name}, repeatable=True
    )
    code = answer["ReturnValue"] or 0
    if code == _NO_VALUE:
        return None
    _check(session, code, f"reading {name}", key)
    value = answer["sValue"]
    return None if value is None else str(value)


def write_string(session: Session, key: str, name: str, value: str) -> None:
    """Set a REG_SZ value below HKEY_LOCAL_MACHINE. The key has to exist.

    Raises:
        KeyMissing: There is no such key.
    """
    arguments: dict[str, Value] = {"hDefKey": HKEY_LOCAL_MACHINE, "sSubKeyName": key, "sValueName": name, "sValue": value}
    answer = session.invoke(STD_REG_PROV, "SetStringValue", arguments, repeatable=True)
    _check(session, answer["ReturnValue"] or 0, f"writing {name}", key)


def _check(session: Session, code: int, action: str, key: str) -> None:
    if code == _SUCCESS:
        return
    if code == _NO_KEY:
        raise KeyMissing(
            f"{session.host}: {action} failed: HKLM\\{key} does not exist.", code="2", name="ERROR_FILE_NOT_FOUND", source="windows"
        )
    if code == 5:
        raise ActivationError(
            f"{session.host}: {action} in HKLM\\{key} was denied (ERROR_ACCESS_DENIED); the WinRM account has to be an administrator.",
            code="5",
            name="ERROR_ACCESS_DENIED",
            source="windows",
        )
    shown = hexadecimal(code) if code > 0xFFFF else str(code)
    raise ActivationError(f"{session.host}: {action} in HKLM\\{key} failed with {shown}.", code=shown, source="windows")
