# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows services: restarting one, and waiting until it really is where it should be."""

from __future__ import annotations

import time
from collections.abc import Callable

from .._errors import ActivationError
from .._wsman.cim import Value
from .._wsman.session import Session
from .classes import WIN32_SERVICE

SPPSVC = "sppsvc"
"""The Software Protection service. It starts when something asks it, and stops itself when idle unless the machine is a
KMS host."""

# Win32_Service.StartService and StopService, ReturnValue.
_SUCCESS, _ACCESS_DENIED, _CANNOT_STOP_NOW, _NOT_ACTIVE, _ALREADY_RUNNING = 0, 2, 5, 6, 10


def restart(session: Session, name: str, timeout: float = 60.0) -> None:
    """Stop the service if it runs, and start it.

    Args:
        session: The host.
        name: The service's name.
        timeout: Seconds to wait for each of stopping and starting.

    Raises:
        ActivationError: It was refused, or did not happen in time.
    """
    old_process = _read(session, name)["ProcessId"]
    answer = session.invoke(WIN32_SERVICE, "StopService", selectors={"Name": name})
    if answer["ReturnValue"] not in (None, _SUCCESS, _CANNOT_STOP_NOW, _NOT_ACTIVE):
        raise _refused(session, name, "stopping", answer["ReturnValue"])

    # StopService returns while the service is still on its way down. Whatever asks for a license may start it again
    # before we see it stopped; the new process tells.
    def stopped(state: dict[str, Value]) -> bool:
        return state["State"] == "Stopped" or (state["State"] == "Running" and state["ProcessId"] != old_process)

    _wait(session, name, stopped, "stop", timeout)
    answer = session.invoke(WIN32_SERVICE, "StartService", selectors={"Name": name})
    if answer["ReturnValue"] not in (None, _SUCCESS, _ALREADY_RUNNING):
        raise _refused(session, name, "starting", answer["ReturnValue"])
    _wait(session, name, lambda state: state["State"] == "Running", "start", timeout)


def _read(session: Session, name: str) -> dict[str, Value]:
    return session.get(WIN32_SERVICE, {"Name": name})


def _wait(session: Session, name: str, reached: Callable[[dict[str, Value]], bool], action: str, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    pause = 0.1
    while not reached(state := _read(session, name)):
        if time.monotonic() >= deadline:
            raise ActivationError(
                f"{session.host}: the service {name} did not {action} within {timeout:.0f} s (it is {state['State']}); look at its events.",
                source="windows",
            )
        time.sleep(pause)
        pause = min(pause * 2, 2.0)


def _refused(session: Session, name: str, action: str, code: int) -> ActivationError:
    reason = (
        "access denied; the WinRM account has to be an administrator there"
        if code == _ACCESS_DENIED
        else "see Win32_Service in Microsoft's WMI reference"
    )
    return ActivationError(f"{session.host}: {action} the service {name} failed with {code}: {reason}.", code=str(code), source="windows")
