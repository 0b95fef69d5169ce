# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows services: restarting one, and waiting until it really is where it should be.

What a call answers is only a hint: stopping returns before the service has stopped, starting may time out although the service
comes up, and whatever asks for a license starts it meanwhile. The state decides.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from ..._core.codes.code import plain
from ..._core.errors import ActivationError
from ..._wsman.cim import Value
from ..._wsman.session import Session, UnknownOutcome
from .classes import WIN32_SERVICE
from .versions import WINDOWS_7, WindowsVersion

SPPSVC = "sppsvc"
"""The Software Protection service. It starts when something asks it, and stops itself when idle unless the machine is a
KMS host."""
_SLSVC = "slsvc"

# Win32_Service.StartService and StopService, ReturnValue (Microsoft's class reference).
_SUCCESS, _CANNOT_NOW, _NOT_ACTIVE, _TIMED_OUT, _ALREADY_RUNNING = 0, 5, 6, 7, 10
_MEANINGS = {
    1: "not supported",
    2: "access denied; the WinRM account has to be an administrator there",
    3: "services that depend on it are running",
    8: "unknown failure",
    9: "its program was not found",
    14: "it is disabled; set it to start automatically",
    15: "its account can't log on",
    21: "invalid parameter",
    22: "its account is invalid or may not run it",
}


def licensing_service(version: WindowsVersion) -> str:
    """The name of the service behind the licensing classes: Vista and Server 2008 call it Software Licensing."""
    return SPPSVC if version >= WINDOWS_7 else _SLSVC


def restart(session: Session, name: str, timeout: float = 60.0, while_stopped: Callable[[], None] | None = None) -> None:
    """Stop the service if it runs, and start it.

    Args:
        session: The host.
        name: The service's name.
        timeout: Seconds to wait for each of stopping and starting.
        while_stopped: Changes something that the service reads when it starts, without asking the service itself. Whatever
            becomes of us after it, the service that starts next has read it.

    Raises:
        ActivationError: It was refused, or did not happen in time.
    """
    # One that is just starting takes no order yet, and may have read the old settings.
    old_process = _started(session, name, timeout)["ProcessId"]

    # Whatever asks for a license may start it again before we see it stopped; the new process tells.
    def stopped(state: dict[str, Value]) -> bool:
        return state["State"] == "Stopped" or (state["State"] == "Running" and state["ProcessId"] != old_process)

    _order(session, name, "StopService", stopped, (_NOT_ACTIVE, _TIMED_OUT), timeout)
    started_early = False
    try:
        if while_stopped is not None:
            while_stopped()
            started_early = _read(session, name)["State"] != "Stopped"
    except ActivationError:
        # It is not left stopped; what has failed first is what the user has to hear of.
        with contextlib.suppress(ActivationError):
            _start(session, name, timeout)
        raise
    _start(session, name, timeout)
    if started_early:
        # Somebody else has started it, and nobody knows whether before the change or after it.
        restart(session, name, timeout)


def _start(session: Session, name: str, timeout: float) -> None:
    _order(session, name, "StartService", lambda state: state["State"] == "Running", (_ALREADY_RUNNING, _TIMED_OUT), timeout)


def _started(session: Session, name: str, timeout: float) -> dict[str, Value]:
    """The state, once the service is not on its way up any more."""
    deadline = time.monotonic() + timeout
    while (state := _read(session, name))["State"] == "Start Pending" and time.monotonic() < deadline:
        time.sleep(0.2)
    return state


def _order(
    session: Session,
    name: str,
    method: str,
    reached: Callable[[dict[str, Value]], bool],
    harmless: tuple[int, ...],
    timeout: float,
) -> None:
    """Give an order and wait for its effect; give it again where it was not taken and the service rests in its old state."""
    deadline = time.monotonic() + timeout
    pause = 0.1
    taken, due = False, True
    while True:
        if due:
            taken = _call(session, name, method, harmless)
        state = _read(session, name)
        if reached(state):
            return
        if time.monotonic() >= deadline:
            raise ActivationError(
                f"{method} of the service {name} had no effect within {timeout:.0f} s (it is {state['State']}); look at"
                " its events, or restart the host.",
                subject=session.host,
                source="windows",
            )
        # One that was started while it was still on its way down stays stopped.
        due = state["State"] == "Stopped" or (state["State"] == "Running" and not taken)
        time.sleep(pause)
        pause = min(pause * 2, 2.0)


def _call(session: Session, name: str, method: str, harmless: tuple[int, ...]) -> bool:
    """Give the order once; whether it was taken."""
    try:
        code = session.invoke(WIN32_SERVICE, method, selectors={"Name": name})["ReturnValue"] or _SUCCESS
    except UnknownOutcome as lost:
        # The state is read next; only where it shows no effect is the order given again. What is still at work is left to
        # it: a second order could arrive after the start.
        return lost.at_work
    if code == _CANNOT_NOW:
        return False
    _judge(session, name, method, code, harmless)
    return True


def start_mode(session: Session, name: str) -> str:
    """How a service starts: C(Auto), C(Manual) or C(Disabled)."""
    return str(_read(session, name)["StartMode"] or "")


def start_automatically(session: Session, name: str) -> None:
    """Have a service start with Windows. Whether it runs now does not change.

    Raises:
        ActivationError: It was refused.
    """
    answer = session.invoke(WIN32_SERVICE, "ChangeStartMode", {"StartMode": "Automatic"}, {"Name": name}, repeatable=True)
    _judge(session, name, "ChangeStartMode", answer["ReturnValue"] or _SUCCESS, ())


def _judge(session: Session, name: str, method: str, code: int, harmless: tuple[int, ...]) -> None:
    if code != _SUCCESS and code not in harmless:
        meaning = _MEANINGS.get(code, "see Win32_Service in Microsoft's WMI reference")
        raise ActivationError(
            f"{method} of the service {name} failed with {code}: {meaning}.", subject=session.host, code=plain(code), source="windows"
        )


def _read(session: Session, name: str) -> dict[str, Value]:
    return session.get(WIN32_SERVICE, {"Name": name})
