# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service control manager and Win32_Service; sppsvc starts on demand and stops itself (activation-facts §11)."""

from __future__ import annotations

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

_OK = 0
_NOT_SUPPORTED = 1
_CANNOT_ACCEPT = 5
_NOT_ACTIVE = 6
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
    stopped_at: datetime | None = None


def _fresh() -> dict[str, Service]:
    rows = (
        Service(SPPSVC, "Software Protection", r"NT AUTHORITY\NetworkService", delayed=True, state=STOPPED),
        Service("Dnscache", "DNS Client", r"NT AUTHORITY\NetworkService", stoppable=False),
        Service("MpsSvc", "Windows Defender Firewall", r"NT Authority\LocalService", stoppable=False),
        Service("WinRM", "Windows Remote Management (WS-Management)", r"NT AUTHORITY\NetworkService"),
        Service("Winmgmt", "Windows Management Instrumentation", "localSystem"),
        Service("W32Time", "Windows Time", r"NT AUTHORITY\LocalService"),
    )
    return {row.name.lower(): row for row in rows}


class ServiceManager:
    """States of services. ``started`` and ``stopped`` are told when sppsvc really starts and begins to stop.

    sppsvc's own timers are looked at whenever somebody asks, so no thread is needed for them.
    """

    def __init__(self, clock: Clock, stop_seconds: float, idle_seconds: float, stays: Callable[[], bool]) -> None:
        self._clock = clock
        self._stop_time = timedelta(seconds=stop_seconds)
        self._idle_time = timedelta(seconds=idle_seconds)
        self._stays = stays
        self._services = _fresh()
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

    @property
    def sppsvc_running(self) -> bool:
        """Whether sppsvc runs right now."""
        return self.find(SPPSVC).state == RUNNING

    def demand(self) -> bool:
        """The licensing classes need sppsvc: start it if need be. True if it was started just now.

        Raises ServiceStopping and ServiceDisabled.
        """
        with self._lock:
            service = self.find(SPPSVC)
            self._last_used = self._clock.now()
            if service.state == RUNNING:
                return False
            if service.state == STOP_PENDING:
                raise ServiceStopping
            if service.start_mode == "Disabled":
                raise ServiceDisabled
            service.state = RUNNING
        self.started()
        return True

    def start(self, name: str) -> int:
        """StartService; a ReturnValue of Win32_Service."""
        with self._lock:
            service = self.find(name)
            if service.start_mode == "Disabled":
                return _DISABLED
            if service.state != STOPPED:
                return _ALREADY_RUNNING
            service.state = RUNNING
            self._last_used = self._clock.now()
        if service.name == SPPSVC:
            self.started()
        return _OK

    def stop(self, name: str) -> int:
        """StopService: returns while the service is still stopping."""
        with self._lock:
            service = self.find(name)
            if service.state == STOPPED:
                return _NOT_ACTIVE
            if service.state == STOP_PENDING or not service.stoppable:
                return _CANNOT_ACCEPT
            service.state = STOP_PENDING
            service.stopped_at = self._clock.now() + self._stop_time
        if service.name == SPPSVC:
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
            service = self._services[SPPSVC]
            was_running = service.state == RUNNING
            service.state = STOPPED
        if was_running:
            self.stopped()

    def _settle(self) -> None:
        now = self._clock.now()
        for service in self._services.values():
            if service.state == STOP_PENDING and service.stopped_at is not None and now >= service.stopped_at:
                service.state = STOPPED
        service = self._services[SPPSVC]
        if service.state == RUNNING and now - self._last_used >= self._idle_time and not self._stays():
            service.state = STOPPED
            self.stopped()


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
                "ProcessId": 1000 + len(service.name) * 4 if running else 0,
            }
        )
