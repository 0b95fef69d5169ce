# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service control manager and Win32_Service; sppsvc starts on demand and stops itself (docs/facts/system.md#services)."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..wsman.backend import CimClass
from .ports import Clock
from .provider import Instance, Provider

SPPSVC = "sppsvc"

RUNNING = "Running"
STOPPED = "Stopped"
STOP_PENDING = "Stop Pending"
START_PENDING = "Start Pending"

SLSVC = "slsvc"
"""What sppsvc is called on Vista and Server 2008 (Software Licensing)."""

_OK = 0
_NOT_SUPPORTED = 1
_CANNOT_ACCEPT = 5
_NOT_ACTIVE = 6
_REQUEST_TIMEOUT = 7
_ALREADY_RUNNING = 10
_DISABLED = 14
_INVALID_PARAMETER = 21


class ServiceStopping(Exception):
    """sppsvc was asked for something while it is stopping."""


class ServiceDisabled(Exception):
    """sppsvc may not be started."""


@dataclass
class Service:
    """One Windows service."""

    name: str
    display: str
    account: str
    start_mode: str = "Auto"
    delayed: bool = False
    state: str = RUNNING
    stoppable: bool = True
    settles_at: datetime | None = None
    process_id: int = 0


def _fresh(licensing: str) -> dict[str, Service]:
    title = "Software Protection" if licensing == SPPSVC else "Software Licensing"
    rows = (
        Service(licensing, title, r"NT AUTHORITY\NetworkService", delayed=True, state=STOPPED),
        Service("Dnscache", "DNS Client", r"NT AUTHORITY\NetworkService", stoppable=False),
        Service("MpsSvc", "Windows Defender Firewall", r"NT Authority\LocalService", stoppable=False),
        Service("WinRM", "Windows Remote Management (WS-Management)", r"NT AUTHORITY\NetworkService"),
        Service("Winmgmt", "Windows Management Instrumentation", "localSystem"),
        Service("W32Time", "Windows Time", r"NT AUTHORITY\LocalService"),
    )
    return {row.name.lower(): row for row in rows}


class ServiceManager:
    """States of services. ``started`` and ``stopped`` are told when sppsvc really starts and begins to stop.

    sppsvc's own timers are checked whenever somebody asks, so no thread is needed for them. With ``start_seconds`` a start by
    StartService answers that it timed out, and the service comes up so much later.
    """

    def __init__(
        self,
        clock: Clock,
        stop_seconds: float,
        idle_seconds: float,
        stays: Callable[[], bool],
        start_seconds: float = 0.0,
        licensing: str = SPPSVC,
    ) -> None:
        self._clock = clock
        self._stop_time = timedelta(seconds=stop_seconds)
        self._idle_time = timedelta(seconds=idle_seconds)
        self._start_time = timedelta(seconds=start_seconds)
        self._stays = stays
        self.licensing = licensing
        self._services = _fresh(licensing)
        self._processes = itertools.count(1000, 4)
        for service in self._services.values():
            service.process_id = next(self._processes) if service.state == RUNNING else 0
        self._last_used = clock.now()
        self._lock = threading.RLock()
        self.started: Callable[[], None] = lambda: None
        self.stopped: Callable[[], None] = lambda: None

    def services(self) -> list[Service]:
        """All services with their states of now."""
        with self._lock:
            self._settle()
            return list(self._services.values())

    def find(self, name: str) -> Service:
        """A service by name, with its state of now. Raises KeyError."""
        with self._lock:
            self._settle()
            return self._services[name.lower()]

    def demand(self) -> bool:
        """The licensing classes need sppsvc: start it if need be. True if it was started just now.

        Raises ServiceStopping and ServiceDisabled.
        """
        with self._lock:
            service = self.find(self.licensing)
            self._last_used = self._clock.now()
            if service.state == RUNNING:
                return False
            if service.state == STOP_PENDING:
                raise ServiceStopping
            if service.state == START_PENDING and service.settles_at is not None:
                self._clock.sleep((service.settles_at - self._clock.now()).total_seconds())
                self._settle()
                return True
            if service.start_mode == "Disabled":
                raise ServiceDisabled
            self._run(service)
        self.started()
        return True

    def _run(self, service: Service) -> None:
        service.state, service.process_id = RUNNING, next(self._processes)
        self._last_used = self._clock.now()

    def start(self, name: str) -> int:
        """StartService; a ReturnValue of Win32_Service."""
        with self._lock:
            service = self.find(name)
            if service.start_mode == "Disabled":
                return _DISABLED
            if service.state != STOPPED:
                return _ALREADY_RUNNING
            if service.name == self.licensing and self._start_time:
                service.state, service.settles_at = START_PENDING, self._clock.now() + self._start_time
                return _REQUEST_TIMEOUT
            self._run(service)
        if service.name == self.licensing:
            self.started()
        return _OK

    def stop(self, name: str) -> int:
        """StopService: returns while the service is still stopping."""
        with self._lock:
            service = self.find(name)
            if service.state == STOPPED:
                return _NOT_ACTIVE
            if service.state != RUNNING or not service.stoppable:
                return _CANNOT_ACCEPT
            service.state = STOP_PENDING
            service.settles_at = self._clock.now() + self._stop_time
        if service.name == self.licensing:
            self.stopped()
        return _OK

    def change_start_mode(self, name: str, mode: str | None) -> int:
        """ChangeStartMode."""
        modes = {"automatic": "Auto", "manual": "Manual", "disabled": "Disabled", "boot": "Boot", "system": "System"}
        if mode is None or mode.lower() not in modes:
            return _INVALID_PARAMETER
        self.find(name).start_mode = modes[mode.lower()]
        return _OK

    def halt(self) -> None:
        """The machine goes down: sppsvc is gone at once."""
        with self._lock:
            service = self._services[self.licensing]
            was_running = service.state == RUNNING
            service.state = STOPPED
        if was_running:
            self.stopped()

    def _settle(self) -> None:
        now = self._clock.now()
        service = self._services[self.licensing]
        idle_until = self._last_used + self._idle_time
        if service.state == RUNNING and now >= idle_until and not self._stays():
            service.state, service.settles_at = STOP_PENDING, idle_until + self._stop_time
            self.stopped()
        for service in self._services.values():
            if service.settles_at is None or now < service.settles_at:
                continue
            if service.state == STOP_PENDING:
                service.state, service.process_id = STOPPED, 0
            elif service.state == START_PENDING:
                self._run(service)
                self.started()
            service.settles_at = None


class Services(Provider):
    """Win32_Service."""

    def __init__(self, cim_class: CimClass, language: str, manager: Callable[[], ServiceManager], computer: str) -> None:
        super().__init__(cim_class, language)
        self._manager = manager
        self._computer = computer

    def instances(self, equal: Mapping[str, object] | None = None) -> Sequence[Instance]:
        """All services."""
        return [self._instance(service) for service in self._manager().services()]

    def call(self, instance: Instance | None, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Start, stop, change."""
        if instance is None:
            return super().call(instance, method, arguments)
        name, manager = instance["Name"], self._manager()
        if method == "StartService":
            code = manager.start(name)
        elif method == "StopService":
            code = manager.stop(name)
        elif method == "ChangeStartMode":
            code = manager.change_start_mode(name, arguments.get("StartMode"))
        elif method == "InterrogateService":
            code = _OK if manager.find(name).state == RUNNING else _NOT_ACTIVE
        else:
            code = _NOT_SUPPORTED
        return {"ReturnValue": code}

    def _instance(self, service: Service) -> Instance:
        running = service.state == RUNNING
        return self.complete(
            {
                "Name": service.name,
                "Caption": service.display,
                "DisplayName": service.display,
                "Description": service.display,
                "CreationClassName": "Win32_Service",
                "SystemCreationClassName": "Win32_ComputerSystem",
                "SystemName": self._computer,
                "PathName": rf"C:\Windows\system32\{service.name.lower()}.exe",
                "ServiceType": "Own Process",
                "ErrorControl": "Normal",
                "StartMode": service.start_mode,
                "StartName": service.account,
                "DelayedAutoStart": service.delayed,
                "State": service.state,
                "Status": "OK" if running else ("Stopping" if service.state == STOP_PENDING else "OK"),
                "Started": service.state != STOPPED,
                "AcceptPause": False,
                "AcceptStop": running and service.stoppable,
                "DesktopInteract": False,
                "ExitCode": 0,
                "ServiceSpecificExitCode": 0,
                "CheckPoint": 0,
                "WaitHint": 0,
                "TagId": 0,
                "ProcessId": service.process_id,
            }
        )
