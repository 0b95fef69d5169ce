# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of Windows itself, started through Win32_Process.Create where no WMI class does what they do.

Create gives neither output nor exit code, so whoever starts a program has to read its effect.
"""

from __future__ import annotations

import time

from ..._core.codes.code import plain
from ..._core.errors import ActivationError
from ..._wsman.fault import WsmanFault
from ..._wsman.session import Session, UnknownOutcome
from .classes import WIN32_PROCESS

# Win32_Process.Create, ReturnValue (Microsoft's class reference).
_RETURN_VALUES = {2: "access denied", 3: "insufficient privilege", 8: "unknown failure", 9: "path not found", 21: "invalid parameter"}

_FORBIDDEN = (
    "Hosts that forbid processes started over WMI answer like this (Defender's rule against process creations from PSExec and WMI"
    " commands, application control, hardening guides)"
)


def start(session: Session, command: str, instead: str) -> int | None:
    """Start a program.

    A lost answer is no failure: the effect tells whether the program ran.

    Args:
        session: The host.
        command: The command line.
        instead: What the user can do where the host does not allow it, as the end of a sentence.

    Returns:
        Its process ID; C(None) where the answer was lost.

    Raises:
        ActivationError: It was not started.
    """
    try:
        answer = session.invoke(WIN32_PROCESS, "Create", {"CommandLine": command})
    except UnknownOutcome:
        return None
    except WsmanFault as fault:
        raise fault.followed_by(f"{_FORBIDDEN}; {instead}.") from fault
    code = answer["ReturnValue"] or 0
    if code:
        meaning = _RETURN_VALUES.get(code, "see Win32_Process.Create in Microsoft's WMI reference")
        raise ActivationError(
            f"starting {command.partition(' ')[0]} through Win32_Process.Create failed with {code} ({meaning}). {_FORBIDDEN}; {instead}.",
            subject=session.host,
            code=plain(code),
            source="windows",
        )
    process = answer["ProcessId"]
    return process if isinstance(process, int) else None


def running(session: Session, name: str) -> list[int]:
    """The process IDs of all programs of a name, such as C(sysprep.exe)."""
    return [number for row in session.query(WIN32_PROCESS, ("ProcessId",), f"Name='{name}'") if isinstance(number := row["ProcessId"], int)]


def wait_for_end(session: Session, process: int | None, timeout: float = 15.0) -> None:
    """Wait until a program has ended, for those whose effect can't be read at once. One that hangs is not waited for longer."""
    deadline = time.monotonic() + timeout
    while process is not None and time.monotonic() < deadline:
        try:
            session.get(WIN32_PROCESS, {"Handle": str(process)})
        except WsmanFault:
            # No such process any more, or none that may be checked.
            return
        time.sleep(0.1)
